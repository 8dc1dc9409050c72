"""The fluorescence of the final day in the database: measured over the run, compared, proposed."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.orm import Session

from scopewatch.app import record_frame
from scopewatch.app.recording.store import Store
from scopewatch.core.errors import StoreError
from scopewatch.core.estimation.forecast_validation import RunReport
from scopewatch.core.estimation.recalibration import Proposal
from scopewatch.core.imaging.fluorescence import (
    FluorescenceReading,
    read_fluorescence,
    thresholds_of,
)
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.core.tickets import FrameTicket, Mark
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.readings import unpack_reading
from scopewatch.store.schema.well_tables import FluorescenceRow
from scopewatch.store.write.measuring import Measuring
from scopewatch.store.write.proposing import proposal_path, review_run
from tests.conftest import FakeClock
from tests.unit.core.fluorescence_samples import glow, marker_card
from tests.unit.store.scene import (
    RATES,
    files_of,
    frame_of,
    judged,
    key,
    open_store,
    ticket,
)

CARD = marker_card()
ERRORS = HeldOutErrors(
    tpr=RATES.tpr, fpr=RATES.fpr, half_width=RATES.half_width, run_residuals={"a": 0.01}
)
LAST = 20
WELLS = ("A1", "A2", "A3", "A4")


def measuring(state: Path) -> Measuring:
    return Measuring(
        thresholds=thresholds_of(CARD.labels),
        final_day=10.0,
        errors=ERRORS,
        model_sha256="0123456789ab" + "0" * 52,
        state=state,
    )


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    store = open_store(
        tmp_path,
        clock,
        channels={},
        measuring=measuring(tmp_path),
        day_from="time_point",
        fluorescence_channel="gfp",
        simulated=True,
    )
    yield store
    store.close()


@pytest.fixture
def reader(tmp_path: Path, store: Store) -> Iterator[Reader]:
    reader = Reader.open(tmp_path)
    yield reader
    reader.close()


def read(offered: FrameTicket, share: float) -> tuple[Frame, FluorescenceReading]:
    frame = Frame(key=offered.key, pixels=glow(share), pixel_size_um=1.0, acquired_at=None)
    return frame, read_fluorescence(frame, CARD, None)


def measure(store: Store, well: str, share: float, time_point: int = LAST) -> FrameTicket:
    offered = ticket(key(well, time_point, channel="gfp"))
    store.claim(offered)
    frame, reading = read(offered, share)
    store.measure(offered, frame, reading)
    return offered


def score(store: Store, well: str, efficiency: float, time_point: int) -> None:
    offered = ticket(key(well, time_point))
    store.claim(offered)
    raw = RATES.fpr + (RATES.tpr - RATES.fpr) * efficiency
    result = judged(offered.key, raw, grid=read(offered, 0.5)[1].grid)
    # Seen, and not dated by anything.
    frame = Frame(
        key=offered.key, pixels=frame_of(offered.key).pixels, pixel_size_um=1.3, acquired_at=None
    )
    store.commit(offered, frame, result, files_of(offered.key))


def test_a_measured_frame_is_settled_and_never_claimed_again(store: Store, reader: Reader) -> None:
    offered = measure(store, "A1", 0.5)

    assert not store.claim(offered)
    assert store.settled("folder", [Mark(offered.locator, offered.fingerprint)]) == {
        offered.locator
    }
    assert reader.counts().scored == 0
    ((well),) = reader.ends()[0].wells
    assert (well.well, well.measured, well.now) == ("A1", 0.5, None)


def test_a_stored_reading_comes_back_bit_for_bit(store: Store) -> None:
    offered = measure(store, "A1", 0.5)
    _, reading = read(offered, 0.5)

    with store.write_unit() as work:
        kept = unpack_reading(work.session.query(FluorescenceRow).one())

    np.testing.assert_array_equal(kept.positive, reading.positive)
    np.testing.assert_array_equal(kept.histogram, reading.histogram)
    assert (kept.grid, kept.noise) == (reading.grid, reading.noise)


def test_the_runs_threshold_moves_what_was_measured_before(store: Store, reader: Reader) -> None:
    # A well without a positive cell, alone, shows no signal; with the run it still has none.
    measure(store, "A1", 0.0)
    before = reader.ends()[0].wells
    measure(store, "A2", 1.0)
    after = reader.ends()[0].wells

    assert [well.measured for well in before] == [0.0]
    assert after[0].measured == 0.0
    assert len(after) == 2


def test_fluorescence_before_the_final_day_measures_nothing_yet(
    store: Store, reader: Reader
) -> None:
    measure(store, "A1", 0.5, time_point=12)

    assert reader.ends() == []


def test_the_newest_frame_of_a_site_counts(store: Store, reader: Reader) -> None:
    measure(store, "A1", 0.25, time_point=LAST - 1)
    measure(store, "A1", 0.75, time_point=LAST)

    assert [well.measured for well in reader.ends()[0].wells] == [0.75]


def test_measured_is_listed_beside_now_and_the_forecasts_of_earlier_days(
    store: Store, reader: Reader
) -> None:
    for time_point in (8, 12, 16, LAST):
        score(store, "A1", 0.4, time_point)
    measure(store, "A1", 0.5)

    (well,) = reader.ends()[0].wells

    assert well.now is not None
    assert well.now.value == pytest.approx(0.4)
    # Day 4 is before the table speaks, and day 10 is no forecast any more.
    assert [forecast.day for forecast in well.forecasts] == [6.0, 8.0]
    assert all(forecast.value == pytest.approx(0.4, abs=0.01) for forecast in well.forecasts)


def test_a_run_that_departs_is_proposed_and_a_run_that_does_not_is_not(
    store: Store, tmp_path: Path
) -> None:
    path = proposal_path(tmp_path, "run 7")
    for well in WELLS:
        for time_point in (16, LAST):
            score(store, well, 0.5, time_point)
        measure(store, well, 0.5)
    assert not path.exists()

    for well in WELLS:
        measure(store, well, 0.25, time_point=LAST + 1)
    proposal = Proposal.model_validate_json(path.read_text())

    assert "25.0 points too high" in proposal.why
    assert (proposal.run, proposal.simulated) == ("run 7", True)
    assert len(proposal.frames) == 4
    assert sum(proposal.frames[0].positive) == 16
    assert [day.day for day in proposal.wells[0].days] == [8.0, 10.0]
    assert proposal.wells[0].final == 0.25


@pytest.mark.parametrize("pause", [1, 2, 5])
def test_frames_after_the_final_day_have_the_run_reviewed_once_for_all_wells(
    store: Store, monkeypatch: pytest.MonkeyPatch, pause: int
) -> None:
    for well in WELLS:
        score(store, well, 0.5, LAST)
        measure(store, well, 0.25)
    reviews: list[str] = []

    def review(session: Session, run: str, asked: Measuring, now: datetime) -> RunReport:
        reviews.append(run)
        return review_run(session, run, asked, now)

    monkeypatch.setattr(record_frame, "review_run", review)

    reviewed = []
    for well in WELLS:
        score(store, well, 0.5, LAST + pause)
        reviewed.append(len(reviews))

    assert reviewed == [0, 0, 0, 1]


def test_a_proposal_is_taken_back_when_the_run_keeps_the_promise_after_all(
    store: Store, tmp_path: Path
) -> None:
    path = proposal_path(tmp_path, "run 7")
    for well in WELLS:
        score(store, well, 0.5, LAST)
        measure(store, well, 0.25)
    assert path.exists()

    for well in WELLS:
        measure(store, well, 0.5, time_point=LAST + 1)

    assert not path.exists()


def test_a_frame_that_turns_out_unfit_is_measured_no_more(store: Store, reader: Reader) -> None:
    offered = measure(store, "A1", 0.5)
    changed = ticket(offered.key, fingerprint="2")
    store.claim(changed)
    store.quarantine(changed, "unreadable", "file is cut off")
    measure(store, "A2", 0.5)

    assert [well.well for well in reader.ends()[0].wells] == ["A2"]


def test_frames_skipped_before_the_channel_was_configured_are_taken_up(
    tmp_path: Path, clock: FakeClock
) -> None:
    offered = ticket(key(channel="gfp"))
    found = [Mark(offered.locator, offered.fingerprint)]
    plain = open_store(tmp_path, clock)
    plain.skip(offered, "not scored: channel gfp")
    assert plain.settled("folder", found) == {offered.locator}
    plain.close()

    marker_store = open_store(tmp_path, clock, fluorescence_channel="gfp")

    assert marker_store.settled("folder", found) == set()
    assert marker_store.claim(offered)
    marker_store.close()


def test_the_shape_of_a_phase_frame_is_known_once_it_was_scored(store: Store) -> None:
    assert store.phase_shape(key("A1", LAST, channel="gfp")) is None

    score(store, "A1", 0.5, 3)

    assert store.phase_shape(key("A1", LAST, channel="gfp")) == (256, 256)


def test_damaged_readings_are_refused(store: Store) -> None:
    measure(store, "A1", 0.5)
    with store.write_unit() as work:
        row = work.session.query(FluorescenceRow).one()
        row.positive = b"no"
        with pytest.raises(StoreError, match="stored fluorescence is damaged"):
            unpack_reading(row)
        work.session.rollback()


def test_the_log_says_that_a_fluorescence_frame_is_from_before_the_start(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    start = clock.now()
    store = open_store(
        tmp_path,
        clock,
        measuring=measuring(tmp_path),
        fluorescence_channel="gfp",
        started_at=start,
    )
    offered = ticket(key("A1", LAST, channel="gfp"))
    store.claim(offered)
    frame, reading = read(offered, 0.5)
    with caplog.at_level(logging.WARNING):
        store.measure(offered, replace(frame, acquired_at=start - timedelta(hours=12)), reading)
    assert "frame was taken before the run started" in caplog.text
    store.close()
