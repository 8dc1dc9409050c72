"""Rules and estimates where frames are judged again under other settings."""

from dataclasses import replace

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from tests.unit.store.ledger.judgements import BEFORE, FRAMES, MODEL, NAMES, UNFIT, Restarts, scored
from tests.unit.store.scene import RULES, Scene, key, ticket


def unfit_run(scene: Scene, time_points: int) -> None:
    for time_point in range(time_points):
        scene.spoil(key("A1", time_point))


def test_rules_see_the_frames_that_can_be_judged_now(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        unfit_run(scene, 5)
        alerts = "SELECT rule, raised_time_point, resolved_time_point FROM alerts ORDER BY id"
        assert scene.rows(alerts) == [("unfit", 1, None)]
    with restarts.under(MODEL) as scene:
        for time_point in range(5):
            assert scored(scene, key("A1", time_point), 0.1)
        assert scene.rows(alerts) == [("unfit", 1, 1), ("weak", 1, None)]
        assert scene.rows("SELECT DISTINCT last_time_point FROM rule_states") == [(4,)]
        titles = [item.message.title for item in scene.store.due(restarts.clock.now(), 9)]
        assert titles[0] == "A1: its frames cannot be judged"
        assert titles[1].startswith("A1: weak now")
        assert titles[2] == "A1: its frames can be judged again"


def test_frames_that_still_cannot_be_judged_raise_it_again(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        unfit_run(scene, 2)
    with restarts.under(MODEL) as scene:
        assert scored(scene, key("A1", 0))
        scene.spoil(key("A1", 1))
        for time_point in (2, 3):
            scored(scene, key("A1", time_point))
        for time_point in (4, 5):
            scene.spoil(key("A1", time_point))
        raised = scene.rows(
            "SELECT raised_time_point, resolved_time_point FROM alerts WHERE rule = 'unfit'"
            " ORDER BY id"
        )
        assert raised == [(1, 3), (5, None)]


def test_an_alert_that_comes_again_at_its_time_point_is_notified_again(restarts: Restarts) -> None:
    once = replace(UNFIT, consecutive=1)
    with restarts.under(BEFORE) as scene:
        scene.rules = (once,)
        unfit_run(scene, 2)
    with restarts.under(MODEL) as scene:
        scene.rules = (once,)
        assert scored(scene, key("A1", 0))
        assert scene.spoil(key("A1", 1)).alerts != ()
    with restarts.under(BEFORE) as scene:
        scene.rules = (once,)
        assert scored(scene, key("A1", 1))
        raised = scene.rows("SELECT raised_time_point, resolved_time_point FROM alerts ORDER BY id")
        assert raised == [(0, 0), (1, 1)]


def test_time_points_after_which_something_was_judged_are_not_stepped_again(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE) as scene:
        scene.spoil(key("A1", 0))
        scored(scene, key("A1", 1), 0.1)
        states = scene.rows("SELECT rule, last_time_point, state FROM rule_states ORDER BY rule")
    with restarts.under(MODEL) as scene:
        assert scored(scene, key("A1", 0), 0.1)
        after = scene.rows("SELECT rule, last_time_point, state FROM rule_states ORDER BY rule")
        assert after == states
        assert scene.rows("SELECT count(*) FROM alerts") == [(0,)]


def test_a_site_that_can_be_judged_now_steps_nothing_again(restarts: Restarts) -> None:
    with restarts.under(BEFORE, sites_per_well=2) as scene:
        scored(scene, key("A1", 0, 0), 0.1)
        scene.spoil(key("A1", 0, 1))
        states = scene.rows("SELECT rule, last_time_point, state FROM rule_states")
    with restarts.under(MODEL, sites_per_well=2) as scene:
        assert scored(scene, key("A1", 0, 1), 0.1)
        assert scene.rows("SELECT rule, last_time_point, state FROM rule_states") == states
        assert scene.rows("SELECT n_sites FROM well_estimates") == [(2,)]


def test_a_plate_is_looked_at_as_a_whole_once_all_its_wells_were_tried_again(
    restarts: Restarts,
) -> None:
    wells = ("A1", "A2", "A3", "A4", "A5", "A6")
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5)
    rules = (replace(RULES[0], consecutive=1), collapse)
    with restarts.under(BEFORE) as scene:
        scene.rules = rules
        for time_point in range(3):
            for well in wells:
                scene.spoil(key(well, time_point))
    with restarts.under(MODEL) as scene:
        scene.rules = rules
        for time_point in range(3):
            for well in wells:
                assert scored(scene, key(well, time_point), 0.1)
        alerts = "SELECT well, rule, raised_time_point, json_array_length(evidence, '$.wells')"
        assert scene.rows(f"{alerts} FROM alerts") == [("", "plate", 0, 6)]


def test_a_plate_whose_file_is_gone_waits_for_it_only_while_frames_come(restarts: Restarts) -> None:
    wells = ("A1", "A2", "A3", "A4", "A5", "A6", "A7")
    collapse = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE, limit=0.5)
    rules = (replace(RULES[0], consecutive=1), collapse)
    with restarts.under(BEFORE) as scene:
        scene.rules = rules
        for time_point in range(2):
            for well in wells:
                scene.spoil(key(well, time_point))
    with restarts.under(MODEL) as scene:
        scene.rules = rules
        for time_point in range(2):
            for well in wells[:-1]:
                assert scored(scene, key(well, time_point), 0.1)
        assert scene.rows("SELECT rule FROM alerts") == []
        restarts.clock.advance(3601)
        scene.store.let_time_pass()
        assert scene.rows("SELECT rule, raised_time_point FROM alerts") == [("plate", 0)]


def test_a_file_of_another_channel_that_is_read_again_leaves_the_well_its_estimate(
    restarts: Restarts,
) -> None:
    beside = {"locator": "/raw/gfp.tif", "content": "c"}
    with restarts.under(BEFORE) as scene:
        scene.score(key("A1"), 0.4)
        scene.store.skip(ticket(key("A1", channel="gfp"), **beside), "not scored")
    with restarts.under(NAMES) as scene:
        scene.store.skip(ticket(key("A2", channel="gfp"), **beside), "not scored")
        assert [row[1] for row in scene.rows(FRAMES)] == ["A1", "A2"]
        assert scene.rows("SELECT count(*) FROM well_estimates") == [(1,)]
        assert scene.rows("SELECT count(*) FROM well_outlooks") == [(1,)]
