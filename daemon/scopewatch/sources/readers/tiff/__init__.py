"""TIFF files of all microscope kinds: directories, planes, what they say, pixels."""
