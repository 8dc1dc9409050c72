"""Well, site and plane of an image of a data set, whichever program wrote it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FakeClock
from tests.unit.sources.ndtiff_scene import Make, Scene
from tests.unit.sources.ndtiffs import writing
from tests.unit.sources.scenes import making

LABELS = ("B2-Site_0", "B2-Site_1", "C3-Site_0")


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Iterator[Make]:
    with making(Scene, tmp_path, clock) as build:
        yield build


def keys(scene: Scene) -> list[str]:
    return [key.removeprefix("HES7/plate/") for key in scene.inbox.keys]


READ = ["B2/s0/t0000/phase", "B2/s1/t0000/phase", "C3/s0/t0000/phase"]


def test_the_name_of_a_position_beats_its_number_on_the_axis(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for number, label in enumerate(LABELS):
            writer.add(0, number, tags={"PositionName": label, "PositionIndex": 0})
    assert keys(make().start()) == READ


@pytest.mark.parametrize(
    "summary",
    [
        {"StagePositions": [{"Label": label, "GridRow": 0, "GridCol": 0} for label in LABELS]},
        {"StagePositions": [{"label": label} for label in LABELS]},
        {"InitialPositionList": [{"Label": label, "GridRowIndex": 0} for label in LABELS]},
        {"mda_sequence": {"stage_positions": [{"x": 0, "y": 0, "name": name} for name in LABELS]}},
    ],
)
def test_the_list_of_positions_names_what_the_axes_number(
    tmp_path: Path, make: Make, summary: dict[str, Any]
) -> None:
    with writing(tmp_path, summary=summary) as writer:
        for number in range(len(LABELS)):
            writer.add(0, number, tags={"PositionIndex": 0})
    assert keys(make().start()) == READ


def test_a_label_that_is_a_well_beats_one_on_the_axis_that_is_none(
    tmp_path: Path, make: Make
) -> None:
    with writing(tmp_path) as writer:
        writer.add(0, "Pos4", tags={"PositionName": "B2-Site_1"})
    assert keys(make().start()) == ["B2/s1/t0000/phase"]


def test_a_channel_by_number_is_named_by_the_summary(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path, summary={"ChNames": ["GFP", "Phase"]}) as writer:
        for channel in range(2):
            writer.add(0, 0, channel=channel, tags={"PositionName": "B2-Site_0"})
    assert keys(make().start()) == ["B2/s0/t0000/GFP", "B2/s0/t0000/phase"]


def test_positions_that_nobody_names_are_distinguished_by_their_number(
    tmp_path: Path, make: Make
) -> None:
    with writing(tmp_path) as writer:
        for number in range(3):
            writer.add(0, number, tags={"PositionName": "Default"})
    assert keys(make().start()) == [f"Pos{number}/s0/t0000/phase" for number in range(3)]


def test_wells_may_be_given_for_positions_by_number(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for number in range(2):
            writer.add(0, number)
    scene = make(wells={"Pos0": "A1", "Pos1": "B2"}).start()
    assert keys(scene) == ["A1/s0/t0000/phase", "B2/s0/t0000/phase"]


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (("B03_fov0", "B03_fov2"), ("B3/s0", "B3/s2")),
        (("B2_f3", "B2_f4"), ("B2/s3", "B2/s4")),
        (("A1_p2", "A2_p2"), ("A1/s2", "A2/s2")),
        (("A1_0000", "A1_0001"), ("A1/s0", "A1/s1")),
    ],
)
def test_labels_of_other_writers_are_a_well_and_a_site(
    tmp_path: Path, make: Make, labels: tuple[str, str], read: tuple[str, str]
) -> None:
    with writing(tmp_path) as writer:
        for label in labels:
            writer.add(0, label)
    assert keys(make().start()) == [f"{each}/t0000/phase" for each in read]


def test_a_tag_names_the_well_and_the_position_number_its_site(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for number, well in enumerate(("B3", "B3", "B4")):
            writer.add(0, number, tags={"Well": well})
    assert keys(make().start()) == [
        "B3/s0/t0000/phase",
        "B3/s1/t0000/phase",
        "B4/s2/t0000/phase",
    ]


def test_of_planes_counted_from_below_0_the_one_at_0_is_scored(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for z in range(2, -3, -1):
            writer.add(0, z=z)
    scene = make().start()
    (ticket,) = scene.inbox.tickets
    got = [reason.split("got plane ")[1].split(")")[0] for reason in scene.inbox.reasons]
    assert got == ["2", "1", "-1", "-2"]
    chosen = make(z=-2).start().inbox.tickets
    assert len(chosen) == 1
    assert chosen[0].locator != ticket.locator


def test_time_points_as_text_are_numbers(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        for time in ("0", "1", "010"):
            writer.add(time)
    assert keys(make().start()) == [f"A1/s0/t{time:04d}/phase" for time in (0, 1, 10)]


def test_a_time_that_is_no_number_is_refused_and_not_the_first(tmp_path: Path, make: Make) -> None:
    with writing(tmp_path) as writer:
        writer.add("before")
        writer.add("after")
    scene = make().start()
    assert scene.inbox.tickets == []
    assert len(scene.inbox.reasons) == 2
    assert 'axis of the image holds no number: HES7_1 {"time": "before"' in scene.inbox.reasons[0]


def test_frames_of_a_program_that_writes_no_time_lie_one_interval_apart(
    tmp_path: Path, make: Make
) -> None:
    with writing(tmp_path) as writer:
        for time in range(3):
            writer.add(time, tags={"Time": None, "ElapsedTime-ms": 0})
    scene = make(clock_zone="UTC").start()
    moments = [scene.source.load(ticket).acquired_at for ticket in scene.inbox.tickets]
    assert [moment is None for moment in moments] == [False, True, True]


def test_a_data_set_of_micro_managers_own_acquisition_is_read(tmp_path: Path, make: Make) -> None:
    # All axes are numbers, also those of length 1; the axes are in the index alone, the names in
    # the tags and the summary (NDTiffAdapter and PropertyKey of micro-manager 2.0).
    summary = {
        "ChNames": ["FITC", "Phase"],
        "AxisOrder": ["position", "time", "z", "channel"],
        "IntendedDimensions": {"position": 2, "time": 2, "z": 1, "channel": 2},
        "StagePositions": [{"Label": label, "GridRow": 0, "GridCol": 0} for label in LABELS[1:]],
        "StartTime": "2026-03-01 09:59:58.000 +0100",
    }
    with writing(tmp_path, summary=summary) as writer:
        for time in range(2):
            for number, label in enumerate(LABELS[1:]):
                for channel in range(2):
                    tags = {
                        "Axes": None,
                        "Time": None,
                        "PositionName": label,
                        "PixelSizeUm": 1.3,
                        "ElapsedTime-ms": 2000.0 + time,
                        "ReceivedTime": f"2026-03-01 10:0{time}:00.250 +0100",
                    }
                    writer.add(time, number, channel=channel, z=0, tags=tags)
    scene = make().start()
    assert keys(scene) == [
        f"{place}/t000{time}/{channel}"
        for time in range(2)
        for place in ("B2/s1", "C3/s0")
        for channel in ("FITC", "phase")
    ]
    last = scene.source.load(scene.inbox.tickets[-1])
    assert last.acquired_at == datetime(2026, 3, 1, 9, 1, 0, 250_000, tzinfo=UTC)
    assert last.pixel_size_um == 1.3


def test_without_axes_in_the_tags_an_elapsed_time_of_0_gives_no_moment(
    tmp_path: Path, make: Make
) -> None:
    with writing(tmp_path) as writer:
        for time in range(2):
            writer.add(time, 0, tags={"Axes": None, "Time": None, "ElapsedTime-ms": 0})
    scene = make().start()
    assert [scene.source.load(each).acquired_at is None for each in scene.inbox.tickets] == [
        False,
        True,
    ]
