"""Settings that conflict fail the check: the port, sources that overlap, well groups."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.app.checking.files import check_all_files
from scopewatch.app.checking.settings import check_overlaps, check_port
from scopewatch.config import Config
from scopewatch.runtime.process.lock import InstanceLock


def configured(folder: Path, **sections: Any) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "HES7"},
            "model": {"bundle": "model"},
            "sources": [{"kind": "folder", "path": folder / "in"}],
            "state": {"folder": folder / "state"},
        }
        | sections
    )


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_fails(tmp_path: Path, taken: int) -> None:
    (finding,) = check_port(configured(tmp_path, web={"port": taken}))
    assert finding.failed
    assert finding.text.startswith(f"the dashboard cannot listen: 127.0.0.1:{taken} (got ")
    assert finding.text.endswith("stop the program that has the port, or set another web.port")


def test_the_port_of_the_daemon_itself_is_no_failure(tmp_path: Path, taken: int) -> None:
    (tmp_path / "state").mkdir()
    lock = InstanceLock(tmp_path / "state")
    try:
        (finding,) = check_port(configured(tmp_path, web={"port": taken}))
    finally:
        lock.release()
    assert not finding.failed
    assert "runs already" in finding.text


def test_no_port_is_needed_without_a_dashboard(tmp_path: Path, taken: int) -> None:
    assert list(check_port(configured(tmp_path, web={"enabled": False, "port": taken}))) == []


@pytest.mark.parametrize(
    ("paths", "recursive", "expected"),
    [
        (("a", "a"), True, ["two sources watch the same folder"]),
        (("a", "a/b"), True, ["a source lies within another's"]),
        (("a/b", "a"), True, ["a source lies within another's"]),
        (("a", "a/b"), False, []),
        (("a", "ab"), True, []),
        (("a", "b"), True, []),
    ],
)
def test_sources_that_watch_the_same_files_fail(
    tmp_path: Path, paths: tuple[str, str], recursive: bool, expected: list[str]
) -> None:
    sources = [
        {"kind": "folder", "name": f"s{number}", "path": tmp_path / path, "recursive": recursive}
        for number, path in enumerate(paths)
    ]
    findings = list(check_overlaps(configured(tmp_path, sources=sources)))
    assert [finding.text.partition(":")[0] for finding in findings] == expected
    assert all(finding.failed for finding in findings)


def test_a_group_that_means_no_well_of_the_files_is_noted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for well in ("A1", "B3"):
        tifffile.imwrite(
            tmp_path / f"in/P1_{well}_s0_t0000_phase.tif", np.full((24, 32), 7, np.uint16)
        )
    groups = {"control": ["A1:A6"], "drug": ["D1", "B*"]}
    config = configured(tmp_path, experiment={"name": "HES7", "well_groups": groups})
    notes = [each.text for each in check_all_files(config, None) if each.subject == "well groups"]
    assert notes == ["group 'drug': no well of the files is meant by D1; there are A1, B3"]
