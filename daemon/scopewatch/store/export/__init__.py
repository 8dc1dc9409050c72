"""Results for other programs: tables and OME-Zarr."""
