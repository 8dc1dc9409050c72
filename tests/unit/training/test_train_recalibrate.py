"""Recalibration with a run that the daemon measured: changes and refusals."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.estimation.recalibration import (
    CourseDay,
    FrameTally,
    Proposal,
    WellCourse,
    tally,
)
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.forecasting.held_out_record import (
    HeldOutDay,
    HeldOutRecord,
    read_record,
    untally,
    write_record,
)
from scopewatch_training.forecasting.recalibrate import recalibrate
from scopewatch_training.network.calibrate import measure_errors
from tests.unit.inference.bundles import write_tiny

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
SHARES = (0.1, 0.25, 0.4, 0.6, 0.75, 0.9)


def scored(run: str, share: float, *, missed: float) -> FrameTally:
    """Return a frame of 100 tiles of which the network misses some positive ones."""
    labels = (np.arange(100) < 100 * share).astype(np.int8).reshape(10, 10)
    found = np.arange(100) < round(100 * share * (1 - missed))
    scores = np.where(found, 0.875, 0.125).astype(np.float32).reshape(10, 10)
    return tally(f"{run}-{share}", run, labels, scores, labels >= 0)


def days(run: str, share: float, *, missed: float) -> list[HeldOutDay]:
    return [
        HeldOutDay(
            run=run,
            day=float(day),
            estimate=share * (1 - missed) * day / 10,
            trend=share * (1 - missed) / 10,
            final=share,
        )
        for day in (6, 8, 10)
    ]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a bundle that read three runs without an error."""
    folder = write_tiny(tmp_path / "bundle")
    runs = ("run1", "run2", "run3")
    frames = [scored(run, share, missed=0.0) for run in runs for share in SHARES]
    wells = [each for run in runs for share in SHARES for each in days(run, share, missed=0.0)]
    card = load_bundle(folder).card.model_copy(
        update={
            "threshold": 0.5,
            "errors": measure_errors([untally(frame) for frame in frames], 0.5),
        }
    )
    rewrite_card(folder, card)
    write_record(
        folder, HeldOutRecord(runs=runs, table=(), wells=tuple(wells), frames=tuple(frames))
    )
    return folder


