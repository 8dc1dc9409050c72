"""Work after an update, a moved day 0 or a late frame is done in short transactions."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import create_engine

from benchmarks.history.filled import History, fill
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.messages.chart_data import Trend
from scopewatch.store.read.shown_points import MOST
from scopewatch.store.schema.migrating import alembic_config
from tests.conftest import FakeClock, HastyClock
from tests.unit.store.scene import RATES, START, TABLE, Scene, key, open_store, tables, ticket

WEAK = AlertRule(name="weak", target=0.5, from_day=8)
JUMP = AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE, consecutive=2)
DARK = AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, consecutive=2)
PLATE = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE)
RULES = (WEAK, JUMP, DARK, PLATE)


def make(folder: Path, time_points: int, wells: int = 3) -> History:
    history = History(
        began_at=START,
        settled_at=START + timedelta(days=10),
        rates=RATES,
        table=TABLE,
        wells=wells,
        time_points=time_points,
        run="run 7",
        unfit=0.05,
        judged_under="-/-/-",
    )
    fill(folder, history)
    return history


def catch_up(scene: Scene) -> int:
    """Do the monitor's work; return the number of transactions."""
    batches = 1
    scene.store.let_time_pass()
    while scene.store.behind:
        scene.store.let_time_pass()
        batches += 1
    return batches


def to_schema(folder: Path, version: str) -> None:
    engine = create_engine(f"sqlite:///{folder / 'scopewatch.db'}")
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)
    engine.dispose()


def days_later(clock: FakeClock, days: float) -> FakeClock:
    clock.advance(days * 86_400)
    return clock


def test_a_moved_day_0_is_followed_well_by_well(tmp_path: Path) -> None:
    found = []
    for clock in (HastyClock(), FakeClock()):
        folder = tmp_path / type(clock).__name__
        history = make(folder, 30)
        days_later(clock, 10)
        scene = Scene(store=open_store(folder, clock, started_at=START), folder=folder, rules=RULES)
        catch_up(scene)
        scene.store.close()
        before = START - timedelta(hours=36)
        scene.store = open_store(folder, clock, started_at=before)
        scene.score(key("A1", 30), 0.4, taken={"acquired_at": history.taken_at(30)})
        due = scene.rows("SELECT count(*) FROM wells WHERE outlooks_due IS NOT NULL")
        found.append((due, catch_up(scene), tables(folder)))
        assert scene.rows("SELECT name FROM wells WHERE behind") == []
        scene.store.close()
    (some, batches, slowly), (none, one, at_once) = found
    assert some > [(0,)] == none
    assert batches > one
    assert slowly == at_once
    days = {row[:2]: row[2] for row in at_once["well_outlooks"]}
    assert days["A1", 0] == 1.5, "36 hours after the new day 0"


def test_what_a_moved_day_0_leaves_for_later_is_done_after_a_restart_and_without_rules(
    tmp_path: Path,
) -> None:
    clock = days_later(HastyClock(), 10)
    history = make(tmp_path, 30)
    store = open_store(tmp_path, clock, started_at=START - timedelta(hours=36))
    scene = Scene(store=store, folder=tmp_path, rules=())
    scene.score(key("A1", 30), 0.4, taken={"acquired_at": history.taken_at(30)})
    store.close()
    scene.store = open_store(tmp_path, clock, started_at=START - timedelta(hours=36))
    catch_up(scene)
    ((oldest,),) = scene.rows("SELECT min(day) FROM well_outlooks")
    assert oldest == 1.5
    scene.store.close()


def test_a_database_of_the_schema_before_goes_on_as_if_it_had_been_of_this_one(
    tmp_path: Path,
) -> None:
    found = []
    for name in ("kept", "upgraded"):
        folder = tmp_path / name
        history = make(folder, 30)
        clock = days_later(FakeClock(), 10 + 1 / 12)
        scene = Scene(store=open_store(folder, clock, started_at=START), folder=folder, rules=RULES)
        catch_up(scene)
        scene.store.close()
        if name == "upgraded":
            to_schema(folder, "0005")
        # The work does not fit into one transaction.
        hasty = HastyClock() if name == "upgraded" else FakeClock()
        days_later(hasty, 10 + 1 / 12)
        scene.store = open_store(folder, hasty, started_at=START)
        for time_point in (30, 31):
            taken = {"acquired_at": history.taken_at(time_point)}
            for well in history.names:
                scene.score(key(well, time_point), 0.1, taken=taken)
                catch_up(scene)
        scene.store.close()
        found.append(tables(folder))
    kept, upgraded = found
    assert upgraded["rule_states"] == kept["rule_states"]
    assert upgraded["alerts"] == kept["alerts"]
    assert len(kept["alerts"]) > 0


