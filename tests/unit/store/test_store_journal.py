"""The journal of time-lapses: what was asked, what came of it, what holds one."""

from datetime import timedelta
from pathlib import Path

from scopewatch.app.recording.store import Store
from scopewatch.core.acquisition.orders import Act, Report, Target
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import open_store

BY = "anna, command line"


def report(store: Store, number: int | None, act: Act, clock: FakeClock, *, done: bool) -> None:
    made = Report(
        number=number,
        act=act,
        at=clock.now(),
        done=done,
        outcome=f"{act.value} it is",
        height_um=4.5 if act is Act.MEDIUM else None,
        time_point=3,
    )
    store.report("scope", "HES 7", [made])


def test_an_order_waits_until_it_has_its_outcome(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock)
    first = store.order("scope", "HES 7", Act.PAUSE, BY)
    second = store.order("scope", "HES 7", Act.RESUME, BY)
    store.order("other", "HES 7", Act.NOW, BY)
    assert [(each.number, each.act) for each in store.orders("scope")] == [
        (first, Act.PAUSE),
        (second, Act.RESUME),
    ]
    clock.advance(5)
    report(store, first, Act.PAUSE, clock, done=True)
    assert [each.number for each in store.orders("scope")] == [second]
    reader = Reader.open(tmp_path)
    entry, waits, *_ = reader.journal("HES 7", 10)
    assert (entry.by, entry.outcome, entry.time_point) == (BY, "pause it is", 3)
    assert entry.done_at == entry.at + timedelta(seconds=5)
    assert (waits.done, waits.outcome) == (None, "")
    assert [each.number for each in reader.journal("HES 7", 1)] == [second + 1]
    assert reader.journal("another run", 10) == []
    reader.close()
    store.close()


def test_what_was_done_last_holds_it(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path, clock)
    assert store.held_by("scope") is None
    for act, done, held in [
        (Act.PAUSE, True, Act.PAUSE),
        (Act.MEDIUM, True, Act.MEDIUM),
        (Act.RESUME, False, Act.MEDIUM),
        (Act.NOW, True, Act.MEDIUM),
        (Act.RESUME, True, None),
        (Act.PAUSE, False, None),
    ]:
        clock.advance(1)
        report(store, store.order("scope", "HES 7", act, BY), act, clock, done=done)
        found = store.held_by("scope")
        assert (None if found is None else found.act) is held
        assert found is None or found.act is not Act.MEDIUM or found.height_um == 4.5
    assert store.held_by("other") is None
    store.close()


def test_the_journal_holds_what_a_time_lapse_does_by_itself(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock)
    report(store, None, Act.NOTE, clock, done=True)
    reader = Reader.open(tmp_path)
    (entry,) = reader.journal(None, 10)
    assert (entry.by, entry.act, entry.run) == ("scopewatch", Act.NOTE, "HES 7")
    reader.close()
    store.close()


def test_what_a_daemon_began_and_never_reported_is_not_done_a_second_time(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock)
    numbers = {
        act: store.order("scope", "HES 7", act, BY)
        for act in (Act.PAUSE, Act.RESUME, Act.NOW, Act.MEDIUM)
    }
    waits = store.order("scope", "HES 7", Act.NOW, BY)
    for number in numbers.values():
        store.begin_order(number)
    assert store.close_lost_orders("other") == 0
    assert store.close_lost_orders("scope") == 2
    open_ones = [each.number for each in store.orders("scope")]
    assert open_ones == [numbers[Act.PAUSE], numbers[Act.RESUME], waits]
    held = store.held_by("scope")
    assert held is not None
    assert (held.act, held.height_um) == (Act.MEDIUM, None)
    reader = Reader.open(tmp_path)
    lost = {each.act: each for each in reader.journal(None, 10) if each.done is not None}
    assert lost[Act.NOW].done is False
    assert lost[Act.NOW].outcome == "the daemon ended before it reported"
    assert lost[Act.MEDIUM].outcome.endswith("held until somebody resumes")
    assert store.close_lost_orders("scope") == 0
    reader.close()
    store.close()


def test_a_well_that_is_marked_dead_is_named_until_it_is_taken_in_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = open_store(tmp_path, clock)
    reader = Reader.open(tmp_path)

    def mark(act: Act, well: str, *, done: bool = True) -> None:
        asked = Target(well=well)
        number = store.order("scope", "HES 7", act, BY, asked, "contaminated")
        (order,) = store.orders("scope")
        assert (order.target, order.reason) == (asked, "contaminated")
        found = Target(plate="p1", well=well)
        clock.advance(1)
        made = Report(
            number=number, act=act, at=clock.now(), done=done, outcome="it is", target=found
        )
        store.report("scope", "HES 7", [made])

    def dead() -> list[str]:
        return [each.target.text for each in reader.dead_wells("HES 7") if each.target]

    mark(Act.DEAD, "A1")
    mark(Act.DEAD, "B3")
    mark(Act.DEAD, "C4", done=False)
    assert dead() == ["well p1/A1", "well p1/B3"]
    mark(Act.ALIVE, "A1")
    assert dead() == ["well p1/B3"]
    assert reader.dead_wells("another run") == []
    (entry,) = reader.dead_wells("HES 7")
    assert entry.line.endswith("dead well p1/B3  by anna, command line (contaminated): it is")
    reader.close()
    store.close()
