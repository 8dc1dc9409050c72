"""The acquiring source with a microscope made up: what it asks of it, and what it does when that
fails. The real one is in tests/hardware."""

import contextlib
import logging
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import (
    ChannelConfig,
    ExperimentConfig,
    MicroManagerSourceConfig,
    PositionConfig,
)
from scopewatch.core.errors import SourceError
from scopewatch.sources.acquired import data_set_name, events_of, own_data_set, place_of, survey
from scopewatch.sources.micromanager import MicroManagerSource
from scopewatch.sources.microscope import Axes, Event, PycroManagerMicroscope
from scopewatch.sources.planes import DEFAULT_LIMITS
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.ndtiffs import Writer, write_data_set

EXPERIMENT = ExperimentConfig(name="HES 7", phase_channel="BF")
POSITIONS = (
    PositionConfig(label="A1", x_um=0, y_um=0),
    PositionConfig(label="A2", x_um=9000, y_um=0, z_um=50),
)
CHANNELS = (
    ChannelConfig(group="Channel", preset="BF", exposure_ms=10),
    ChannelConfig(group="Channel", preset="GFP", exposure_ms=500),
)


def settings(path: Path, **changes: Any) -> MicroManagerSourceConfig:
    given: dict[str, Any] = {
        "mode": "acquire",
        "positions": POSITIONS,
        "channels": CHANNELS,
        "interval_s": 3600,
        "time_points": 3,
        "poll_s": 3600,
    }
    return MicroManagerSourceConfig(kind="micromanager", path=path, **{**given, **changes})


class FakeMicroscope:
    """Writes real data sets; fails as often as it is told."""

    def __init__(self, config: MicroManagerSourceConfig, data_set: str) -> None:
        self.config, self.data_set = config, data_set
        self.opened = self.closed = 0
        self.fail_open = self.fail_images = self.fail_first = 0
        self.takes_s = 0.0
        self.clock: FakeClock | None = None
        self.asked: list[list[Event]] = []
        self.writer: Writer | None = None

    def open(self) -> None:
        if self.fail_open:
            self.fail_open -= 1
            raise SourceError("no camera")
        self.opened += 1

    def acquire(self, events: Sequence[Event], saved: Callable[[Axes], None]) -> None:
        self.asked.append(list(events))
        if self.clock is not None:
            self.clock.advance(self.takes_s)
        if self.fail_first:
            self.fail_first -= 1
            raise SourceError("no image came")
        if self.writer is None:
            self.writer = Writer(self.config.path, self.data_set)
        for event in events:
            if self.fail_images and event["axes"]["position"] == "A2":
                self.fail_images -= 1
                raise SourceError("stage out of reach")
            axes = dict(event["axes"])
            self.writer.add(axes.pop("time"), axes.pop("position"), **axes)
            saved(event["axes"])

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1
        if self.writer is not None:
            self.writer.finish()
            self.writer = None


class Scene:
    def __init__(self, path: Path, clock: FakeClock, **changes: Any) -> None:
        self.clock = clock
        self.inbox, self.ledger = FakeInbox(), FakeLedger()
        self.microscopes: list[FakeMicroscope] = []

        def make(config: MicroManagerSourceConfig, data_set: str) -> FakeMicroscope:
            self.microscopes.append(FakeMicroscope(config, data_set))
            return self.microscopes[-1]

        self.source = MicroManagerSource(settings(path, **changes), EXPERIMENT, clock, make)
        (self.microscope,) = self.microscopes
        self.microscope.clock = clock

    def start(self) -> "Scene":
        self.source.start(self.inbox, self.ledger)
        return self

    def at(self, hours: float) -> None:
        self.clock.advance(max(0.0, hours * 3600 - self.clock.seconds))
        self.source.acquire_due()
        self.source.scan()
        self.ledger.settle(*self.inbox.tickets, *self.inbox.refusals)

    @property
    def acquired(self) -> list[int]:
        return [events[0]["axes"]["time"] for events in self.microscope.asked]


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    made = Scene(tmp_path, clock)
    yield made
    made.source.stop()


