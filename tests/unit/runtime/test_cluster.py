from typing import Any

import pytest

from scopewatch.core.errors import ClusterError, ConfigError
from scopewatch.runtime.cluster.address import ClusterAddress, read_address
from scopewatch.runtime.cluster.requirements import check_versions


def test_local_takes_a_process_for_each_so_many_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert read_address("local") == ClusterAddress(workers=6)
    assert read_address("local", threads=4) == ClusterAddress(workers=1)
    assert read_address("local:12", threads=4) == ClusterAddress(workers=12)


@pytest.mark.parametrize(
    "text", ["tcp://node7:8786", "tls://10.1.2.3:8786", "tcp://[fe80::1]:8786"]
)
def test_addresses_of_schedulers(text: str) -> None:
    assert read_address(text) == ClusterAddress(scheduler=text)


@pytest.mark.parametrize(
    "text", ["", "remote", "local:0", "node7:8786", "http://node7:8786", "tcp://u:pw@node7:8786"]
)
def test_anything_else_is_refused_with_what_is_meant(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected local, local:N .* or tcp://HOST:PORT"):
        read_address(text)


def installed(**changes: str | None) -> dict[str, Any]:
    known = {"python": "3.11.4.final.0", "distributed": "2026.8.0", "numpy": "2.4.6"}
    return {"packages": known | {"scopewatch": "0.9"} | changes}


def found(
    worker: dict[str, Any], scheduler: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    return {
        "client": installed(),
        "scheduler": scheduler or installed(numpy=None, scopewatch=None),
        "workers": {"tcp://10.0.0.8:4001": worker},
    }


def test_what_is_the_same_is_accepted_whatever_the_scheduler_has_besides() -> None:
    check_versions(found(installed(python="3.11.9.final.0")), "tcp://s:1")


@pytest.mark.parametrize(
    ("worker", "line"),
    [
        (installed(scopewatch=None), "scopewatch: tcp://s:1 (expected 0.9, got none)"),
        (installed(numpy="2.3.0"), "numpy: tcp://s:1 (expected 2.4.6, got 2.3.0)"),
        (installed(python="3.12.1.final.0"), "python: tcp://s:1 (expected 3.11, got 3.12)"),
    ],
)
def test_a_worker_with_another_version_is_named(worker: dict[str, Any], line: str) -> None:
    with pytest.raises(ClusterError) as caught:
        check_versions(found(worker), "tcp://s:1")
    assert str(caught.value) == (
        f"worker tcp://10.0.0.8:4001 of the cluster has another version of {line};"
        " install scopewatch with the same constraints.txt on every machine"
    )


def test_a_scheduler_with_another_version_of_dask_is_named() -> None:
    with pytest.raises(ClusterError, match="scheduler of the cluster has another version of dist"):
        check_versions(found(installed(), installed(distributed="2026.7.0")), "tcp://s:1")
