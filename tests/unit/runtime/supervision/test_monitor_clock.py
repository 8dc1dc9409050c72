"""The monitor while the time of day is set: it raises no false alert and delays none."""

import logging
from datetime import datetime

import pytest

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.runtime.clock import SET_BY_S, ClockWatch, SystemClock
from scopewatch.runtime.supervision.monitor import TICK_S, Monitor
from tests.conftest import FakeClock
from tests.unit.runtime.watch import DEAD, HOUR_S, INTERVAL_H, NO_FRAMES, RESTARTED, Watch
from tests.unit.store.scene import key

# Longer than any rule waits: two intervals of 12 h, and five minutes.
SETS_S = (-30 * HOUR_S, -2 * HOUR_S, 2 * HOUR_S, 30 * HOUR_S)
WELLS = ("A1", "A2", "A3")
PLATE = (
    AlertRule(name="soon weak", kind=RuleKind.WEAK_FORECAST, target=0.5, limit=0.8),
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5),
)


def begin(watch: Watch, *rules: AlertRule) -> Monitor:
    monitor = watch.begin(*rules)
    monitor.tick()
    return monitor


def test_drift_and_slewing_are_no_clock_setting(clock: FakeClock) -> None:
    watch = ClockWatch(clock)
    for _ in range(20):
        clock.advance(TICK_S)
        clock.set_by(SET_BY_S / 10)
    assert [watch.set_by_s() for _ in range(2)] == [pytest.approx(2.0), 0.0]
    clock.set_by(SET_BY_S * 0.9)
    assert watch.set_by_s() == 0
    clock.set_by(-2 * HOUR_S)
    assert watch.set_by_s() == pytest.approx(0.9 - 2 * HOUR_S)


def test_a_thread_that_was_paused_between_two_readings_is_no_clock_setting() -> None:
    class Slow(FakeClock):
        """A thread that stops for ten seconds at the second of two readings."""

        stalls = 0

        def now(self) -> datetime:
            if self.stalls:
                self.stalls -= 1
                self.advance(10)
            return super().now()

    clock = Slow()
    watch = ClockWatch(clock)
    clock.stalls = 2
    assert watch.set_by_s() == 0
    assert clock.stalls == 0
    clock.set_by(60)
    clock.stalls = 1
    assert watch.set_by_s() == 60


def test_the_clocks_of_this_machine_agree() -> None:
    clock = SystemClock()
    assert ClockWatch(clock).set_by_s() == 0
    assert 0 < clock.monotonic() <= clock.steady()


