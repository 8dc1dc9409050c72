"""Source of frames from NDTiff data sets, also while they grow."""
