"""Raw data in a bucket are read as those on a disk: names, metadata, files beside images."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray

from scopewatch.app.oneshot.build import OneShotSettings, open_oneshot
from scopewatch.cli.main import run
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.sources.remote.mirror import mirror_of
from scopewatch.sources.remote.urls import RemoteFolder
from tests.integration.conftest import Save
from tests.integration.remote.conftest import same_place, score, write_series

WRITE_NDTIFF = """
import sys
import numpy as np
from ndstorage.ndtiff_dataset import NDTiffDataset
written = NDTiffDataset(sys.argv[1], name="run 7", writable=True)
written.initialize({"PixelSizeUm": 1.0})
for time_point in range(2):
    axes = {"time": time_point, "channel": "phase"}
    written.put_image(axes, np.ascontiguousarray(np.load(sys.argv[2])), {"PixelSizeUm": 1.0})
written.finish()
"""

Upload = Callable[[Path], str]


def test_files_stacks_and_side_files_are_read_as_on_a_disk(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "plate"
    (raw / "day 2").mkdir(parents=True)
    pixels = phase[:256, :256]
    for well in ("A1", "A2", "A10"):
        save(raw / f"P1_{well}_s0_t0003_phase.tif", pixels)
    save(raw / "day 2" / "P1_A1_s0_t0003_phase.tif", np.flipud(pixels))
    save(raw / "P1_A1_s0_t0003_gfp.tif", pixels)
    (raw / "P1_B1_s0_t0003_phase.tif").write_text("text", encoding="utf-8")
    tifffile.imwrite(
        raw / "C1.ome.tif",
        np.stack([pixels, np.fliplr(pixels)]),
        ome=True,
        metadata={"axes": "TYX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0},
    )
    write_series(raw / "series", pixels)
    here = score(raw, bundle, capsys)
    url = upload(raw)
    there = score(url, bundle, capsys)
    assert same_place(there, url) == same_place(here, raw)
    verdicts = [line["verdict"] for line in there]
    assert verdicts.count("judged") == 7
    assert {"unreadable", "not-scored"} < set(verdicts)
    assert "plate series" in {line["experiment"] for line in there}
    assert "D4" in {line["well"] for line in there}, "as metadata.txt beside it states"
    (broken,) = (line for line in there if line["verdict"] == "unreadable")
    assert f"{url}/P1_B1_s0_t0003_phase.tif" in broken["reason"], "not its copy"
    (single,) = score(f"{url}/P1_A2_s0_t0003_phase.tif", bundle, capsys)
    assert (single["path"], single["well"]) == (f"{url}/P1_A2_s0_t0003_phase.tif", "A2")


def test_a_data_set_of_ndtiff_is_fetched_whole(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "acquired"
    raw.mkdir()
    np.save(tmp_path / "pixels.npy", phase[:256, :256])
    # In a process of its own: ndstorage leaves files open.
    subprocess.run([sys.executable, "-c", WRITE_NDTIFF, raw, tmp_path / "pixels.npy"], check=True)
    here = score(raw, bundle, capsys, "--channel", "phase")
    url = upload(raw)
    there = score(url, bundle, capsys, "--channel", "phase")
    assert same_place(there, url) == same_place(here, raw)
    assert [line["time_point"] for line in there] == [0, 1]

    small = score(url, bundle, capsys, "--channel", "phase", "--cache-gb", "0.01")
    assert same_place(small, url) == same_place(here, raw)


def test_the_processes_of_a_cluster_fetch_for_themselves(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "plate"
    raw.mkdir()
    for number in range(6):
        save(raw / f"P1_A{number + 1}_s0_t0003_phase.tif", np.roll(phase, 9 * number)[:256, :256])
    url = upload(raw)
    # Less than all files: some are dropped for others.
    alone = score(url, bundle, capsys, "--cache-gb", "0.0003")
    shared = score(url, bundle, capsys, "--dask", "local:2")
    assert same_place(shared, url) == same_place(alone, url)
    assert [line["verdict"] for line in shared] == ["judged"] * 6


def test_an_archive_in_a_bucket_is_scored_once(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "plate"
    raw.mkdir()
    for well in ("A1", "A2"):
        save(raw / f"P1_{well}_s0_t0003_phase.tif", phase[:256, :256])
    call = ["rescore", upload(raw), "-m", str(bundle), "-a", str(tmp_path / "archive")]
    found = []
    for _ in range(2):
        assert run([*call, "--pattern", "scopewatch"]) == 0
        found.append(capsys.readouterr().out.splitlines()[0].partition(": ")[2])
    assert found == [
        "2 of 2 frames judged, 2 scored now",
        "2 of 2 frames judged, 0 scored now",
    ]


def test_frames_in_a_bucket_are_not_fetched_to_be_counted(
    tmp_path: Path, bundle: Path, phase: NDArray[np.uint16], save: Save, upload: Upload
) -> None:
    raw = tmp_path / "plate"
    raw.mkdir()
    save(raw / "P1_A1_s0_t0003_phase.tif", phase[:256, :256])
    remote = RemoteFolder(url=upload(raw), cache_bytes=10**6)
    wanted = OneShotSettings(
        paths=[remote],
        bundle=bundle,
        out=None,
        source=FolderSourceConfig(kind="folder", path=raw, pattern="scopewatch"),
        run=RunConfig(name="score"),
        grid=False,
        threads=1,
        memory_mb=256,
    )
    with open_oneshot(wanted) as oneshot:
        assert not list(oneshot.count())
        assert not list(mirror_of(remote).root.rglob("*"))
        assert len(list(oneshot.run())) == 1


def test_a_bucket_that_is_not_there_is_one_line_without_credentials(
    bundle: Path, upload: Upload, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", "s3://nothing-here/plate", "--model", str(bundle)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("raw data cannot be listed: s3://nothing-here/plate (got ")
    assert "of-the-test" not in line


def test_credentials_in_a_url_are_refused_and_not_repeated(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for url in ("s3://key:secret@raw/plate", "sftp://me:secret@server/raw"):
        assert run(["score", url, "--model", str(bundle)]) == 2
        line = capsys.readouterr().err
        assert "URL holds credentials: " in line
        assert "secret" not in line


def test_a_file_url_is_a_path(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    save: Save,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(tmp_path / "P1_A1_s0_t0003_phase.tif", phase[:256, :256])
    (line,) = score(f"file://{tmp_path}", bundle, capsys)
    assert line["path"] == f"{tmp_path}/P1_A1_s0_t0003_phase.tif"


def test_a_store_of_ome_zarr_in_a_bucket(
    tmp_path: Path,
    bundle: Path,
    phase: NDArray[np.uint16],
    upload: Upload,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "stores"
    store = raw / "run 7.ome.zarr"
    raw.mkdir()
    group = zarr.open_group(store, mode="w", zarr_format=3)
    array = group.create_array("0", shape=(2, 256, 256), chunks=(1, 256, 256), dtype="uint16")
    array[:] = np.stack([phase[:256, :256], phase[256:, 256:]])
    axes = [
        {"name": "t", "type": "time"},
        *({"name": name, "type": "space", "unit": "micrometer"} for name in "yx"),
    ]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    multiscale: Any = {
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": scale}],
    }
    group.attrs["ome"] = {"version": "0.5", "multiscales": [multiscale]}
    here = score(raw, bundle, capsys)
    url = upload(raw)
    there = score(url, bundle, capsys)
    assert same_place(there, url) == same_place(here, raw)
    assert len(there) == 2
    shutil.rmtree(raw)
