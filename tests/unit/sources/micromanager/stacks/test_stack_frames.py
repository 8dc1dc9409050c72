"""Of each complete z-stack its sharpest plane becomes the frame; no plane becomes a refusal."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scopewatch.config import FocusConfig, ZStackConfig
from scopewatch.core.errors import FrameError, SourceError
from scopewatch.core.imaging.sharpest import RULE
from scopewatch.sources.micromanager.events import Axes, Event, never
from tests.conftest import FakeClock
from tests.unit.sources.time_lapse_scene import CHANNELS, Scene, missed

SHARP = np.random.default_rng(7).integers(500, 3000, (64, 96)).astype(np.float64)
STACK = ZStackConfig(range_um=8, step_um=2)


class Specimen:
    """What lies in focus at a height of its own above the plan of each position."""

    def __init__(self) -> None:
        self.away_um = {"A1": 2.0, "A2": -4.0}

    def picture(self, event: Event) -> NDArray[np.uint16]:
        planned_um = {"A1": 20, "A2": 50}[event["axes"]["position"]]
        blur = abs(event["z"] - planned_um - self.away_um[event["axes"]["position"]]) / 4
        return np.asarray(gaussian_filter(SHARP, blur), np.uint16)


def make(path: Path, clock: FakeClock, specimen: Specimen, **changes: Any) -> Scene:
    scene = Scene(path, clock, **{"z_stack": STACK, **changes})
    scene.microscope.picture = specimen.picture
    return scene


def height_um(scene: Scene, index: int) -> str:
    return scene.source.load(scene.inbox.tickets[index]).note


def test_the_sharpest_plane_is_the_frame_and_the_others_are_nothing(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scene = make(tmp_path, clock, Specimen()).start()
    scene.at(0)
    assert scene.inbox.keys == [
        f"HES 7/plate/{well}/s0/t0000/{channel}"
        for well in ("A1", "A2")
        for channel in ("BF", "GFP")
    ]
    assert scene.inbox.refusals == []
    frames = [scene.source.load(each) for each in scene.inbox.tickets]
    assert [each.note for each in frames] == [
        "plane 3 is the sharpest of 5 (100% of the votes), at 22 um",
        "",
        "plane 0 is the sharpest of 5 (100% of the votes), at 46 um",
        "",
    ]
    for frame in (frames[0], frames[2]):
        np.testing.assert_array_equal(frame.pixels, SHARP.astype(np.uint16))
        assert frame.pixel_size_um == 0.65
    chosen = [vars(each)["event"] for each in caplog.records if "sharpest plane" in each.message]
    assert [(each["plane"], each["height_um"], each["planes"]) for each in chosen] == [
        (3, 22, 5),
        (0, 46, 5),
    ]
    assert [max(each["scores"]) == each["scores"][each["plane"]] for each in chosen] == [True] * 2
    assert {each["rule"] for each in chosen} == {RULE}
    for ticket, frame in zip(scene.inbox.tickets, frames, strict=True):
        assert (ticket.acquired_at, ticket.elapsed_s) == (frame.acquired_at, frame.elapsed_s)


def test_a_stack_whose_rest_a_restart_takes_is_one_frame_of_two_data_sets(
    tmp_path: Path, clock: FakeClock
) -> None:
    first = make(tmp_path, clock, Specimen(), channels=CHANNELS[:1]).start()
    take = first.microscope.acquire

    def dies(events: list[Event], saved: Any, hold: Any = never) -> bool:
        if not first.microscope.asked:
            take(events[:2], saved, hold)
        raise SourceError("the daemon is killed")

    first.microscope.acquire = dies  # type: ignore[method-assign, assignment]
    first.source.acquire_due()
    first.microscope.close()
    first.source.scan()
    assert first.inbox.tickets == [], "an incomplete stack is no frame"
    first.source.stop()
    again = make(tmp_path, clock, Specimen(), channels=CHANNELS[:1])
    again.start()
    again.at(0.1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["HES_7_1", "HES_7_2"]
    assert again.inbox.keys == [f"HES 7/plate/{well}/s0/t0000/BF" for well in ("A1", "A2")]
    ticket = again.inbox.tickets[0]
    assert ("HES_7_1/" in ticket.locator, "HES_7_2/" in ticket.locator) == (True, True)
    assert (
        again.source.load(ticket).note
        == "plane 3 is the sharpest of 5 (100% of the votes), at 22 um"
    )
    assert again.inbox.refusals == []
    again.source.stop()
    # What the ledger knows is not offered again, in whichever data set its planes are.
    later = make(tmp_path, clock, Specimen(), channels=CHANNELS[:1])
    later.ledger = again.ledger
    later.start()
    assert later.inbox.tickets == []
    later.source.stop()


def test_a_stack_that_lacks_a_plane_is_a_gap_and_no_frame(tmp_path: Path, clock: FakeClock) -> None:
    scene = make(tmp_path, clock, Specimen(), channels=CHANNELS[:1]).start()
    take = scene.microscope.acquire

    def lacks(events: list[Event], saved: Any, hold: Any = never) -> bool:
        take([each for each in events if each["axes"] != lacking(each)], saved, hold)
        return True

    def lacking(event: Event) -> Axes:
        return {**event["axes"], "time": 0, "position": "A2", "z": 4}

    scene.microscope.acquire = lacks  # type: ignore[method-assign, assignment]
    scene.at(0)
    scene.at(1)
    assert [key for key in scene.inbox.keys if "t0000" in key] == ["HES 7/plate/A1/s0/t0000/BF"]
    (gap,) = missed(scene)
    assert gap.startswith(
        "HES 7/plate/A2/s0/t0000/BF: never acquired: 1 of 5 planes of its z-stack never came"
    )
    assert len(scene.inbox.refusals) == 1


def test_the_focus_follows_a_drift_that_a_stack_alone_would_lose(
    tmp_path: Path, clock: FakeClock
) -> None:
    specimen = Specimen()
    scene = make(
        tmp_path,
        clock,
        specimen,
        channels=CHANNELS[:1],
        time_points=8,
        focus=FocusConfig(method="z-stack"),
    ).start()
    for index in range(8):
        specimen.away_um = {"A1": 2.0 * index, "A2": 2.0 * index}
        scene.at(index)
        sharp = [
            np.array_equal(scene.source.load(each).pixels, SHARP.astype(np.uint16))
            for each in scene.inbox.tickets[2 * index :]
        ]
        assert sharp == [True, True], index
    scene.at(7.1)
    assert scene.source.focus.drift_um == 14
    standing = scene.source.standing()
    assert standing is not None
    assert standing.focus is not None
    assert (standing.focus.method, standing.focus.focused) == ("z-stack", 2)
    # Beside it: the planes around the plan itself.
    planned = [
        Specimen.picture(specimen, {"axes": {"position": "A1"}, "z": z}) for z in (16, 20, 24)
    ]
    assert not any(np.array_equal(each, SHARP.astype(np.uint16)) for each in planned)


def test_a_plane_that_was_replaced_is_left_out_and_the_note_says_so(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = make(tmp_path, clock, Specimen()).start()
    scene.at(0)
    scene.source.stop()
    ticket = scene.inbox.tickets[0]
    tiff = next((tmp_path / "HES_7_1").glob("*.tif"))
    data = tiff.read_bytes()
    fifth = ticket.locator.split(" + ")[4]
    place = [int(each) for each in fifth.rpartition("[")[2].rstrip("]").split(",")]
    text = data[place[4] : place[4] + 20]
    tiff.write_bytes(data[: place[4]] + text[::-1] + data[place[4] + 20 :])
    frame = scene.source.load(ticket)
    assert "1 more cannot be read, at 22 um" in frame.note
    assert frame.stack is not None
    assert (frame.stack.z, sorted(frame.stack.scores)) == (3, [0, 1, 2, 3])


def test_a_locator_that_names_no_stack_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    scene = make(tmp_path, clock, Specimen()).start()
    scene.at(0)
    ticket = replace(scene.inbox.tickets[0], fingerprint="1:2")
    with pytest.raises(FrameError, match="locator names no z-stack"):
        scene.source.load(ticket)
