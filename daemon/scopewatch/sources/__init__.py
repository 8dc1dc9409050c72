"""Where frames come from: folders of image files, NDTiff data sets, Micro-Manager."""
