"""`forecast`: learns the forecast table of a bundle from time-lapses of runs it never saw."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.labels import prevalence
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.bundle.card_writer import label_recipe
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.bundle.label_rule import LabelRule, read_label_rule
from scopewatch_training.bundle.training_copies import check_copies, name_copied_runs
from scopewatch_training.dataset.checks.matching import refuse_other_views
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.evaluate import score_fields
from scopewatch_training.evaluation.label_check import check_labels
from scopewatch_training.forecasting.courses import follow_wells, plan_of
from scopewatch_training.forecasting.forecast_table import fit_forecast
from scopewatch_training.forecasting.frame_scores import FrameScores, score_moments
from scopewatch_training.forecasting.held_out_record import (
    HeldOutDay,
    HeldOutRecord,
    tally_field,
    write_record,
)
from scopewatch_training.forecasting.matching import (
    check_timelapse,
    hash_ends,
    refuse_exchanged_wells,
)
from scopewatch_training.forecasting.timelapse import Well, read_timelapse
from scopewatch_training.network.stages import Stages


def forecast(
    folder: Path,
    dataset: Dataset,
    timelapse: Path,
    *,
    threads: int,
    stages: Stages,
    scores: Path | None = None,
) -> tuple[ForecastDay, ...]:
    """Learn the forecast table and write it on the bundle's card.

    The truth of a well is the efficiency of the fluorescence of its last pair in `dataset`. The
    predictor is its running estimate of a day, as the daemon makes it.

    Parameters
    ----------
    scores
        File that keeps the score of each frame; see `frame_scores.FrameScores`.

    Raises
    ------
    ConfigError
        When no well of the time-lapse has a truth, too few wells or runs have, or the bundle
        was trained on one of the runs, under its name or another.
    """
    bundle = load_bundle(folder)
    refuse_other_views(bundle, dataset)
    copies = check_copies(bundle, dataset, dataset.runs())
    by_name = set(dataset.runs()) & set(bundle.card.trained_on)
    seen = [*sorted(by_name), *name_copied_runs(copies.copies)]
    if seen:
        raise ConfigError(
            complaint(
                "forecast would be learnt on training runs",
                where=dataset.folder,
                expected="runs that the bundle never saw",
                got=", ".join(seen),
                do="prepare a data set of other runs, or fit with them held out",
            )
        )
    rule = read_label_rule(bundle)
    for line in (
        *check_labels(bundle, rule, dataset, dataset.runs()).lines,
        *copies.unchecked,
    ):
        stages.report(line)
    finals = final_efficiencies(dataset, rule)
    taken = read_timelapse(timelapse)
    for line in check_timelapse(taken, finals, timelapse, dataset.folder):
        stages.report(line)
    frames = [frame for frame in taken if frame.place in finals]
    refuse_exchanged_wells(hash_ends(frames), dataset, timelapse)
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)
    with (
        stages.counting("time-lapse frames") as progress,
        FrameScores(scorer, time.monotonic, scores) as kept,
    ):
        moments = score_moments(frames, kept, progress)
    rates = bundle.card.rates
    courses = follow_wells(moments, finals, plan_of(moments, rates))
    wells = [day for course in courses for day in course.days()]
    rows = fit_forecast(wells)
    if not rows:
        raise ConfigError(
            complaint(
                "too few wells to learn a forecast",
                where=timelapse,
                expected="a day with six wells of two runs whose final efficiency is known",
                got=f"{len(finals)} wells with a final efficiency, {len(wells)} days of them",
                do="give the time-lapse of the same runs and wells as the data set",
            )
        )
    labels = bundle.card.labels
    if labels.recipe is None:
        # Of an earlier version: these settings are the best guess at those of its training.
        recipe = label_recipe(rule.thresholds, rule.labels, dataset.settings)
        labels = labels.model_copy(update={"recipe": recipe})
    rewrite_card(folder, bundle.card.model_copy(update={"forecast": rows, "labels": labels}))
    frames_of_end = score_fields(bundle, dataset, dataset.runs(), rule, threads)
    record = HeldOutRecord(
        runs=tuple(sorted({well.run for well in wells})),
        table=rows,
        wells=tuple(HeldOutDay(**asdict(well)) for well in wells),
        frames=tuple(tally_field(field) for field in frames_of_end),
    )
    write_record(folder, record)
    return rows


def final_efficiencies(dataset: Dataset, rule: LabelRule) -> dict[Well, float]:
    """Return the final efficiency of each well: the mean over sites of their last pairs."""
    last: dict[tuple[str, str, str, int], Pair] = {}
    for pair in dataset.accepted:
        place = (pair.run, pair.plate, pair.well, pair.site)
        if place not in last or pair.time_point > last[place].time_point:
            last[place] = pair
    thresholds = rule.thresholds.per_pair(dataset.accepted)
    sites: dict[Well, list[float]] = {}
    for (run, plate, well, _), pair in last.items():
        share = prevalence(dataset.label(pair, thresholds[pair.id], rule.labels))
        if share is not None:
            sites.setdefault((run, plate, well), []).append(share)
    return {place: float(np.mean(shares)) for place, shares in sites.items()}
