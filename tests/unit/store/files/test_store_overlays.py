from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.overlay import stain_plane
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.store.files.overlays import OverlayFolder
from tests.unit.store.scene import frame_of, judged, key

GRID = TileGrid(height=400, width=420, tile_px=32)


def folder_at(path: Path, *, simulated: bool = False, stain_tiff: bool = True) -> OverlayFolder:
    return OverlayFolder(
        path,
        options=OverlayConfig(stain_tiff=stain_tiff),
        policy=policy_of(RunConfig(name="run 7", simulated=simulated)),
        threshold=0.5,
        marker="NKX2.5-GFP",
    )


def test_the_picture_lies_under_its_run_and_well(tmp_path: Path) -> None:
    frame = key("B2", time_point=7, site=1)
    files = folder_at(tmp_path).write(frame_of(frame), judged(frame, 0.4, grid=GRID), 3.5)
    assert files.overlay == "run 7/B2/p1_t0007_s1.jpg"
    assert files.stain == "run 7/B2/p1_t0007_s1_stain.ome.tif"
    with Image.open(tmp_path / files.overlay) as picture:
        assert picture.mode == "RGB"
        assert picture.size[0] == 420
        assert picture.size[1] > 400
        colours = np.asarray(picture).astype(int)
    # The last tiles have the highest probability: they are green in the grey frame.
    greenness = colours[:384, :416, 1] - colours[:384, :416, 0]
    assert greenness[352:384].mean() > 40
    assert abs(greenness[:32].mean()) < 10


def test_the_stain_holds_every_probability_and_the_size_of_a_pixel(tmp_path: Path) -> None:
    frame = key()
    result = judged(frame, 0.4, grid=GRID)
    when = datetime(2026, 3, 4, 5, tzinfo=UTC)
    files = folder_at(tmp_path).write(frame_of(frame, acquired_at=when), result, 3.5)
    assert files.stain is not None
    with tifffile.TiffFile(tmp_path / files.stain) as tiff:
        described = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]
        plane = tiff.asarray()
    assert result.scores is not None
    np.testing.assert_array_equal(plane, stain_plane(result.scores))
    assert described["Pixels"]["PhysicalSizeX"] == described["Pixels"]["PhysicalSizeY"] == 1.3
    assert described["Pixels"]["PhysicalSizeXUnit"] == "µm"
    assert described["Name"] == "run 7/p1/A1/s0/t0000/phase"
    assert described["AcquisitionDate"] == "2026-03-04T05:00:00+00:00"
    assert described["Description"].startswith("probability of NKX2.5-GFP: (value - 1) / 254")


def test_a_simulated_stain_says_so(tmp_path: Path) -> None:
    files = folder_at(tmp_path, simulated=True).write(
        frame_of(key()), judged(key(), 0.4, grid=GRID), 0
    )
    with tifffile.TiffFile(tmp_path / str(files.stain)) as tiff:
        assert "SIMULATED run 7" in str(tiff.ome_metadata)


def test_the_stain_may_be_left_out(tmp_path: Path) -> None:
    files = folder_at(tmp_path, stain_tiff=False).write(
        frame_of(key()), judged(key(), 0.4, grid=GRID), 0
    )
    assert files.stain is None
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".jpg"]


def test_hostile_names_stay_within_the_folder(tmp_path: Path) -> None:
    hostile = FrameKey(
        run="../../up",
        plate="a/b",
        well="..",
        site=0,
        time_point=12345,
        channel="x\n",
    )
    inside = tmp_path / "overlays"
    files = folder_at(inside).write(frame_of(hostile), judged(hostile, 0.4, grid=GRID), 0)
    assert (inside / files.overlay).resolve().is_relative_to(inside.resolve())
    assert [path.name for path in tmp_path.iterdir()] == ["overlays"]
    assert "\n" not in files.overlay


def test_each_frame_has_pictures_of_its_own(tmp_path: Path) -> None:
    overlays = folder_at(tmp_path)
    frames = [
        key(),
        key("A2"),
        key(time_point=1),
        key(site=1),
        key(channel="phase 2"),
    ]
    written = [
        overlays.write(frame_of(frame), judged(frame, 0.4, grid=GRID), 0) for frame in frames
    ]
    assert len({files.overlay for files in written}) == len(frames)
    assert len({files.stain for files in written}) == len(frames)


def test_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    overlays = folder_at(tmp_path)
    files = overlays.write(frame_of(key()), judged(key(), 0.4, grid=GRID), 0)
    (tmp_path / files.overlay).with_name(".x.jpg.part").write_bytes(b"half")
    assert overlays.sweep() == 1
    assert (tmp_path / files.overlay).is_file()


def test_pictures_of_a_frame_go_unless_a_result_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "overlays"
    named: set[str] = set()
    overlays = OverlayFolder(
        folder,
        options=OverlayConfig(),
        policy=policy_of(RunConfig(name="run 7")),
        threshold=0.5,
        named=lambda _: named,
    )
    files, other = (
        overlays.write(frame_of(frame), judged(frame, 0.4, grid=GRID), 0)
        for frame in (key(), key(time_point=1))
    )
    assert files.stain is not None
    named |= {files.overlay, files.stain}
    assert overlays.discard(key()) == 0
    named -= {files.stain}
    assert overlays.discard(key()) == 1
    assert (folder / files.overlay).is_file()
    named -= {files.overlay}
    raw = tmp_path / "raw.tif"
    raw.write_bytes(b"raw data")
    (folder / files.stain).symlink_to(raw)
    assert overlays.discard(key()) == 2
    assert raw.read_bytes() == b"raw data"
    assert sorted(path.name for path in folder.rglob("*.*")) == [
        Path(str(name)).name for name in (other.overlay, other.stain)
    ]
    assert overlays.discard(key()) == 0


def test_nobody_is_asked_of_pictures_that_a_result_is_known_to_name(tmp_path: Path) -> None:
    asked: list[str] = []

    def nothing_with(overlay: str) -> set[str]:
        asked.append(overlay)
        return set()

    overlays = OverlayFolder(
        tmp_path,
        options=OverlayConfig(),
        policy=policy_of(RunConfig(name="run 7")),
        threshold=0.5,
        named=nothing_with,
    )
    files = overlays.write(frame_of(key()), judged(key(), 0.4, grid=GRID), 0)
    assert overlays.discard(key(), files) == 0
    assert asked == []
    # Drawn once with its stain, then again without it: only what is not named is asked of.
    assert overlays.discard(key(), replace(files, stain=None)) == 1
    assert asked == [files.overlay]
    assert [path.suffix for path in tmp_path.rglob("*.*")] == [".jpg"]


def test_without_a_database_no_picture_is_discarded(tmp_path: Path) -> None:
    overlays = folder_at(tmp_path)
    overlays.write(frame_of(key()), judged(key(), 0.4, grid=GRID), 0)
    assert overlays.discard(key()) == 0
    assert len(list(tmp_path.rglob("*.*"))) == 2


def test_a_frame_that_was_not_judged_has_no_picture(tmp_path: Path) -> None:
    result = FrameResult(
        key=key(),
        model_id="0123456789ab",
        verdict=Verdict(fault=Fault.BLANK, reason="it is blank", measures={}),
        scores=None,
        positive_fraction=None,
        efficiency=None,
        view=None,
        timings=Timings(normalise_ms=1, score_ms=0, total_ms=1),
    )
    with pytest.raises(ValueError, match="was not judged: there is nothing to draw"):
        folder_at(tmp_path).write(frame_of(key()), result, 0)
