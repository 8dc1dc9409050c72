from datetime import UTC, datetime, timedelta
from pathlib import Path

import nd2
import numpy as np
import pytest

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.image_file import list_planes, read_plane
from tests.unit.sources.readers.vendors.nd2s import Acquisition, pixels_of, write_nd2

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_frames_are_read_as_their_own_library_reads_them(tmp_path: Path) -> None:
    plan = Acquisition(times=2, positions=("A1", "B2_0001"), planes=2, channels=("Phase", "GFP"))
    path = write_nd2(tmp_path / "a.nd2", plan)
    contents = list_planes(path)
    assert contents.unfinished is None
    assert len(contents.planes) == 16
    with nd2.ND2File(path) as file:
        assert dict(file.sizes) == {"T": 2, "P": 2, "Z": 2, "C": 2, "Y": 24, "X": 32}
        whole = file.asarray()
    for plane in contents.planes:
        frame, channel = divmod(plane.page, 2)
        time, place, z = frame // 4, frame // 2 % 2, frame % 2
        facts = plane.facts
        assert facts.acquired_at is not None
        moment = BEGAN + timedelta(hours=12 * time, seconds=frame % 4)
        assert abs(facts.acquired_at - moment) < timedelta(milliseconds=1)
        assert facts == PlaneFacts(
            time_point=time,
            channel=("Phase", "GFP")[channel],
            z=z,
            position=("A1", "B2_0001")[place],
            pixel_size_um=0.65,
            acquired_at=facts.acquired_at,
        )
        pixels = read_plane(path, plane.page).pixels
        assert np.array_equal(pixels, whole[time, place, z, channel])
        assert np.array_equal(pixels, pixels_of(frame, channel))


def test_positions_without_a_name_are_distinguished_by_their_number(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(positions=("", "")))
    assert [plane.facts.position for plane in list_planes(path).planes] == [0, 1]
    alone = write_nd2(tmp_path / "b.nd2", Acquisition(positions=("",)))
    assert [plane.facts.position for plane in list_planes(alone).planes] == [None]


def test_channels_of_one_name_are_called_by_their_number(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(channels=("Mono", "Mono")))
    assert [plane.facts.channel for plane in list_planes(path).planes] == ["channel0", "channel1"]


def test_an_uncalibrated_microscope_gives_no_scale(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(calibrated=False))
    assert list_planes(path).planes[0].facts.pixel_size_um is None


def test_without_a_clock_there_is_the_time_since_the_start(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(times=2, started=-1.0))
    facts = [plane.facts for plane in list_planes(path).planes]
    assert [each.elapsed_s for each in facts] == [0.0, 43_200.0]
    assert [each.acquired_at for each in facts] == [None, None]


def test_frames_that_were_planned_and_never_acquired_are_no_planes(tmp_path: Path) -> None:
    plan = Acquisition(times=5, positions=("A1", "A2"), acquired=7)
    planes = list_planes(write_nd2(tmp_path / "a.nd2", plan)).planes
    assert [(plane.facts.time_point, plane.facts.position) for plane in planes] == [
        (time, place) for time in range(4) for place in ("A1", "A2")
    ][:7]


def test_a_copy_has_the_same_fingerprints_and_another_acquisition_has_not(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition())
    copy = tmp_path / "b.nd2"
    copy.write_bytes(path.read_bytes())
    later = write_nd2(tmp_path / "c.nd2", Acquisition(started=2461101.0))
    marks = [list_planes(each).planes[0].fingerprint for each in (path, copy, later)]
    assert marks[0] == marks[1] != marks[2]


def test_a_file_that_is_not_closed_holds_no_frame_yet(tmp_path: Path) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(times=2), closed=False)
    contents = list_planes(path)
    assert (contents.planes, contents.unfinished) == ((), "its program has not closed it")


@pytest.mark.parametrize(
    ("head", "got"),
    [(b"\x00\x00\x00\x0cjP  ", "compressed by JPEG 2000"), (b"nonsense", "no ND2 header")],
)
def test_what_is_no_nd2_of_today_is_refused(tmp_path: Path, head: bytes, got: str) -> None:
    path = tmp_path / "a.nd2"
    path.write_bytes(head + bytes(200))
    with pytest.raises(FrameError, match=got):
        list_planes(path)


@pytest.mark.parametrize("at", [4200, 8300, 12400, -300])
def test_damage_is_a_complaint(tmp_path: Path, at: int) -> None:
    path = write_nd2(tmp_path / "a.nd2", Acquisition(times=2))
    data = bytearray(path.read_bytes())
    data[at : at + 200] = b"\xff" * 200
    path.write_bytes(data)
    try:
        planes = list_planes(path).planes
    except FrameError as error:
        assert "image cannot be decoded" in str(error)  # noqa: PT017
        return
    assert len(planes) == 2, "the damage lies in the pixels"
