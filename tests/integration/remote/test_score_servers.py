"""Raw data on a server of OpenSSH and one of Samba are read as those on a disk."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.soak.transfer_servers import free_port, running
from scopewatch.cli.main import run
from scopewatch.sources.remote.mirror import mirror_of
from scopewatch.sources.remote.urls import RemoteFolder
from tests.integration.conftest import Save
from tests.integration.remote.conftest import same_place, score, write_series
from tests.servers import find_library, openssh, served_folder

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Served:
    """A folder, and the URL under which a server has it."""

    folder: Path
    url: str


@pytest.fixture(params=["sftp", "smb", "http"])
def served(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    folder = tmp_path / "raw"
    folder.mkdir()
    if request.param == "http":
        port = free_port()
        command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
        with running([*command, "--directory", str(tmp_path)], port):
            yield Served(folder, f"http://127.0.0.1:{port}/raw")
        return
    with served_folder(request.param, folder, tmp_path / "server", monkeypatch) as url:
        yield Served(folder, url)


def fill(folder: Path, pixels: NDArray[np.uint16], save: Save) -> None:
    """Frames named by their files, and a series that a file beside it names."""
    for number, well in enumerate(("A1", "A2", "A10")):
        save(folder / f"P1_{well}_s0_t0003_phase.tif", np.roll(pixels, 9 * number))
    (folder / "P1_B1_s0_t0003_phase.tif").write_text("text", encoding="utf-8")
    write_series(folder / "day 2" / "series", pixels)


def test_frames_and_files_beside_them_are_read_as_on_a_disk(
    served: Served,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(served.folder, phase[:256, :256], save)
    here = score(served.folder, bundle, capsys)
    there = score(served.url, bundle, capsys)
    names = {"raw": served.url.rpartition("/")[2]}
    assert same_place(there, served.url) == same_place(here, served.folder).replace(
        '"raw', f'"{names["raw"]}'
    )
    assert [line["verdict"] for line in there].count("judged") == 4
    assert "D4" in {line["well"] for line in there}, "as metadata.txt beside it states"


def test_a_copy_has_the_time_of_the_file(
    served: Served, phase: NDArray[np.uint16], save: Save
) -> None:
    name = "P1_A1_s0_t0003_phase.tif"
    save(served.folder / name, phase[:64, :64])
    os.utime(served.folder / name, (1e9, 1e9))
    mirror = mirror_of(RemoteFolder(url=served.url, cache_bytes=10**7))
    with mirror.file(name):
        assert int((mirror.root / name).stat().st_mtime) == 10**9
    mirror.close()


def test_an_archive_on_a_server_is_scored_once_also_by_workers(
    served: Served,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(served.folder, phase[:256, :256], save)
    call = ["rescore", served.url, "-m", str(bundle), "-a", str(tmp_path / "archive")]
    found = []
    for more in (["--dask", "local:2"], []):
        assert run([*call, *more, "--pattern", "scopewatch"]) == 0
        found.append(capsys.readouterr().out.splitlines()[0].partition(": ")[2])
    assert found == [
        "4 of 5 frames judged, 4 scored now",
        "4 of 5 frames judged, 0 scored now",
    ]


@pytest.mark.parametrize("served", ["sftp", "smb"], indirect=True)
def test_a_connection_that_breaks_is_opened_again(
    served: Served, phase: NDArray[np.uint16], save: Save
) -> None:
    fill(served.folder, phase[:64, :64], save)
    mirror = mirror_of(RemoteFolder(url=served.url, cache_bytes=10**7))
    entries = {each.name: each for each in mirror.entries("")}
    files = mirror._files._server._files()
    if hasattr(files, "client"):
        files.client.get_transport().close()
    else:
        smbclient = pytest.importorskip("smbclient")
        smbclient.delete_session("127.0.0.1", port=files._port)
    assert {each.name for each in mirror.entries("")} == set(entries)
    name = "P1_A1_s0_t0003_phase.tif"
    with mirror.file(name, entries[name]):
        assert (mirror.root / name).read_bytes() == (served.folder / name).read_bytes()
    mirror.close()


@pytest.mark.parametrize("served", ["sftp", "smb"], indirect=True)
def test_others_may_write_while_a_file_is_read(
    served: Served, phase: NDArray[np.uint16], save: Save
) -> None:
    fill(served.folder, phase[:64, :64], save)
    mirror = mirror_of(RemoteFolder(url=served.url, cache_bytes=10**7))
    files = mirror._files._server._files()
    path = f"{mirror._files._server.path_of('')}/P1_A1_s0_t0003_phase.tif"
    with files.open(path, "rb") as reading, files.open(path, "r+b") as writing:
        assert reading.read(4) == b"II*\0"
        assert writing.writable()
    mirror.close()


def test_a_server_whose_key_is_not_known_is_refused(
    tmp_path: Path,
    bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    find_library("paramiko")
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    with openssh(tmp_path / "server", home) as port:
        (home / ".ssh/known_hosts").unlink()
        assert run(["score", f"sftp://127.0.0.1:{port}/raw", "-m", str(bundle)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the key of the server is not in known_hosts" in line
