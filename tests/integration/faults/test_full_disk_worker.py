"""Each record of the worker meets a full disk once: nothing is written, and all of it later."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.runtime.pipeline.outcome import FrameOutcome
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.place import DATABASE
from tests.integration.full_disk import BLANK, LAST, Bench, fill, small_file_system
from tests.integration.full_state import FULL, FullDisk, expect_whole, transaction_of
from tests.unit.store.scene import START, key, read_rows, tables


def refusal(bench: Bench, *, missed: bool) -> Refusal:
    return Refusal(
        source="folder",
        locator=str(bench.raw / "notes.tif"),
        fingerprint="missed" if missed else "1",
        reason="never acquired" if missed else "file name does not match",
        seen_at=START,
        missed=key("C3") if missed else None,
    )


# The worker's input, whether the disk fills only after it was read, the step that is
# repeated, and the final state.
WORKED: dict[str, tuple[Callable[[Bench], object], bool, str, FrameOutcome]] = {
    "claim": (lambda b: b.offer(key()), False, "claim", FrameOutcome.SCORED),
    "commit": (lambda b: b.offer(key()), True, "commit", FrameOutcome.SCORED),
    "measure": (
        lambda b: b.offer(key("A1", LAST, channel="gfp")), True, "measure", FrameOutcome.MEASURED
    ),
    "quarantine": (lambda b: b.offer(key(BLANK)), True, "quarantine", FrameOutcome.QUARANTINED),
    "skip": (lambda b: b.offer(key(channel="dapi")), False, "skip", FrameOutcome.SKIPPED),
    "refuse": (
        lambda b: b.inbox.refuse(refusal(b, missed=False)), False, "refuse", FrameOutcome.REFUSED
    ),
    "refuse, a gap": (
        lambda b: b.inbox.refuse(refusal(b, missed=True)), False, "refuse", FrameOutcome.MISSED
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKED)
def test_a_record_that_fails_is_reported_and_repeated_until_there_is_room(
    bench: Bench, disk: FullDisk, name: str
) -> None:
    give, once_read, step, outcome = WORKED[name]
    give(bench)
    raw = bench.raw_data()
    before = tables(bench.state)
    during: list[object] = []

    def relieve() -> None:
        during.append(tables(bench.state))
        disk.relieve()

    bench.relief = relieve
    if once_read:
        bench.loading = disk.fill
    else:
        disk.fill()
    assert bench.work() == [outcome]
    assert bench.troubles
    assert all(f"worker: {step} is repeated: " in line for line in bench.troubles), bench.troubles
    assert all(FULL in line for line in bench.troubles), bench.troubles
    if not once_read:
        assert during == [before], "nothing of it was written"
    states = [state for (state,) in read_rows(bench.state, "SELECT state FROM frames")]
    assert "claimed" not in states
    assert len(states) + len(tables(bench.state)["refusals"]) == 1
    assert bench.raw_data() == raw
    expect_whole(bench)


def test_a_commit_that_raises_an_alert_is_repeated_whole(bench: Bench, disk: FullDisk) -> None:
    bench.fraction = 0.1
    assert bench.score() == [FrameOutcome.SCORED]
    bench.relief = disk.relieve
    bench.loading = disk.fill
    assert bench.score(time_point=1) == [FrameOutcome.SCORED]
    assert len(bench.troubles) == 1
    found = tables(bench.state)
    assert (len(found["results"]), len(found["alerts"]), len(found["outbox"])) == (2, 1, 1)
    expect_whole(bench)


def test_a_database_that_cannot_be_made_is_made_at_the_next_start(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with small_file_system(state, 4):
        ballast = fill(state)
        with pytest.raises(StoreError, match="result database cannot be used"):
            open_writer(state)
        ballast.unlink()
        open_writer(state).dispose()
        with closing(sqlite3.connect(state / DATABASE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_time_that_becomes_known_on_a_full_disk_is_recorded_later(
    bench: Bench, disk: FullDisk
) -> None:
    assert bench.score() == [FrameOutcome.SCORED]
    ((source, locator, fingerprint),) = read_rows(
        bench.state, "SELECT source, locator, fingerprint FROM frames"
    )
    ticket = FrameTicket(
        key=key(),
        source=str(source),
        locator=str(locator),
        fingerprint=str(fingerprint),
        seen_at=START,
        acquired_at=START + timedelta(hours=3),
    )
    before = tables(bench.state)
    disk.fill()
    with pytest.raises(StoreError, match=FULL):
        bench.store.retime(ticket)
    disk.relieve()
    assert tables(bench.state) == before
    assert bench.store.retime(ticket)
    expect_whole(bench)


COVERED = {
    *(transaction_of(name) for name in WORKED if "," not in name),
    transaction_of("retime"),
    "store/schema/engine.py open_writer begin",
}
