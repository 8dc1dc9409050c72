"""What the simulator writes to disk, in every format, and which calls it refuses."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import ConfigError
from scopewatch_simulator.plan import SIMULATOR_VERSION, acquired_at
from scopewatch_simulator.simulate import simulate
from scopewatch_simulator.simulation import Simulation
from scopewatch_simulator.writers import FileFormat

SIZE_PX = 96


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(out: Path, **changes: Any) -> Any:
    call: dict[str, Any] = {
        "runs": 2,
        "wells": 2,
        "seed": 1,
        "size_px": SIZE_PX,
        "time_points": [4, 20],
    }
    return simulate(out, **(call | changes))


def test_a_folder_holds_frames_tables_and_the_notice(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    summary = write(
        tmp_path / "sim", sites=2, progress=lambda done, total: seen.append((done, total))
    )
    out = tmp_path / "sim"
    assert (summary.frames, summary.fluorescence_frames) == (16, 8)
    assert summary.simulator_version == SIMULATOR_VERSION
    assert seen[-1] == (16, 16)
    assert "simulated" in (out / "SIMULATED.txt").read_text()
    timelapse, manifest, truth = (
        rows(out / f"{name}.csv") for name in ("timelapse", "manifest", "truth")
    )
    assert (len(timelapse), len(manifest), len(truth)) == (16, 8, 16)
    assert manifest[0] == {
        "run": "run1",
        "plate": "P1",
        "well": "A1",
        "site": "0",
        "time_point": "20",
        "phase": "run1/P1_A1_s0_t0020_phase.tif",
        "fluorescence": "run1/P1_A1_s0_t0020_gfp.tif",
        "um_per_px": "1.0",
    }
    assert all(
        (out / row[kind]).is_file() for row in manifest for kind in ("phase", "fluorescence")
    )
    assert all((out / row["phase"]).is_file() for row in timelapse)
    assert truth[0]["day"] == "2"
    assert (
        truth[1]["true_efficiency"] == truth[1]["final_efficiency"] == truth[0]["final_efficiency"]
    )


def test_tables_hold_the_truth_of_the_frames_on_disk(tmp_path: Path) -> None:
    write(tmp_path / "sim")
    simulation = Simulation(seed=1, size_px=SIZE_PX)
    for row in rows(tmp_path / "sim" / "truth.csv"):
        where = int(row["run"][3:]) - 1, ["A1", "A2"].index(row["well"]), 0
        truth = simulation.truth(*where, int(row["time_point"]))
        assert float(row["true_efficiency"]) == pytest.approx(truth.efficiency, abs=1e-5)
        path = tmp_path / "sim" / row["run"] / f"P1_{row['well']}_s0_t{int(row['time_point']):04d}"
        frame = simulation.frame(*where, int(row["time_point"]))
        assert np.array_equal(tifffile.imread(f"{path}_phase.tif"), frame)


def test_tiff_carries_pixel_size_and_time(tmp_path: Path) -> None:
    write(tmp_path / "sim", runs=1, wells=1)
    with tifffile.TiffFile(tmp_path / "sim/run1/P1_A1_s0_t0020_phase.tif") as tif:
        page = tif.pages.first
        assert page.tags["XResolution"].value == (10_000, 1)
        assert page.tags["ResolutionUnit"].value == 3
        assert page.tags["DateTime"].value == acquired_at(0, 20).strftime("%Y:%m:%d %H:%M:%S")


def test_ome_tiff_carries_pixel_size_channel_and_time(tmp_path: Path) -> None:
    write(tmp_path / "sim", runs=1, wells=1, file_format=FileFormat.OME_TIFF)
    with tifffile.TiffFile(tmp_path / "sim/run1/P1_A1_s0_t0004_phase.ome.tif") as tif:
        assert tif.is_ome
        text = tif.ome_metadata
    assert text is not None
    for part in (
        'PhysicalSizeX="1.0"',
        'Name="phase"',
        "<AcquisitionDate>2026-01-07T09:00:00Z</AcquisitionDate>",
        'DeltaT="172800.0"',
        'DeltaTUnit="s"',
    ):
        assert part in text


def test_ndtiff_is_one_data_set_a_run_with_axes_and_times(tmp_path: Path) -> None:
    ndstorage = pytest.importorskip("ndstorage")
    summary = write(tmp_path / "sim", runs=1, file_format=FileFormat.NDTIFF)
    assert summary.frames == 4
    dataset = ndstorage.NDTiffDataset(str(tmp_path / "sim" / "run1"))
    try:
        axes = {"position": "A2-Site_0", "time": 20}
        pixels = dataset.read_image(channel="phase", **axes)
        metadata = dataset.read_metadata(channel="gfp", **axes)
    finally:
        dataset.close()
    assert np.array_equal(pixels, Simulation(seed=1, size_px=SIZE_PX).frame(0, 1, 0, 20))
    assert metadata["ElapsedTime-ms"] == 10 * 86_400_000
    assert metadata["PixelSizeUm"] == 1.0
    assert metadata["ReceivedTime"] == "2026-01-15 09:00:00.000 +0000"
    assert not (tmp_path / "sim" / "manifest.csv").exists()
    assert len(rows(tmp_path / "sim" / "truth.csv")) == 4


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (1, 2):
        write(tmp_path / str(workers), runs=1, time_points=[20], workers=workers)
    files = sorted(path.relative_to(tmp_path / "1") for path in (tmp_path / "1").rglob("*.*"))
    assert len(files) == 8
    for file in files:
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes()


def test_a_run_without_its_final_day_has_no_fluorescence(tmp_path: Path) -> None:
    summary = write(tmp_path / "sim", time_points=[3])
    assert summary.fluorescence_frames == 0
    assert rows(tmp_path / "sim" / "manifest.csv") == []
    assert 0 < summary.mean_final_efficiency < 1


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.tif").write_bytes(b"")
    with pytest.raises(ConfigError) as refused:
        write(tmp_path)
    assert str(refused.value) == (
        f"output folder is not empty: {tmp_path}; give a folder that does not exist yet"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["mine.tif"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"runs": 0}, "impossible number of runs: runs (expected 1 to 1000, got 0)"),
        ({"wells": 97}, "impossible number of wells: wells (expected 1 to 96, got 97)"),
        ({"sites": 0}, "impossible number of sites"),
        ({"workers": 0}, "impossible number of workers"),
        ({"time_points": [21]}, "impossible time points"),
        ({"time_points": []}, "got none"),
        ({"size_px": 16}, "simulated frames cannot have this size"),
        ({"seed": -2}, "seed is negative"),
    ],
)
def test_impossible_calls_are_refused_and_write_nothing(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        write(tmp_path / "sim", **changes)
    assert says in str(refused.value)
    assert not (tmp_path / "sim").exists()


def test_time_points_are_half_days_from_a_fixed_start() -> None:
    assert acquired_at(0, 0) == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert (acquired_at(0, 20) - acquired_at(0, 0)).days == 10
    assert (acquired_at(1, 0) - acquired_at(0, 0)).days == 14
