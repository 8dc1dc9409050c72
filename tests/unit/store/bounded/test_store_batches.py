"""Steps over a long history run in short transactions, so that others can write in between."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from benchmarks.history.filled import History, fill
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.store.write.turns import Turns
from tests.conftest import FakeClock, HastyClock
from tests.unit.store.scene import RATES, START, TABLE, Scene, key, open_store, tables, use_rules

WEAK = AlertRule(name="weak", target=0.5, consecutive=2, hysteresis=0.05)
JUMP = AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE)
DARK = AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES)
PLATE = AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE)
SINGLE = (WEAK, JUMP, DARK)
JOINT = (*SINGLE, PLATE)
TIME_POINTS = 20
LAST_STEP = "SELECT coalesce(max(last_time_point), -1) FROM rule_states"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A run that no rule has evaluated."""
    history = History(
        began_at=START,
        settled_at=START + timedelta(days=10),
        rates=RATES,
        table=TABLE,
        wells=4,
        time_points=TIME_POINTS,
        run="run 7",
        unfit=0.1,
        judged_under="-/-/-",
    )
    fill(tmp_path / "state", history)
    return tmp_path / "state"


@pytest.fixture
def hasty(filled: Path) -> Iterator[Scene]:
    clock = HastyClock()
    # Long enough after the last frame to await no more frames.
    clock.advance(10 * 86_400 + 7200)
    scene = Scene(store=open_store(filled, clock, started_at=START), folder=filled, rules=JOINT)
    yield scene
    scene.store.close()


def last_step(scene: Scene) -> int:
    ((last,),) = scene.rows(LAST_STEP)
    return int(last)


def test_a_plate_that_is_behind_is_stepped_a_little_in_each_transaction(hasty: Scene) -> None:
    reached = []
    while True:
        hasty.store.let_time_pass()
        reached.append(last_step(hasty))
        if not hasty.store.behind:
            break
    assert reached == list(range(TIME_POINTS))


def test_what_is_stepped_in_many_transactions_is_what_one_would_have_stepped(
    filled: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(filled, again)
    found = []
    for folder, clock in ((filled, HastyClock()), (again, FakeClock())):
        clock.advance(10 * 86_400 + 7200)
        store = open_store(folder, clock, started_at=START, rules=JOINT)
        batches = 1
        store.let_time_pass()
        while store.behind:
            store.let_time_pass()
            batches += 1
        store.close()
        found.append((batches, tables(folder)))
    (many, cut), (one, whole) = found
    assert (many, one) == (TIME_POINTS, 1)
    assert len(whole["alerts"]) > 0
    assert cut == whole


@pytest.mark.parametrize("rules", [SINGLE, JOINT], ids=["wells by themselves", "a whole plate"])
def test_a_commit_takes_one_batch_and_the_monitor_goes_on_with_the_rest(
    filled: Path, rules: tuple[AlertRule, ...]
) -> None:
    clock = HastyClock()
    clock.advance(10 * 86_400)
    store = open_store(filled, clock, started_at=START)
    scene = Scene(store=store, folder=filled, rules=rules)
    scene.score(key("A1", TIME_POINTS), 0.1)
    assert last_step(scene) == 0
    assert scene.rows("SELECT name FROM wells WHERE behind") == [("A1",)]
    # The same where the daemon ended in between.
    store.close()
    scene.store = open_store(filled, clock, started_at=START)
    scene.store.let_time_pass()
    assert last_step(scene) == 1
    assert scene.store.behind
    while scene.store.behind:
        scene.store.let_time_pass()
    assert scene.rows("SELECT name FROM wells WHERE behind") == []
    stepped = dict(scene.rows("SELECT well, last_time_point FROM rule_states WHERE rule = 'weak'"))
    if rules is SINGLE:
        assert stepped == {"A1": TIME_POINTS}, "the others wait for their frames"
    else:
        waiting = TIME_POINTS - 1
        assert stepped == dict.fromkeys(("A1", "A2", "A3", "A4"), waiting), "A2 has yet to come"
    scene.store.close()


def test_where_nothing_is_due_no_transaction_is_begun(filled: Path) -> None:
    store = open_store(filled, FakeClock(), started_at=START)
    begun: list[object] = []
    event.listen(store._writer, "begin", begun.append)
    # None of the rules is about the plate.
    use_rules(store, [replace(WEAK, plates=("other",))])
    assert store.let_time_pass() == ()
    assert not store.behind
    store.close()
    assert begun == []


def test_a_plate_is_not_quiet_where_a_frame_comes_while_the_writer_is_waited_for(
    tmp_path: Path,
) -> None:
    clock, rules = FakeClock(), (WEAK, PLATE)
    scene = Scene(store=open_store(tmp_path, clock, started_at=START), folder=tmp_path, rules=rules)
    for well in ("A1", "A2"):
        scene.score(key(well), 0.6)
    assert last_step(scene) == -1, "the first time point waits for the second"
    clock.advance(7200)
    other = Scene(store=open_store(tmp_path, clock, started_at=START), folder=tmp_path, rules=rules)
    frames = [key("A1", 1)]

    class LateTurns(Turns):
        def __enter__(self) -> None:
            while frames:
                other.score(frames.pop(), 0.6)
            super().__enter__()

    scene.store._turns = LateTurns()
    scene.store.let_time_pass()
    assert frames == []
    assert scene.rows("SELECT well, last_time_point FROM rule_states WHERE rule = 'weak'") == [
        ("A1", 0),
        ("A2", 0),
    ], "A2 has yet to reach time point 1"
    for each in (scene, other):
        each.store.close()


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for(
    eventually: Callable[..., None],
) -> None:
    turns, taken = Turns(), list[str]()

    def write(name: str) -> None:
        with turns:
            taken.append(name)

    with turns:
        for number, name in enumerate(("worker", "delivery"), start=1):
            threading.Thread(target=write, args=(name,), daemon=True).start()
            eventually(lambda number=number: len(turns._waiting) == number)
    # The plate of the last turn comes after them.
    write("monitor")
    assert taken == ["worker", "delivery", "monitor"]
    with pytest.raises(RuntimeError, match="failed"), turns:
        raise RuntimeError("failed")
    write("after it")
    assert taken[-1] == "after it"