def test_events_visit_each_position_once_with_all_its_channels(tmp_path: Path) -> None:
    events = events_of(settings(tmp_path), 4)
    assert list(events) == [(4, "A1", "BF"), (4, "A1", "GFP"), (4, "A2", "BF"), (4, "A2", "GFP")]
    assert events[(4, "A2", "GFP")] == {
        "axes": {"time": 4, "position": "A2", "channel": "GFP"},
        "x": 9000,
        "y": 0,
        "z": 50,
        "exposure": 500,
        "config_group": ["Channel", "GFP"],
    }


def test_without_channels_the_microscope_is_left_as_it_is(tmp_path: Path) -> None:
    events = events_of(settings(tmp_path, channels=()), 0)
    assert list(events) == [(0, "A1", None), (0, "A2", None)]
    assert events[(0, "A1", None)] == {"axes": {"time": 0, "position": "A1"}, "x": 0, "y": 0}


@pytest.mark.parametrize("axes", [{}, {"time": "x", "position": "A1"}, {"time": 1, "position": 2}])
def test_images_of_other_plans_have_no_place(axes: Axes) -> None:
    assert place_of(axes) is None


def test_data_sets_are_named_by_the_experiment() -> None:
    assert data_set_name("HES 7 / March") == "HES_7_March"
    assert data_set_name("///") == "experiment"
    assert own_data_set("HES 7", "HES_7_12")
    assert not own_data_set("HES 7", "HES_7")
    assert not own_data_set("HES 7", "HES_71_1")


def test_time_points_are_acquired_on_their_grid_and_offered(scene: Scene) -> None:
    scene.start()
    assert scene.source.plan().next_time_point == 0
    for hours in (0, 0.5, 1, 1.99, 2.1, 3, 4):
        scene.at(hours)
    assert scene.acquired == [0, 1, 2]
    assert len(scene.inbox.tickets) == 12
    assert scene.inbox.keys[0] == "HES 7/plate/A1/s0/t0000/BF"
    assert scene.source.plan().next_time_point == 3
    assert scene.source.load(scene.inbox.tickets[0]).pixels.shape == (24, 32)
    assert scene.source.health().alive


