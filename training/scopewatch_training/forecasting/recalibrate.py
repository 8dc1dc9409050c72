"""`recalibrate`: refits a bundle with a run that the daemon measured.

The network stays as it is. Threshold, error rates and forecast are refitted on the runs that the
forecast was learnt from with the new run among them, into a new bundle whose card names the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.estimation.recalibration import Proposal
from scopewatch.core.imaging.efficiency import ErrorRates, correct
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch_training.bundle.bundle_writer import read_report, refuse_foreign, write_bundle
from scopewatch_training.bundle.card_limits import renew_notes
from scopewatch_training.bundle.card_writer import held_out_figures
from scopewatch_training.forecasting.forecast_table import WellDay, fit_forecast
from scopewatch_training.forecasting.held_out_record import (
    FORECAST_FILE,
    HeldOutDay,
    HeldOutRecord,
    read_record,
    untally,
)
from scopewatch_training.network.calibrate import (
    ScoredFrame,
    choose_threshold,
    measure_errors,
    pool_tiles,
)

SLACK = 0.003
"""The threshold is kept while its F1 is within this of the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibrated:
    """A card before and after, and the run that made the difference.

    Parameters
    ----------
    bias_before, bias_after
        Mean of (estimate - measured) over the run's frames, by either card; fractions. The
        second is of a card that knows the run: it flatters.
    """

    run: str
    before: ModelCard
    after: ModelCard
    bias_before: float
    bias_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How a card turns tiles into an efficiency."""

    threshold: float
    rates: ErrorRates | None

    def estimates(self, frames: Sequence[ScoredFrame]) -> NDArray[np.float64]:
        raw = [float(np.mean(frame.scores >= self.threshold)) for frame in frames]
        return np.array([correct(share, self.rates).value for share in raw])


def recalibrate(folder: Path, proposal_file: Path, out: Path, *, now: datetime) -> Recalibrated:
    """Refit a bundle's threshold, error rates and forecast with a measured run; write a new one.

    Raises
    ------
    ConfigError
        When the proposal is of another model or of a run that the bundle knows already, when it
        is real and the bundle simulated or the other way round, or when `out` is the bundle itself.
    """
    bundle = load_bundle(folder)
    proposal = read_proposal(proposal_file)
    if out.resolve() == folder.resolve():
        raise ConfigError(
            complaint(
                "recalibration would overwrite the bundle that it starts from",
                where=out,
                expected="another folder",
                do="give another --out; the daemon takes the new bundle once config.yaml names it",
            )
        )
    refuse_foreign(out)
    record = read_record(folder)
    _refuse_stranger(bundle, record, proposal, proposal_file)
    frames = [untally(frame) for frame in (*record.frames, *proposal.frames)]
    old = _Reading(
        threshold=bundle.card.threshold,
        rates=bundle.card.rates,
    )
    threshold = _keep_or_choose(frames, old.threshold)
    errors = measure_errors(frames, threshold)
    new = _Reading(threshold=threshold, rates=errors.rates())
    wells = _carry_over(_days(record, proposal), old.estimates(frames), new.estimates(frames))
    table = fit_forecast(wells)
    card = _name_run(bundle.card, proposal, now).model_copy(
        update={
            "threshold": threshold,
            "errors": errors,
            "forecast": table,
            "metrics": held_out_figures(frames, threshold, errors),
        }
    )
    card = renew_notes(card, bundle.card)
    _write(bundle, out, card, record, proposal, wells)
    own = [frame for frame in frames if frame.run == proposal.run]
    true = np.array([float(np.mean(frame.labels == 1)) for frame in own])
    return Recalibrated(
        run=proposal.run,
        before=bundle.card,
        after=card,
        bias_before=float(np.mean(old.estimates(own) - true)),
        bias_after=float(np.mean(new.estimates(own) - true)),
    )


def read_proposal(path: Path) -> Proposal:
    """Read a proposal that the daemon wrote.

    Raises
    ------
    ConfigError
        When it cannot be read, or is none.
    """
    try:
        return Proposal.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        got = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            got = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise ConfigError(
            complaint(
                "proposal to recalibrate cannot be read",
                where=path,
                expected="a file of the daemon's state/recalibration",
                got=got,
                do="give the file that scopewatch status names",
            )
        ) from error


def _refuse_stranger(
    bundle: Bundle, record: HeldOutRecord, proposal: Proposal, where: Path
) -> None:
    card = bundle.card
    known = {*card.trained_on, *record.runs, *card.recalibrated_on}
    if proposal.model_sha256 != card.model_sha256:
        what, expected, got = "another model scored the run", card.model_id, proposal.model_sha256
        got = got[:12]
    elif proposal.run in known:
        what, expected = "bundle knows the run already", f"a run other than {sorted(known)}"
        got = proposal.run
    elif proposal.simulated != card.simulated:
        words = {True: "simulated", False: "real"}
        what = "simulated and real runs do not mix"
        expected, got = f"a {words[card.simulated]} run", words[proposal.simulated]
    else:
        return
    raise ConfigError(
        complaint(
            what,
            where=where,
            expected=expected,
            got=got,
            do="give the bundle that the daemon ran with, and a run that is new to it",
        )
    )


def _keep_or_choose(frames: Sequence[ScoredFrame], threshold: float) -> float:
    """Return the threshold as it is while it is as good as any, else a better one."""
    best = choose_threshold(frames)
    labels, scores = pool_tiles(frames)
    f1 = [
        2
        * np.count_nonzero((scores >= cut) & (labels == 1))
        / (np.count_nonzero(scores >= cut) + np.count_nonzero(labels == 1))
        for cut in (threshold, best)
    ]
    return threshold if f1[0] >= f1[1] - SLACK else best


def _days(record: HeldOutRecord, proposal: Proposal) -> list[WellDay]:
    fresh = [
        WellDay(
            run=proposal.run,
            day=day.day,
            estimate=day.estimate,
            trend=day.trend,
            final=well.final,
        )
        for well in proposal.wells
        for day in well.days
    ]
    return [*(well.well_day() for well in record.wells), *fresh]


def _carry_over(
    wells: Sequence[WellDay],
    old: NDArray[np.float64],
    new: NDArray[np.float64],
) -> list[WellDay]:
    """Bring running estimates from the old correction to the new one.

    Both the correction and the smoothing are linear, so that a line does it: the one between the
    old and the new estimates of the final frames.
    """
    if np.ptp(old) < 1e-6:
        slope, offset = 1.0, float(np.mean(new - old))
    else:
        slope, offset = (float(each) for each in np.polyfit(old, new, 1))
    return [
        WellDay(
            run=well.run,
            day=well.day,
            estimate=float(np.clip(offset + slope * well.estimate, 0, 1)),
            trend=slope * well.trend,
            final=well.final,
        )
        for well in wells
    ]


def _name_run(card: ModelCard, proposal: Proposal, now: datetime) -> ModelCard:
    return card.model_copy(
        update={
            "recalibrated_on": (*card.recalibrated_on, proposal.run),
            "created_at": now,
        }
    )


def _write(
    bundle: Bundle,
    out: Path,
    card: ModelCard,
    record: HeldOutRecord,
    proposal: Proposal,
    wells: Sequence[WellDay],
) -> None:
    kept = HeldOutRecord(
        runs=(*record.runs, proposal.run),
        table=card.forecast,
        wells=tuple(
            HeldOutDay(
                run=well.run,
                day=well.day,
                estimate=well.estimate,
                trend=well.trend,
                final=well.final,
            )
            for well in wells
        ),
        frames=(*record.frames, *proposal.frames),
    )
    report = {**read_report(bundle.folder), FORECAST_FILE: kept.to_json().encode()}
    write_bundle(out, bundle.model, card, report)
