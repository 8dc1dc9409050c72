"""`evaluate`: scores runs that a bundle never saw, as the daemon does, and judges the scores."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.files import write_whole
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.card_limits import held_out_words, interval_words, list_limits
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.bundle.label_rule import LabelRule, read_label_rule
from scopewatch_training.bundle.refused_frames import describe_refused
from scopewatch_training.bundle.training_copies import CopyCheck, check_copies, describe_copies
from scopewatch_training.dataset.checks.matching import refuse_other_views
from scopewatch_training.dataset.page import Section
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import Assessment, ScoredField, assess
from scopewatch_training.evaluation.baselines import Baselines
from scopewatch_training.evaluation.label_check import LabelCheck, check_labels
from scopewatch_training.evaluation.no_positives import describe_runs_without_positives
from scopewatch_training.evaluation.report import ReportContent, write_report
from scopewatch_training.network.frames import frames_of, score_frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Figures of a bundle on some runs.

    Parameters
    ----------
    seen
        Those of the runs that the bundle was trained on.
    flattered
        Runs whose figures flatter: seen, recalibrated on, or with copies of training frames.
    copies
        Copies of its training frames among the other runs: the figures of these flatter, too.
    rule
        By which the tiles were labelled.
    labels
        How the data set's labels differ from the bundle's.
    baselines
        By name; empty where the data set does not hold the training runs.
    notes
        What limits the figures, a line each.
    """

    bundle: str
    runs: tuple[str, ...]
    seen: tuple[str, ...]
    flattered: tuple[str, ...]
    copies: CopyCheck
    rule: LabelRule
    labels: LabelCheck
    assessment: Assessment
    baselines: dict[str, Assessment]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation as JSON values."""
        return {
            "bundle": self.bundle,
            "runs": list(self.runs),
            "seen_in_training": list(self.seen),
            "flattered_runs": list(self.flattered),
            **self.copies.to_json(),
            **self.labels.to_json(),
            "notes": list(self.notes),
            **self.assessment.to_json(self.baselines),
        }


def evaluate(
    bundle: Bundle,
    dataset: Dataset,
    *,
    runs: Sequence[str] = (),
    threads: int,
    with_baselines: bool = True,
    seed: int = 0,
) -> Evaluation:
    """Score runs of a data set with a bundle and judge the scores.

    Parameters
    ----------
    runs
        Which; none for all that the bundle was not trained on, or all where it saw them all.

    Raises
    ------
    ConfigError
        When the data set was normalised or scaled otherwise than the bundle's.
    ModelError
        When the bundle's list of training frames is not the one that its card names.
    """
    refuse_other_views(bundle, dataset)
    unseen = [run for run in dataset.runs() if run not in bundle.card.trained_on]
    chosen = tuple(runs) or tuple(unseen) or tuple(dataset.runs())
    rule = read_label_rule(bundle)
    copies = check_copies(bundle, dataset, chosen)
    labels = check_labels(bundle, rule, dataset, chosen)
    fields = score_fields(bundle, dataset, chosen, rule, threads)
    baselines: dict[str, Assessment] = {}
    trained_on = [run for run in dataset.runs() if run in bundle.card.trained_on]
    if with_baselines and trained_on and not set(trained_on) & set(chosen):
        baselines = assess_baselines(dataset, trained_on, chosen, rule, threads)
    card = bundle.card
    known = {*card.trained_on, *card.recalibrated_on, *(each.run for each in copies.copies)}
    return Evaluation(
        bundle=f"{card.name} {card.model_id}",
        runs=chosen,
        seen=tuple(run for run in chosen if run in card.trained_on),
        flattered=tuple(run for run in chosen if run in known),
        copies=copies,
        rule=rule,
        labels=labels,
        assessment=assess(fields, np.random.default_rng(seed)),
        baselines=baselines,
        notes=(
            *_flattery(bundle, chosen, copies, dataset),
            *labels.lines,
            *copies.unchecked,
            *describe_refused(card.quality, dataset.of_runs(chosen)),
            *describe_runs_without_positives(fields),
        ),
    )


def report_evaluation(
    bundle: Bundle,
    dataset: Dataset,
    folder: Path,
    *,
    runs: Sequence[str] = (),
    threads: int,
    now: datetime,
    more: Sequence[Section] = (),
) -> Path:
    """Evaluate a bundle, write a page about it for a biologist, and return the path of the page.

    Parameters
    ----------
    more
        Further sections, before what quantising changed.
    """
    evaluation = evaluate(bundle, dataset, runs=runs, threads=threads)
    card = bundle.card
    content = ReportContent(
        title=card.name,
        subtitle=f"{card.labels.marker}: trained on {', '.join(card.trained_on)},"
        f" judged on {', '.join(evaluation.runs)}",
        assessment=evaluation.assessment,
        baselines=evaluation.baselines,
        thresholds=evaluation.rule.thresholds.per_pair(dataset.of_runs(evaluation.runs)),
        tile_px=card.tile_px,
        facts=[
            ("model", card.model_id),
            ("tile", f"{card.tile_px} px"),
            ("context", card.context),
            ("scale", "not stated" if card.um_per_px is None else f"{card.um_per_px} um/px"),
            ("labels", f"{card.labels.binarisation}; area cut-off {card.labels.area_cutoff}"),
            ("decision threshold", f"{card.threshold:.3f}"),
            ("held out in training", held_out_words(card.errors)),
            ("interval of the efficiency", interval_words(card.errors)),
            ("false refusals", _share(card.quality.false_refusal_rate)),
            ("made", f"{card.created_at:%Y-%m-%d}, TensorFlow {card.versions.tensorflow}"),
        ],
        notes=(
            *evaluation.notes,
            *dataset.corrections_note(),
            *list_limits(card),
        ),
        flattered=evaluation.flattered,
        gate=evaluation.rule.gate,
        more=more,
    )
    return write_report(folder, content, dataset, now)


def score_fields(
    bundle: Bundle, dataset: Dataset, runs: Sequence[str], rule: LabelRule, threads: int
) -> list[ScoredField]:
    """Score all pairs of some runs with a bundle, as the daemon would."""
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)
    frames = frames_of(dataset, dataset.of_runs(runs), rule.thresholds, rule.labels)
    rates = bundle.card.rates
    return [
        ScoredField(
            id=frame.id,
            run=frame.run,
            labels=frame.labels,
            probability=frame.scores,
            threshold=bundle.card.threshold,
            rates=rates,
        )
        for frame in score_frames(scorer, frames, rule.labels)
    ]


def assess_baselines(
    dataset: Dataset,
    training: Sequence[str],
    testing: Sequence[str],
    rule: LabelRule,
    jobs: int,
) -> dict[str, Assessment]:
    """Train the baselines on some runs and judge them on others."""
    train, test = dataset.of_runs(training), dataset.of_runs(testing)
    per_pair = rule.thresholds.per_pair(train) | rule.thresholds.per_pair(test)
    scored = Baselines(dataset=dataset, labels=rule.labels, jobs=jobs).score(train, test, per_pair)
    rng = np.random.default_rng(0)
    return {name: assess(fields, rng, repeats=0) for name, fields in scored.items()}


def _flattery(
    bundle: Bundle, runs: Sequence[str], copies: CopyCheck, dataset: Dataset
) -> list[str]:
    """Return a line for each reason why figures flatter."""
    card = bundle.card
    lines = []
    for how, known in (("trained", card.trained_on), ("recalibrated", card.recalibrated_on)):
        seen = [run for run in runs if run in known]
        if seen:
            lines.append(f"These figures flatter: the bundle was {how} on {', '.join(seen)}.")
    found = describe_copies(
        copies.copies,
        sizes=Counter(pair.run for pair in dataset.accepted),
        known="training frames of the bundle",
        expected="runs that share no picture with training",
        do="judge other runs (--run)",
    )
    return lines + [f"These figures flatter: {line}" for line in found]


def _share(rate: float | None) -> str:
    return "not measured" if rate is None else f"{rate:.1%} of the frames of a training run"


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write figures as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(figures, indent=2, allow_nan=False) + "\n").encode())