@pytest.fixture
def propose(bundle: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the proposal of a run of which a fifth of the positive tiles is missed."""
    card = load_bundle(bundle).card

    def write(**changes: object) -> Path:
        wells = [
            WellCourse(
                plate="P1",
                well=f"A{index + 1}",
                final=share,
                days=tuple(
                    CourseDay(day=each.day, estimate=each.estimate, trend=each.trend)
                    for each in days("run4", share, missed=0.2)
                ),
            )
            for index, share in enumerate(SHARES)
        ]
        proposal = Proposal(
            run="run4",
            simulated=card.simulated,
            model_sha256=card.model_sha256,
            made_at=NOW,
            final_day=10,
            why="wells read 10 points too low",
            bias=-0.1,
            mae=0.1,
            frames=tuple(scored("run4", share, missed=0.2) for share in SHARES),
            wells=tuple(wells),
        )
        path = tmp_path / "run4.json"
        path.write_text(proposal.model_copy(update=changes).model_dump_json())
        return path

    return write


def test_a_tally_gives_the_same_scores_back() -> None:
    frame = scored("run1", 0.3, missed=0.1)

    labels, scores = untally(frame).counted

    assert (labels.size, int(labels.sum())) == (100, 30)
    assert sorted(set(scores.tolist())) == [0.125, 0.875]
    assert int(np.count_nonzero(scores[labels == 1] > 0.5)) == 27


def test_the_new_run_moves_error_rates_and_interval_and_the_card_names_it(
    bundle: Path, propose: Callable[..., Path], tmp_path: Path
) -> None:
    before = (bundle / "card.yaml").read_bytes()

    done = recalibrate(bundle, propose(), tmp_path / "new", now=NOW)

    card = load_bundle(tmp_path / "new").card
    assert card == done.after
    assert card.errors is not None
    assert done.before.errors is not None
    assert card.recalibrated_on == ("run4",)
    assert card.errors.tpr < done.before.errors.tpr
    assert card.errors.half_width is not None
    assert done.before.errors.half_width is not None
    assert card.errors.half_width > done.before.errors.half_width
    assert card.errors.run_residuals.keys() == {"run1", "run2", "run3", "run4"}
    assert abs(done.bias_after) < abs(done.bias_before)
    assert (card.threshold, card.model_sha256) == (0.5, done.before.model_sha256)
    assert (bundle / "card.yaml").read_bytes() == before


def test_the_forecast_is_fitted_with_the_new_run_and_with_the_new_correction(
    bundle: Path, propose: Callable[..., Path], tmp_path: Path
) -> None:
    card = recalibrate(bundle, propose(), tmp_path / "new", now=NOW).after
    record = read_record(tmp_path / "new")

    assert [row.day for row in card.forecast] == [6.0, 8.0, 10.0]
    assert record.runs == ("run1", "run2", "run3", "run4")
    assert record.table == card.forecast
    assert isinstance(card.errors, HeldOutErrors)
    # The new card corrects raw 0.4 of a well of run1 by its own rates.
    raw = (0.4 - card.errors.fpr) / (card.errors.tpr - card.errors.fpr)
    carried = [
        day.estimate for day in record.wells if (day.run, day.day, day.final) == ("run1", 10.0, 0.4)
    ]
    assert carried == [pytest.approx(raw, abs=0.01)]


def test_a_threshold_that_is_no_longer_good_is_chosen_again(
    bundle: Path, propose: Callable[..., Path], tmp_path: Path
) -> None:
    def low(share: float) -> FrameTally:
        # All positive tiles score between the old threshold and what is below every positive one.
        frame = scored("run4", share, missed=0.0)
        return frame.model_copy(update={"scores": (0.125, 0.4)})

    path = propose(frames=tuple(low(share) for share in SHARES))

    assert 0.125 < recalibrate(bundle, path, tmp_path / "new", now=NOW).after.threshold < 0.4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run": "run2"}, "bundle knows the run already"),
        ({"model_sha256": "f" * 64}, "another model scored the run"),
        ({"simulated": "other"}, "simulated and real runs do not mix"),
    ],
)
def test_a_run_that_does_not_belong_is_refused(
    bundle: Path,
    propose: Callable[..., Path],
    tmp_path: Path,
    changes: dict[str, object],
    words: str,
) -> None:
    if "simulated" in changes:
        changes = {"simulated": not load_bundle(bundle).card.simulated}

    with pytest.raises(ConfigError, match=words):
        recalibrate(bundle, propose(**changes), tmp_path / "new", now=NOW)
    assert not (tmp_path / "new").exists()


def test_a_run_is_taken_up_once(bundle: Path, propose: Callable[..., Path], tmp_path: Path) -> None:
    recalibrate(bundle, propose(), tmp_path / "new", now=NOW)

    with pytest.raises(ConfigError, match="bundle knows the run already"):
        recalibrate(tmp_path / "new", propose(), tmp_path / "newer", now=NOW)


def test_the_bundle_itself_is_never_overwritten(bundle: Path, propose: Callable[..., Path]) -> None:
    with pytest.raises(ConfigError, match="would overwrite the bundle that it starts from"):
        recalibrate(bundle, propose(), bundle, now=NOW)


def test_a_bundle_without_its_runs_is_refused(
    bundle: Path, propose: Callable[..., Path], tmp_path: Path
) -> None:
    (bundle / "report" / "forecast.json").unlink()

    with pytest.raises(ConfigError, match="does not hold the runs that its forecast was learnt"):
        recalibrate(bundle, propose(), tmp_path / "new", now=NOW)


@pytest.mark.parametrize("text", ["no json", "{}", '{"schema_version": 2}'])
def test_a_file_that_is_no_proposal_is_refused(bundle: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "run4.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match="proposal to recalibrate cannot be read"):
        recalibrate(bundle, path, tmp_path / "new", now=NOW)