def test_a_missed_time_point_stays_a_gap(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.start()
    scene.at(0)
    scene.at(2.2)
    assert scene.acquired == [0, 2]
    assert "time points were missed" in caplog.text


def test_images_that_failed_are_tried_again_after_reconnecting(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_images = 1
    scene.at(0)
    first, again = scene.microscope.asked
    assert [event["axes"]["position"] for event in first] == ["A1", "A1", "A2", "A2"]
    assert [event["axes"]["position"] for event in again] == ["A2", "A2"]
    assert (scene.microscope.opened, scene.microscope.closed) == (2, 1)
    assert len({str(ticket.key) for ticket in scene.inbox.tickets}) == 4
    assert scene.source.health().alive


def test_a_microscope_that_stays_broken_is_not_alive_and_says_why(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    scene.start()
    scene.microscope.fail_images = 2
    scene.microscope.fail_open = 1
    scene.at(0)
    health = scene.source.health()
    assert not health.alive
    assert health.detail == "time point 0: no camera"
    assert "time point could not be acquired" in caplog.text
    scene.at(0.1)
    assert len(scene.microscope.asked) == 1


def test_a_time_point_is_taken_up_again_once_the_source_was_restarted(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_images = 1
    scene.microscope.fail_open = 1
    scene.at(0)
    scene.source.stop()
    scene.start()
    assert scene.source.health().alive
    scene.at(0.1)
    assert scene.source.plan().next_time_point == 1
    assert len(scene.microscope.asked[-1]) == 2


def tend(scene: Scene, hours: float, *, until: float, step_s: float = 10) -> None:
    """Let time pass as the keeper and the schedule do: a dead source is started again."""
    while hours <= until:
        if not scene.source.health().alive:
            scene.source.stop()
            with contextlib.suppress(SourceError):
                scene.start()
        scene.at(hours)
        hours += step_s / 3600


def test_a_position_out_of_reach_is_tried_later_and_later_and_then_given_up(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.start()
    scene.microscope.fail_images = 10**6
    tend(scene, 0, until=0.9)
    assert len(scene.microscope.asked) == 16, "8 tries of two attempts each"
    assert missed(scene) == [
        "HES 7/plate/A2/s0/t0000/BF: never acquired: time point 0: stage out of reach"
    ]
    told = [record.message for record in caplog.records]
    assert told.count("time point could not be acquired") == 1, "the same reason is told once"
    assert scene.source.health().failing == "time point 0: stage out of reach"
    scene.microscope.fail_images = 0
    tend(scene, 1, until=1)
    assert scene.acquired[-1] == 1
    assert (scene.source.health().failing, len(missed(scene))) == ("", 1)


def test_a_camera_that_gives_nothing_is_asked_until_the_next_time_point(scene: Scene) -> None:
    scene.start()
    scene.microscope.fail_first = 10**6
    tend(scene, 0, until=0.8)
    tries = len(scene.microscope.asked)
    assert 16 < tries <= 22, "after some minutes every ten minutes"
    assert scene.inbox.refusals == []
    scene.microscope.fail_first = 0
    tend(scene, 0.8, until=0.99)
    assert scene.source.plan().next_time_point == 1, "nothing is missing in the end"
    assert missed(scene) == []


def test_time_points_that_pass_while_the_core_is_away_are_missed_one_by_one(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.start()
    scene.at(0)
    scene.source.stop()
    scene.microscope.fail_open = 10**6
    tend(scene, 0.1, until=2.5, step_s=600)
    why = "never acquired: no camera"
    assert missed(scene) == [
        f"HES 7/plate/A1/s0/t0001/BF: {why}",
        f"HES 7/plate/A2/s0/t0001/BF: {why}",
    ], "GFP is no channel that is worked on"
    assert "time points were missed" in caplog.text
    scene.microscope.fail_open = 0
    tend(scene, 2.6, until=2.7)
    assert scene.acquired == [0, 2]
    assert scene.source.health().alive


def test_what_was_missed_is_told_until_it_is_known_and_not_again_after_a_restart(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.inbox.room = 0
    first.at(2.2)
    assert missed(first) == []
    first.inbox.room = 5
    first.at(2.3)
    first.at(2.4)
    assert len(missed(first)) == 1
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.ledger = first.ledger
    again.ledger.settle(*first.inbox.tickets, *first.inbox.refusals)
    again.start()
    again.at(2.5)
    assert missed(again) == [
        "HES 7/plate/A2/s0/t0001/BF: never acquired: scopewatch was not acquiring then"
    ]
    again.source.stop()


def test_a_time_point_that_takes_longer_than_the_interval_costs_those_it_overruns(
    scene: Scene,
) -> None:
    scene.start()
    scene.microscope.takes_s = 2.5 * 3600
    scene.source.acquire_due()
    scene.microscope.takes_s = 0
    scene.at(2.6)
    assert scene.acquired == [0, 2]
    why = "time point 0 was still being acquired: interval_s is too short"
    assert missed(scene) == [
        f"HES 7/plate/A1/s0/t0001/BF: never acquired: {why}",
        f"HES 7/plate/A2/s0/t0001/BF: never acquired: {why}",
    ]


def test_the_last_time_point_is_missed_as_well(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    scene.at(1)
    scene.at(9)
    assert [line.split("/")[-2] for line in missed(scene)] == ["t0002", "t0002"]
    scene.at(20)
    assert len(missed(scene)) == 2


def test_a_time_lapse_that_is_over_has_ended_and_needs_no_microscope(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.at(2)
    assert first.source.health().ended, "the gap in the middle will not be filled"
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.microscope.fail_open = 1
    again.ledger = first.ledger
    again.start()
    health = again.source.health()
    assert (health.alive, health.ended) == (True, True)
    assert again.microscope.opened == 0
    again.source.stop()


def test_missed_time_points_wait_for_a_database_that_is_away(scene: Scene) -> None:
    scene.start()
    scene.at(0)
    scene.ledger.broken = True
    scene.at(2.2)
    assert missed(scene) == []
    scene.ledger.broken = False
    scene.at(2.3)
    assert len(missed(scene)) == 2


def missed(scene: Scene) -> list[str]:
    """Return key and reason of what was told to be missing."""
    return [f"{each.missed}: {each.reason}" for each in scene.inbox.refusals if each.missed]


def test_an_unexpected_fault_of_a_driver_is_logged_and_survived(
    scene: Scene, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("driver")

    scene.start()
    monkeypatch.setattr(scene.microscope, "acquire", crash)
    scene.at(0)
    assert scene.source.health().detail == "time point 0: ZeroDivisionError: driver"
    assert "acquisition failed" in caplog.text


def test_after_a_restart_the_time_lapse_goes_on_where_the_clock_says(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
    first = Scene(tmp_path, clock).start()
    first.at(0)
    first.source.stop()
    again = Scene(tmp_path, clock)
    again.ledger.settle(*first.inbox.tickets)
    again.start()
    plan = again.source.plan()
    assert (plan.next_time_point, plan.began_at) == (1, datetime(2026, 3, 1, 9, tzinfo=UTC))
    again.at(0.9)
    assert again.acquired == []
    again.at(1.5)
    assert again.acquired == [1]
    assert {ticket.key.experiment for ticket in again.inbox.tickets} == {"HES 7"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["HES_7_1", "HES_7_2"]
    again.source.stop()


def test_data_sets_of_others_in_the_folder_are_left_alone(scene: Scene, tmp_path: Path) -> None:
    write_data_set(tmp_path, name="somebody")
    scene.start()
    assert scene.inbox.tickets == []


def test_a_survey_of_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    found = survey(tmp_path / "gone", "HES 7", 3600, DEFAULT_LIMITS)
    assert (found.places, found.began_at) == (frozenset(), None)


def test_a_microscope_that_is_not_there_refuses_the_start_and_can_be_tried_again(
    scene: Scene,
) -> None:
    scene.microscope.fail_open = 1
    with pytest.raises(SourceError, match="no camera"):
        scene.start()
    assert not scene.source.health().alive
    scene.start()
    assert scene.source.health().alive


def test_a_folder_that_cannot_be_made_refuses_the_start(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SourceError, match=r"folder for the data sets cannot be made: .*file/x"):
        Scene(tmp_path / "file" / "x", clock).start()


def test_stopping_lets_the_microscope_go_and_offers_its_last_images(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Scene(tmp_path, clock).start()
    scene.source.acquire_due()
    scene.source.stop()
    scene.source.stop()
    assert (scene.microscope.opened, scene.microscope.closed) == (1, 1)
    assert len(scene.inbox.tickets) == 4
    scene.source.acquire_due()
    assert len(scene.microscope.asked) == 1


def test_following_needs_no_microscope(tmp_path: Path, clock: FakeClock) -> None:
    write_data_set(tmp_path, times=2, name="HES 7", channel="BF")
    scene = Scene(tmp_path, clock, mode="follow").start()
    assert scene.inbox.keys == ["HES 7/plate/A1/s0/t0000/BF", "HES 7/plate/A1/s0/t0001/BF"]
    scene.source.acquire_due()
    assert (scene.microscope.opened, scene.source.acquires) == (0, False)
    scene.source.stop()


def real(path: Path, **changes: Any) -> PycroManagerMicroscope:
    return PycroManagerMicroscope(settings(path, **changes), "x")


def test_a_bridge_that_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    pytest.importorskip("pycromanager", reason="pycro-manager is an extra")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    with pytest.raises(SourceError) as caught:
        real(tmp_path, backend="java", port=port).open()
    assert str(caught.value) == (
        f"no Micro-Manager answers: 127.0.0.1:{port} (got Connection refused);"
        " start Micro-Manager and tick Tools > Options > Run server on port"
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mm_app_path": Path("/nowhere")}, "Micro-Manager's device adapters are not there: /nowh"),
        ({"mm_app_path": Path("/"), "mm_config": Path("/x.cfg")}, "hardware configuration is not"),
    ],
)
def test_missing_adapters_and_configurations_are_named(
    tmp_path: Path, changes: dict[str, Any], line: str
) -> None:
    pytest.importorskip("pycromanager", reason="pycro-manager is an extra")
    with pytest.raises(SourceError, match=line):
        real(tmp_path, **changes).open()


def test_closing_a_microscope_that_was_never_opened_is_harmless(tmp_path: Path) -> None:
    microscope = real(tmp_path)
    microscope.interrupt()
    microscope.close()
    shutil.rmtree(tmp_path)
