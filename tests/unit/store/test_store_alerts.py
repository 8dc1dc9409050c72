from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import AlertRule, Severity
from scopewatch.core.errors import StoreError
from tests.conftest import FakeClock
from tests.unit.store.scene import RULE, RULES, Scene, key, open_store, ticket

WEAK, FINE = 0.1, 0.7
STREAKS = "SELECT last_time_point, coalesce(json_extract(state, '$.streak'), 0) FROM rule_states"


def two_sites(folder: Path, clock: FakeClock) -> Scene:
    return Scene(store=open_store(folder, clock, sites_per_well=2), folder=folder)


def test_a_well_that_stays_weak_raises_one_alert_with_its_newest_overlay(
    scene: Scene, clock: FakeClock
) -> None:
    alerts = [scene.score(key(time_point=t), WEAK).alerts for t in range(4)]
    assert [len(messages) for messages in alerts] == [0, 1, 0, 0]
    (message,) = alerts[1]
    assert message.title.startswith("A1: weak now")
    assert message.attachments == ("run 7/A1/p1_t0001_s0.jpg",)
    (item,) = scene.store.due(clock.now(), 10)
    assert (item.channel, item.message, item.attempts) == ("mail", message, 0)
    assert scene.rows("SELECT rule, raised_time_point, resolved_at FROM alerts") == [
        ("weak", 1, None)
    ]


def test_a_well_that_recovers_resolves_its_alert(scene: Scene) -> None:
    for time_point, fraction in enumerate((WEAK, WEAK, FINE, FINE)):
        settled = scene.score(key(time_point=time_point), fraction)
    assert settled.alerts[0].title.startswith("A1: ")
    assert scene.rows("SELECT raised_time_point, resolved_time_point FROM alerts") == [(1, 3)]
    assert scene.rows("SELECT count(*), count(DISTINCT alert_id) FROM outbox") == [(2, 1)]


def test_committing_the_same_frame_again_changes_nothing(scene: Scene) -> None:
    scene.score(key(time_point=0), WEAK)
    offered = ticket(key(time_point=1))
    scene.store.claim(offered)
    assert len(scene.commit(offered, WEAK).alerts) == 1
    before = scene.rows("SELECT * FROM rule_states"), scene.rows("SELECT * FROM results")
    assert scene.commit(offered, FINE).alerts == ()
    assert before == (
        scene.rows("SELECT * FROM rule_states"),
        scene.rows("SELECT * FROM results"),
    )
    assert scene.rows("SELECT count(*) FROM outbox") == [(1,)]


