"""Work on several processes or machines through dask.distributed, for archives and training."""
