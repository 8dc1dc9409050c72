"""The monitor over a real store, with a fake clock."""

from dataclasses import replace

import pytest

from scopewatch.core.alerts.monitor import model_refused
from scopewatch.core.alerts.rules import Severity
from scopewatch.runtime.supervision.monitor import TICK_S
from tests.unit.runtime.watch import (
    DEAD,
    DISK,
    ENDED,
    GB,
    HOUR_S,
    INTERVAL_H,
    NO_FRAMES,
    REFUSED,
    RELOAD,
    Watch,
)
from tests.unit.store.scene import key


def test_silence_is_reported_within_k_intervals_and_one_tick(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES)
    monitor.tick()
    watch.run(monitor, 1)
    watch.scene.score(key(), 0.7)
    last_frame_at = watch.clock.now()
    watch.run(monitor, 2 * INTERVAL_H - 1 / 6)
    assert watch.alerts() == []
    while not watch.alerts():
        watch.clock.advance(TICK_S)
        monitor.tick()
    silence_s = (watch.clock.now() - last_frame_at).total_seconds()
    assert 2 * INTERVAL_H * HOUR_S < silence_s <= 2 * INTERVAL_H * HOUR_S + TICK_S
    assert watch.alerts() == ["no-frames warning"]
    assert watch.woken == 1
    (message,) = [item.message for item in watch.scene.store.due(watch.clock.now(), 9)]
    assert message.severity is Severity.WARNING


def test_a_silence_that_lasts_escalates_and_a_frame_resolves_it(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES)
    monitor.tick()
    watch.scene.score(key(), 0.7)
    watch.run(monitor, 4 * INTERVAL_H + 1)
    assert watch.alerts() == ["no-frames critical"]
    watch.scene.score(key(time_point=1), 0.7)
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["no-frames critical gone"]
    assert len(watch.scene.store.due(watch.clock.now(), 9)) == 3


def test_a_monitor_that_never_saw_a_frame_counts_from_its_start(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES)
    monitor.tick()
    watch.run(monitor, 2 * INTERVAL_H)
    assert watch.alerts() == []
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["no-frames warning"]


def test_after_a_start_the_sources_have_time_to_catch_up(watch: Watch) -> None:
    watch.scene.score(key(), 0.7)
    watch.clock.advance(3 * INTERVAL_H * HOUR_S)
    monitor = watch.begin(NO_FRAMES)
    watch.run(monitor, 4 / 60, step_s=TICK_S)
    assert watch.alerts() == []
    watch.scene.score(key(time_point=6), 0.7)
    watch.run(monitor, 1)
    assert watch.alerts() == []


def test_a_run_whose_time_has_passed_raises_no_silence_and_takes_none_back(watch: Watch) -> None:
    watch.scene.score(key(time_point=1), 0.5)
    monitor = watch.begin(NO_FRAMES)
    watch.over = True
    watch.run(monitor, hours=40)
    assert watch.alerts() == []
    watch.over = False
    watch.run(monitor, hours=1)
    assert watch.alerts() == ["no-frames warning"]
    watch.over = True
    watch.run(monitor, hours=40)
    assert watch.alerts() == ["no-frames warning"]


def test_no_frame_is_missed_once_the_run_is_over(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES, ENDED)
    monitor.tick()
    watch.scene.score(key(time_point=0), 0.7)
    watch.scene.score(key(time_point=20), 0.7)
    watch.source.ended = True
    # A silence only grows: steps of an hour show the same as steps of ten minutes.
    watch.run(monitor, 10 * INTERVAL_H, step_s=HOUR_S)
    assert watch.alerts() == []


def test_an_acquisition_that_ends_early_is_reported_and_is_no_silence(watch: Watch) -> None:
    monitor = watch.begin(NO_FRAMES, ENDED)
    monitor.tick()
    watch.source.ended = True
    watch.run(monitor, 1)
    assert watch.alerts() == [], "nothing was acquired yet"
    watch.scene.score(key(time_point=0), 0.7)
    watch.scene.score(key(time_point=12), 0.7)
    watch.run(monitor, 3 * INTERVAL_H)
    assert watch.alerts() == ["ended warning"]
    watch.source.ended = False
    watch.scene.score(key(time_point=13), 0.7)
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["ended warning gone"]


def test_a_disk_that_fills_is_reported_once_and_taken_back_with_room_to_spare(watch: Watch) -> None:
    monitor = watch.begin(DISK)
    for free, alerts in (
        (6 * GB, []),
        (4 * GB, ["disk warning"]),
        (5 * GB + 1, ["disk warning"]),
        (-1, ["disk warning"]),
        (7 * GB, ["disk warning gone"]),
    ):
        watch.free = free
        watch.run(monitor, 1 / 6)
        assert watch.alerts() == alerts


@pytest.mark.parametrize(
    ("state", "images", "expected"),
    [
        (100 * GB, 4 * GB, "/data"),
        (4 * GB, 100 * GB, "/state"),
        (4 * GB, 3 * GB, "/data"),
        (4 * GB, 4 * GB + 4096, "/data, /state"),
    ],
)
def test_the_disk_that_images_are_written_to_is_watched_too(
    watch: Watch, state: int, images: int, expected: str
) -> None:
    watch.image_disks["/data"] = images
    watch.free = state
    monitor = watch.begin(DISK)
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["disk warning"]
    assert watch.detail() == expected
    (queued,) = watch.scene.store.due(watch.clock.now(), 9)
    assert f"GB are free on the disk of {expected}." in queued.message.body
    watch.image_disks["/data"] = watch.free = 7 * GB
    watch.run(monitor, 1 / 6)
    assert watch.alerts() == ["disk warning gone"]