def test_a_rule_steps_once_all_sites_of_a_time_point_are_settled(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = two_sites(tmp_path, clock)
    scene.score(key(site=0), WEAK)
    assert scene.rows("SELECT last_time_point FROM rule_states") == []
    scene.score(key(site=1), WEAK)
    assert scene.rows(STREAKS) == [(0, 1)]
    scene.store.close()


def test_a_site_that_never_arrives_does_not_hold_up_its_well(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = two_sites(tmp_path, clock)
    scene.score(key(time_point=0, site=0), WEAK)
    scene.score(key(time_point=1, site=0), WEAK)
    assert scene.rows(STREAKS) == [(0, 1)]
    assert len(scene.score(key(time_point=1, site=1), WEAK).alerts) == 1
    scene.store.close()


def test_a_quarantined_site_completes_its_time_point(tmp_path: Path, clock: FakeClock) -> None:
    scene = two_sites(tmp_path, clock)
    for time_point in range(2):
        scene.score(key(time_point=time_point, site=0), WEAK)
        settled = scene.spoil(key(time_point=time_point, site=1))
    assert settled.quarantined == "it is blank"
    assert [message.title.startswith("A1: weak now") for message in settled.alerts] == [True]
    scene.store.close()


def test_a_frame_that_is_given_up_at_its_claim_completes_its_time_point(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = two_sites(tmp_path, clock)
    scene.score(key(site=0), WEAK)
    for _ in range(4):
        scene.store.claim(ticket(key(site=1)))
    assert scene.rows(STREAKS) == [(0, 1)]
    scene.store.close()


def test_a_time_point_without_any_judged_site_is_no_observation(scene: Scene) -> None:
    scene.score(key(time_point=0), WEAK)
    scene.spoil(key(time_point=1))
    assert scene.rows(STREAKS) == [(1, 1)]
    assert len(scene.score(key(time_point=2), WEAK).alerts) == 1


def test_a_frame_that_is_still_processed_when_the_next_begins_is_no_observation(
    scene: Scene,
) -> None:
    scene.store.claim(ticket(key(time_point=0)))
    assert scene.score(key(time_point=1), WEAK).alerts == ()
    assert scene.rows(STREAKS) == [(1, 1)]
    scene.store.claim(ticket(key(time_point=2)))
    (message,) = scene.score(key(time_point=3), WEAK).alerts
    assert message.title.startswith("A1: weak now")


def test_a_late_frame_changes_the_estimate_but_not_the_alert(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = two_sites(tmp_path, clock)
    for time_point in range(3):
        scene.score(key(time_point=time_point, site=0), WEAK)
    before = scene.rows("SELECT * FROM rule_states")
    assert scene.score(key(time_point=0, site=1), FINE).alerts == ()
    assert scene.rows("SELECT * FROM rule_states") == before
    assert scene.rows("SELECT n_sites FROM well_estimates WHERE time_point = 0") == [(2,)]
    scene.store.close()


def test_wells_and_rules_do_not_touch_each_other(scene: Scene) -> None:
    strict = AlertRule(name="strict", target=0.95, from_day=0, consecutive=1, hysteresis=0)
    scene.rules = (RULE, strict)
    scene.score(key("A1"), WEAK)
    scene.score(key("B2"), FINE)
    assert scene.rows(
        "SELECT well, rule, open, coalesce(json_extract(state, '$.streak'), 0) FROM rule_states"
        " ORDER BY 1, 2"
    ) == [
        ("A1", "strict", 1, 0),
        ("A1", "weak", 0, 1),
        ("B2", "strict", 1, 0),
        ("B2", "weak", 0, 0),
    ]


def test_a_rule_that_is_new_goes_through_the_wells_past(scene: Scene) -> None:
    scene.rules = ()
    scene.score(key(time_point=0), WEAK)
    scene.score(key(time_point=1), WEAK)
    scene.rules = RULES
    assert len(scene.score(key(time_point=2), FINE).alerts) == 1


def test_a_channel_gets_only_what_is_severe_enough(tmp_path: Path, clock: FakeClock) -> None:
    channels = {"pager": Severity.CRITICAL, "mail": Severity.WARNING, "log": Severity.INFO}
    scene = Scene(store=open_store(tmp_path, clock, channels=channels), folder=tmp_path)
    scene.score(key(time_point=0), WEAK)
    scene.score(key(time_point=1), WEAK)
    assert scene.rows("SELECT channel FROM outbox ORDER BY 1") == [("log",), ("mail",)]
    scene.store.close()


def test_a_simulated_run_says_so_in_its_messages(tmp_path: Path, clock: FakeClock) -> None:
    scene = Scene(store=open_store(tmp_path, clock, simulated=True), folder=tmp_path)
    scene.score(key(time_point=0), WEAK)
    (message,) = scene.score(key(time_point=1), WEAK).alerts
    assert message.title.startswith("[SIMULATED] A1")
    scene.store.close()


def test_a_snoozed_alert_is_recorded_but_sends_nothing_until_then(
    scene: Scene, clock: FakeClock
) -> None:
    for time_point in range(2):
        scene.score(key(time_point=time_point), WEAK)
    scene.store.snooze(1, clock.now() + timedelta(hours=6))
    for time_point in range(2, 4):
        assert scene.score(key(time_point=time_point), FINE).alerts == ()
    assert scene.rows("SELECT count(*) FROM outbox") == [(1,)]
    assert scene.rows("SELECT resolved_time_point FROM alerts") == [(3,)]
    clock.advance(6 * 3600 + 1)
    for time_point in range(4, 6):
        settled = scene.score(key(time_point=time_point), WEAK)
    assert len(settled.alerts) == 1
    assert scene.rows("SELECT count(*) FROM outbox") == [(2,)]


def test_the_first_acknowledgement_counts(scene: Scene, clock: FakeClock) -> None:
    for time_point in range(2):
        scene.score(key(time_point=time_point), WEAK)
    first = clock.now()
    scene.store.acknowledge(1, first)
    scene.store.acknowledge(1, first + timedelta(hours=1))
    assert scene.rows("SELECT acked_at FROM alerts") == [("2026-03-01 09:00:00.000000",)]


def test_an_unknown_alert_is_reported(scene: Scene, clock: FakeClock) -> None:
    with pytest.raises(StoreError, match="there is no such alert: 7; see scopewatch alert list"):
        scene.store.acknowledge(7, clock.now())
    with pytest.raises(StoreError, match="there is no such alert: 7"):
        scene.store.snooze(7, clock.now() + timedelta(hours=1))


def test_an_alert_cannot_be_snoozed_into_the_past(scene: Scene, clock: FakeClock) -> None:
    with pytest.raises(StoreError, match="can only be snoozed into the future: alert 1"):
        scene.store.snooze(1, clock.now())


def test_an_answer_that_is_taken_back_leaves_the_alert_as_it_was(
    scene: Scene, clock: FakeClock
) -> None:
    for time_point in range(2):
        scene.score(key(time_point=time_point), WEAK)
    scene.store.acknowledge(1, clock.now())
    scene.store.snooze(1, clock.now() + timedelta(hours=6))
    scene.store.take_back(1)
    assert scene.rows("SELECT acked_at, snoozed_until FROM alerts") == [(None, None)]
    with pytest.raises(StoreError, match="there is no such alert: 7"):
        scene.store.take_back(7)