def test_a_clock_that_was_set_is_reported_in_the_log(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    monitor = begin(watch, NO_FRAMES)
    watch.clock.set_by(-2 * HOUR_S)
    with caplog.at_level(logging.WARNING):
        watch.run(monitor, 1)
    (record,) = [record for record in caplog.records if record.message == "clock was set"]
    assert record.__dict__["event"] == {"by_s": -7200}


@pytest.mark.parametrize("by_s", SETS_S)
def test_the_length_of_a_silence_does_not_change_when_the_clock_is_set(
    watch: Watch, by_s: float
) -> None:
    monitor = begin(watch, NO_FRAMES)
    watch.scene.score(key(), 0.7)
    watch.run(monitor, 1)
    watch.clock.set_by(by_s)
    watch.run(monitor, 2 * INTERVAL_H - 1 - 1 / 6)
    assert watch.alerts() == []
    watch.run(monitor, 2 / 6)
    assert watch.alerts() == ["no-frames warning"]
    watch.scene.score(key(time_point=1), 0.7)
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["no-frames warning gone"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_frames_that_come_after_the_clock_was_set_end_a_silence(watch: Watch, by_s: float) -> None:
    monitor = begin(watch, NO_FRAMES)
    watch.scene.score(key(), 0.7)
    watch.run(monitor, 1)
    watch.clock.set_by(by_s)
    for time_point in range(1, 6):
        watch.run(monitor, INTERVAL_H)
        watch.scene.score(key(time_point=time_point), 0.7)
    assert watch.alerts() == []
    watch.run(monitor, 2 * INTERVAL_H + 1 / 6)
    assert watch.alerts() == ["no-frames warning"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_the_wait_for_the_first_frame_does_not_change_when_the_clock_is_set(
    watch: Watch, by_s: float
) -> None:
    monitor = begin(watch, NO_FRAMES)
    watch.run(monitor, 1)
    watch.clock.set_by(by_s)
    watch.run(monitor, 2 * INTERVAL_H - 1)
    assert watch.alerts() == []
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["no-frames warning"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_the_time_that_a_source_is_dead_does_not_change_when_the_clock_is_set(
    watch: Watch, by_s: float
) -> None:
    monitor = begin(watch, DEAD)
    watch.source.alive = False
    watch.run(monitor, 1 / 60, step_s=TICK_S)
    watch.clock.set_by(by_s)
    watch.run(monitor, 4 / 60, step_s=TICK_S)
    assert watch.alerts() == []
    watch.run(monitor, 2 / 60, step_s=TICK_S)
    assert watch.alerts() == ["dead warning"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_a_restart_is_an_alert_for_an_hour(watch: Watch, by_s: float) -> None:
    begin(watch, RESTARTED)
    watch.clock.advance(HOUR_S)
    monitor = begin(watch, RESTARTED)
    watch.clock.set_by(by_s)
    watch.run(monitor, 5 / 6)
    assert watch.alerts() == ["restarted info"]
    watch.run(monitor, 2 / 6)
    assert watch.alerts() == ["restarted info gone"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_a_clean_stop_and_a_crash_are_distinguished_when_the_clock_is_set(
    watch: Watch, by_s: float
) -> None:
    monitor = begin(watch, RESTARTED)
    watch.clock.set_by(by_s)
    monitor.end()
    watch.clock.advance(60)
    second = begin(watch, RESTARTED)
    assert watch.alerts() == []
    second.end()
    watch.clock.advance(60)
    watch.clock.set_by(by_s)
    third = begin(watch, RESTARTED)
    assert watch.alerts() == []
    watch.clock.set_by(-by_s)
    third.tick()
    begin(watch, RESTARTED)
    assert watch.alerts() == ["restarted info"], "the third was not stopped"


def test_a_clock_that_was_set_back_while_nothing_ran_puts_no_silence_off(watch: Watch) -> None:
    begin(watch, NO_FRAMES, DEAD)
    watch.scene.score(key(), 0.7)
    watch.clock.advance(60)
    watch.clock.set_by(-30 * HOUR_S)
    monitor = begin(watch, NO_FRAMES)
    watch.run(monitor, 2 * INTERVAL_H)
    assert watch.alerts() == []
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["no-frames warning"]


@pytest.mark.parametrize("by_s", SETS_S)
def test_the_wait_for_a_missing_frame_does_not_change_when_the_clock_is_set(
    watch: Watch, by_s: float
) -> None:
    watch.scene.rules = PLATE
    monitor = begin(watch, *PLATE)

    def stepped() -> int:
        ((last,),) = watch.scene.rows("SELECT max(last_time_point) FROM rule_states")
        return int(last)

    for time_point, wells in enumerate((WELLS, WELLS, WELLS[:2])):
        for well in wells:
            watch.scene.score(key(well, time_point), 0.7)
    watch.run(monitor, 0.5, step_s=60)
    assert stepped() == 1
    watch.clock.set_by(by_s)
    # An hour at most from here: how much of it had passed is unknown.
    watch.run(monitor, 58 / 60, step_s=60)
    assert stepped() == 1
    watch.run(monitor, 4 / 60, step_s=60)
    assert stepped() == 2
    # The clock that was set back has not caught up, yet the new frame is the newest.
    watch.scene.score(key("A1", 3), 0.7)
    watch.run(monitor, 58 / 60, step_s=60)
    assert stepped() == 2
    # Twice as long where the clock passes the times of the earlier frames meanwhile.
    watch.run(monitor, 64 / 60, step_s=60)
    assert stepped() == 3
