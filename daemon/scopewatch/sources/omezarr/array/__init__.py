"""One Zarr array on disk: its layout, its chunk files, and the planes in them."""