def test_states_of_the_schema_before_are_shortened_to_the_newest_time_point(
    tmp_path: Path,
) -> None:
    rule = AlertRule(name="weak", target=0.5)
    scene = Scene(store=open_store(tmp_path, FakeClock()), folder=tmp_path, rules=(rule,))
    for time_point in range(4):
        scene.score(key("A1", time_point), 0.1)
    scene.store.close()
    to_schema(tmp_path, "0005")
    with closing(sqlite3.connect(tmp_path / "scopewatch.db")) as database, database:
        ((packed,),) = database.execute("SELECT state FROM rule_states").fetchall()
        state = json.loads(packed)
        (newest,) = state["last"]["evidence"]["points"]
        older = [newest | {"day": day / 2} for day in range(3)]
        state["last"]["evidence"]["points"] = [*older, newest]
        database.execute("UPDATE rule_states SET state = ?", (json.dumps(state),))
    database.close()
    scene.store = open_store(tmp_path, FakeClock())
    ((packed,),) = scene.rows("SELECT state FROM rule_states")
    assert json.loads(packed)["last"]["evidence"]["points"] == [newest]
    (message,) = scene.score(key("A1", 4), 0.8).alerts
    assert message.title.startswith("A1: recovered")
    (figure,) = message.figures
    assert isinstance(figure, Trend)
    assert len(figure.points) == 5, "the points of the chart are read when the alert is composed"
    scene.store.close()


@pytest.mark.parametrize("time_points", [50, 300])
def test_the_picture_of_an_alert_shows_the_whole_course_of_a_well_by_few_points(
    tmp_path: Path, time_points: int
) -> None:
    history = make(tmp_path, time_points, wells=1)
    with closing(sqlite3.connect(tmp_path / "scopewatch.db")) as database, database:
        database.execute("UPDATE frames SET state = 'done'")
    database.close()
    clock = days_later(FakeClock(), 10)
    store = open_store(tmp_path, clock, started_at=START)
    rule = AlertRule(name="weak", target=0.9, from_day=10)
    scene = Scene(store=store, folder=tmp_path, rules=(rule,))
    taken: dict[str, Any] = {"acquired_at": history.taken_at(time_points)}
    (message,) = scene.score(key("A1", time_points), 0.3, taken=taken).alerts
    (figure,) = message.figures
    assert isinstance(figure, Trend)
    points = figure.points
    judged = scene.rows("SELECT day FROM well_estimates ORDER BY time_point")
    step = -(-len(judged) // MOST)
    assert [point.day for point in points] == [day for (day,) in judged[::-1][::step]][::-1]
    assert len(points) <= MOST
    ((evidence,),) = scene.rows("SELECT evidence FROM alerts")
    assert len(json.loads(evidence)["points"]) == len(points)
    ((state,),) = scene.rows("SELECT state FROM rule_states")
    assert len(json.loads(state)["last"]["evidence"]["points"]) == 1
    store.close()


def test_a_frame_that_is_judged_again_counts_for_the_memory_of_rules_once_it_is_claimed(
    tmp_path: Path,
) -> None:
    scene = Scene(store=open_store(tmp_path, FakeClock()), folder=tmp_path, rules=(DARK,))
    for time_point in range(3):
        scene.spoil(key("A1", time_point))
    kept = "SELECT past_until, last_time_point FROM rule_states"
    assert scene.rows(kept) == [(2, 2)]
    again = ticket(key("A1", 1), fingerprint="2")
    assert scene.store.claim(again)
    assert scene.rows(kept) == [(None, 2)]
    scene.spoil(key("A1", 3))
    detail = "SELECT json_extract(state, '$.last.evidence.measures.in_a_row') FROM rule_states"
    assert scene.rows(detail) == [(3.0,)], "time points 0, 2 and 3: 1 is unknown"
    scene.commit(again, 0.5)
    scene.spoil(key("A1", 4))
    assert scene.rows(detail) == [(3.0,)], "time points 2, 3 and 4"
    scene.store.close()
