"""Source of frames from OME-Zarr stores (NGFF 0.4 and 0.5), also while they grow."""
