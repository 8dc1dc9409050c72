"""The monitor over restarts of the daemon: clean, after a crash, in quick succession."""

from collections.abc import Callable

import pytest

from scopewatch.core.alerts.rules import AlertRule
from tests.unit.runtime.watch import DEAD, HOUR_S, INTERVAL_H, NO_FRAMES, RESTARTED, Watch
from tests.unit.store.scene import key

OFTEN_H = 1.0


@pytest.fixture
def end_soon(watch: Watch) -> Callable[..., None]:
    """Start daemons in a row that each crash or hang within two minutes of their start."""
    # Frames are due often, so that dozens of starts are enough.
    watch.interval_h = OFTEN_H

    def live(hours: float, *rules: AlertRule) -> None:
        for _ in range(round(hours * HOUR_S / 150)):
            watch.run(watch.begin(*rules), 2 / 60, step_s=30)
            watch.clock.advance(30)

    return live


def test_silence_is_reported_by_daemons_that_never_run_for_long(
    watch: Watch, end_soon: Callable[..., None]
) -> None:
    watch.scene.score(key(), 0.7)
    end_soon(2 * OFTEN_H - 0.1, NO_FRAMES)
    assert watch.alerts() == []
    end_soon(0.2, NO_FRAMES)
    assert watch.alerts() == ["no-frames warning"]


def test_silence_since_the_first_short_run_counts_too(
    watch: Watch, end_soon: Callable[..., None]
) -> None:
    end_soon(2 * OFTEN_H - 0.1, NO_FRAMES)
    assert watch.alerts() == []
    end_soon(0.3, NO_FRAMES)
    assert watch.alerts() == ["no-frames warning"]


def test_a_source_that_is_dead_in_every_short_run_is_reported(
    watch: Watch, end_soon: Callable[..., None]
) -> None:
    watch.source.alive = False
    end_soon(5 / 60, DEAD)
    assert watch.alerts() == []
    end_soon(5 / 60, DEAD)
    assert watch.alerts() == ["dead warning"]
    assert watch.detail() == "folder, since 2026-03-01 09:00 UTC: observer died"


def test_a_source_that_worked_in_one_short_run_is_dead_since_the_next(
    watch: Watch, end_soon: Callable[..., None]
) -> None:
    for alive in (False, True, False):
        watch.source.alive = alive
        end_soon(2.5 / 60, DEAD)
    assert watch.alerts() == []


@pytest.mark.parametrize("stopped", [True, False])
def test_after_a_clean_stop_or_hours_off_the_wait_starts_again(watch: Watch, stopped: bool) -> None:
    watch.scene.score(key(), 0.7)
    watch.source.alive = False
    monitor = watch.begin(NO_FRAMES, DEAD)
    watch.run(monitor, 2 / 60, step_s=30)
    if stopped:
        monitor.end()
    watch.clock.advance(60 if stopped else 3 * INTERVAL_H * HOUR_S)
    again = watch.begin(NO_FRAMES, DEAD)
    watch.run(again, 4 / 60, step_s=30)
    assert watch.alerts() == []


def test_a_clock_that_was_set_back_puts_no_silence_off(watch: Watch) -> None:
    watch.begin(NO_FRAMES).tick()
    watch.clock.advance(-24 * HOUR_S)
    watch.run(watch.begin(NO_FRAMES), 2 * INTERVAL_H + 1)
    assert watch.alerts() == ["no-frames warning"]


def test_a_start_after_a_crash_is_reported_and_resolves_within_two_hours(watch: Watch) -> None:
    monitor = watch.begin(RESTARTED)
    watch.run(monitor, 5)
    assert watch.alerts() == [], "the first start is no restart"
    watch.clock.advance(3 * HOUR_S)
    again = watch.begin(RESTARTED)
    again.tick()
    assert watch.alerts() == ["restarted info"]
    (evidence,) = watch.scene.rows("SELECT json_extract(evidence, '$.measures.down_h') FROM alerts")
    assert evidence == (pytest.approx(3.0, abs=0.2),)
    watch.run(again, 2)
    assert watch.alerts() == ["restarted info gone"]


def test_a_start_after_a_clean_stop_raises_no_alert(watch: Watch) -> None:
    monitor = watch.begin(RESTARTED)
    watch.run(monitor, 1)
    monitor.end()
    watch.clock.advance(HOUR_S)
    again = watch.begin(RESTARTED)
    watch.run(again, 1)
    assert watch.alerts() == []
    # This time without a stop.
    third = watch.begin(RESTARTED)
    third.tick()
    assert watch.alerts() == ["restarted info"]


def test_an_alert_is_not_notified_again_after_a_restart(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES)
    monitor.tick()
    watch.scene.score(key(), 0.7)
    watch.run(monitor, 2 * INTERVAL_H + 1)
    assert watch.alerts() == ["no-frames warning"]
    again = watch.begin(NO_FRAMES)
    watch.run(again, 3)
    assert watch.alerts() == ["no-frames warning"]
    assert len(watch.scene.store.due(watch.clock.now(), 9)) == 1
