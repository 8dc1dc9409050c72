"""A cluster of real processes on this machine, shared by the tests of a file."""

from collections.abc import Iterator

import dask
import pytest
from distributed import Client  # its defaults are set when it is imported

from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.connect import open_cluster


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Return a client of two processes; what kills one twice is given up."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        open_cluster(ClusterAddress(workers=2)) as client,
    ):
        yield client
