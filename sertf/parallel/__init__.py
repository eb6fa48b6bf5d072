"""Independent calls over worker processes, or over a running Dask or Ray cluster."""
