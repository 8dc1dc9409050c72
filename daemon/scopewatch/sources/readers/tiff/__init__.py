"""TIFF files of all microscope kinds: directories, planes, statements, pixels."""