def test_a_disk_that_does_not_answer_hides_no_other_one_and_is_reported_once(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    watch.image_disks["/data"] = 4 * GB
    watch.free = -1
    watch.run(watch.begin(DISK), 1)
    assert (watch.alerts(), watch.detail()) == (["disk warning"], "/data")
    expected = [record.message for record in caplog.records]
    assert expected.count("free space cannot be read") == 1


def test_a_source_that_failed_to_its_end_is_not_taken_back_as_well_again(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.source.failing = "time point 7: no space"
    watch.run(monitor, 0.5)
    assert watch.alerts() == ["dead warning"]
    watch.source.ended = True
    watch.source.shortfall = "plan over, 13 of 18 images are missing; the last: no space"
    watch.run(monitor, 0.5)
    assert watch.alerts() == ["dead warning gone"]
    title, body = (
        getattr(watch.scene.store.due(watch.clock.now(), 9)[-1].message, name)
        for name in ("title", "body")
    )
    assert title == "run 7: the acquisition is over, images are missing"
    assert "folder: plan over, 13 of 18 images are missing; the last: no space" in body
    assert "watching" not in title + body


def test_a_source_that_ended_with_all_its_images_is_well(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.source.failing = "time point 6: no space"
    watch.run(monitor, 0.5)
    watch.source.failing, watch.source.ended = "", True
    watch.run(monitor, 0.5)
    last = watch.scene.store.due(watch.clock.now(), 9)[-1].message
    assert last.title == "run 7: its sources are watching again"


def test_a_dead_source_is_reported_with_since_when_and_why_until_it_is_alive(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.run(monitor, 1)
    watch.source.alive = False
    watch.run(monitor, 5 / 60, step_s=TICK_S)
    assert watch.alerts() == [], "the supervisor restarts a source"
    watch.run(monitor, 1 / 60, step_s=TICK_S)
    assert watch.alerts() == ["dead warning"]
    assert watch.detail() == "folder, since 2026-03-01 10:00 UTC: observer died"
    watch.run(monitor, 1)
    assert watch.alerts() == ["dead critical"]
    watch.source.alive = True
    monitor.tick()
    assert watch.alerts() == ["dead critical gone"]


def test_a_camera_that_gives_no_image_is_reported_though_its_source_watches(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.source.failing = "time point 3: 4 of 4 images never came"
    watch.run(monitor, 0.5)
    assert watch.alerts() == ["dead warning"]
    assert watch.detail().endswith("UTC: time point 3: 4 of 4 images never came")


def test_a_source_that_cannot_be_started_is_reported_with_the_reason_of_its_start(
    watch: Watch,
) -> None:
    monitor = watch.begin(DEAD)
    watch.source.alive = False
    watch.troubles = {"folder": "folder cannot be watched: /mnt/scope; create it"}
    watch.run(monitor, 0.5)
    assert "folder cannot be watched: /mnt/scope; create it" in watch.detail()


def test_a_source_with_repeated_short_failures_is_not_reported(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    for _ in range(20):
        watch.source.alive = False
        watch.run(monitor, 2 / 60, step_s=TICK_S)
        watch.source.alive = True
        watch.run(monitor, 1 / 60, step_s=TICK_S)
    assert watch.alerts() == []


def test_a_dead_source_is_not_taken_back_by_a_restart_of_the_daemon(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.source.alive = False
    watch.run(monitor, 0.5)
    again = watch.begin(DEAD)
    watch.run(again, 0.5, step_s=60)
    assert watch.alerts() == ["dead warning"]


def test_a_source_that_has_given_all_there_was_may_go(watch: Watch) -> None:
    monitor = watch.begin(DEAD)
    watch.source.ended, watch.source.alive = True, False
    watch.run(monitor, 1)
    assert watch.alerts() == []


def test_a_rule_of_another_run_is_not_stepped(watch: Watch) -> None:
    monitor = watch.begin(replace(DISK, runs=("other*",)))
    watch.free = 1
    watch.run(monitor, 1)
    assert watch.alerts() == []
    assert watch.scene.rows("SELECT count(*) FROM rule_states") == [(0,)]


def test_a_refused_model_is_taken_back_once_the_daemon_runs(watch: Watch) -> None:
    refusal = model_refused(
        at=watch.clock.now(), reason="hash differs: model.tflite; copy it again"
    )
    assert len(watch.scene.store.watch([(REFUSED, refusal)])) == 1
    assert watch.alerts() == ["refused warning"]
    watch.clock.advance(HOUR_S)
    watch.begin(REFUSED).tick()
    assert watch.alerts() == ["refused warning gone"]


def test_the_alert_for_a_refused_reload_stays_until_the_next_good_one(watch: Watch) -> None:
    monitor = watch.begin(RELOAD)
    monitor.tick()
    assert watch.alerts() == []
    watch.refusal = "unknown key: config.yaml: wat; remove it"
    watch.run(monitor, 1)
    assert watch.alerts() == ["reload warning"]
    (message,) = [item.message for item in watch.scene.store.due(watch.clock.now(), 9)]
    assert watch.refusal in message.body
    watch.refusal = ""
    watch.begin(RELOAD).tick()
    assert watch.alerts() == ["reload warning gone"]
