"""`early-warning`: makes the study from a bundle and time-lapses of runs that it never saw."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from scopewatch.config import load_config
from scopewatch.config.rule import Rule
from scopewatch.config.rules import (
    PlateCollapseConfig,
    RuleConfig,
    SuddenChangeConfig,
    UnfitFramesConfig,
    WeakForecastConfig,
)
from scopewatch.core.alerts.implied_rules import implied_rules
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.bundle.training_copies import check_copies, name_copied_runs
from scopewatch_training.dataset.checks.matching import refuse_other_views
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.page import Page, Section, write_page
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.evaluate import write_figures
from scopewatch_training.evaluation.label_check import check_labels
from scopewatch_training.forecasting.courses import read_finals
from scopewatch_training.forecasting.early_warning.page import draw_study, make_section
from scopewatch_training.forecasting.early_warning.results import Study
from scopewatch_training.forecasting.early_warning.study import (
    RecordedRuns,
    StudyPlan,
    study_warnings,
)
from scopewatch_training.forecasting.forecast import final_efficiencies
from scopewatch_training.forecasting.frame_scores import FrameScores, score_moments
from scopewatch_training.forecasting.matching import (
    check_ends,
    check_timelapse,
    hash_ends,
    refuse_exchanged_wells,
)
from scopewatch_training.forecasting.timelapse import Well, read_timelapse
from scopewatch_training.network.stages import Stages

DEFAULT_TARGETS: Final = (0.5,)
DEFAULT_RATES: Final = (0.25, 0.5, 1.0, 2.0)
"""False alarms per run at which the methods are compared."""


def choose_rules(config: Path | None, limit: float | None) -> tuple[AlertRule, ...]:
    """Return the rules of wells and plates, that of the forecast first.

    Which runs a rule watches is left out: the runs of a study are others than those.

    Parameters
    ----------
    config
        A `config.yaml` whose rules they are; None takes those of `default_rules`.
    limit
        In place of the forecast rule's own.

    Raises
    ------
    ConfigError
        When the configuration has no weak-forecast rule.
    """
    rules = default_rules() if config is None else load_config(config).stepped_rules()
    replayed = [replace(rule, runs=()) for rule in rules if not rule.kind.of_the_monitor]
    first = next((rule for rule in replayed if rule.kind is RuleKind.WEAK_FORECAST), None)
    if first is None:
        raise ConfigError(
            complaint(
                "configuration has no rule to replay",
                where=config,
                expected="a rule of kind weak-forecast",
                do="add one, or leave --config out for the defaults",
            )
        )
    others = (rule for rule in replayed if rule is not first)
    limit = first.limit if limit is None else limit
    return (replace(first, limit=limit, critical_limit=None), *others)


def default_rules() -> tuple[AlertRule, ...]:
    """Return the rules of wells and plates of the configuration that is shipped."""
    configured: tuple[Rule, ...] = (
        WeakForecastConfig(name="weak forecast", kind=RuleKind.WEAK_FORECAST),
        RuleConfig(name="weak now"),
        PlateCollapseConfig(name="plate collapse", kind=RuleKind.PLATE_COLLAPSE),
        SuddenChangeConfig(name="sudden change", kind=RuleKind.SUDDEN_CHANGE),
        UnfitFramesConfig(name="no frame fit to judge", kind=RuleKind.UNFIT_FRAMES),
    )
    rules = tuple(each.rule() for each in configured)
    return (*rules, *implied_rules(rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRequest:
    """Request of a study: bundle, runs, rules and targets.

    Parameters
    ----------
    bundle
        Folder of the bundle.
    timelapse
        Table of all phase frames of runs that the bundle never saw.
    finals
        A table of final efficiencies, or a data set that holds the fluorescence of their final day.
    rules
        As `choose_rules` returns them.
    targets
        Efficiencies below which a well is weak, 0 to 1.
    rates
        False alarms per run at which the methods are compared.
    final_day
        None: the last day of the time-lapse.
    scores
        File that keeps the score of each frame; see `frame_scores.FrameScores`.
    threads
        CPU threads of the scorer.
    """

    bundle: Path
    timelapse: Path
    finals: Path
    rules: tuple[AlertRule, ...]
    targets: tuple[float, ...] = DEFAULT_TARGETS
    rates: tuple[float, ...] = DEFAULT_RATES
    final_day: float | None = None
    scores: Path | None = None
    threads: int = 2


def run_study(request: StudyRequest, stages: Stages) -> Study:
    """Score the time-lapse, replay its runs and return the study.

    Raises
    ------
    ConfigError
        When the bundle was trained on one of the runs, or too few wells have a final efficiency.
    """
    bundle = load_bundle(request.bundle)
    recorded = read_runs(bundle, request, stages)
    courses = recorded.courses
    seen = sorted({course.run for course in courses} & set(bundle.card.trained_on))
    _refuse_training_runs(request.timelapse, seen)
    last = max((sight.day for each in courses for sight in each.sights), default=0.0)
    plan = StudyPlan(
        rules=request.rules,
        targets=request.targets,
        rates=request.rates,
        final_day=last if request.final_day is None else request.final_day,
    )
    with stages.counting("targets") as progress:
        return study_warnings(recorded, plan, progress)


def write_study(
    study: Study,
    folder: Path,
    json_file: Path | None,
    plot: Path | None,
    page: Path | None,
    *,
    now: datetime,
) -> None:
    """Write the study as figures, as a picture, and as a page; each where it is asked for."""
    card = load_bundle(folder).card
    mark = "simulated" if card.simulated else ""
    if json_file is not None:
        head = {"bundle": f"{card.name} {card.model_id}", "simulated": card.simulated}
        write_figures(json_file, head | study.to_json())
    if plot is None and page is None:
        return
    png = draw_study(study, mark)
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_bytes(png)
    if page is not None:
        content = Page(
            title=f"{card.name}: early warning",
            subtitle=f"{card.labels.marker}: {study.wells} wells of {', '.join(study.runs)}",
            sections=(make_section(study, png),),
            simulated=card.simulated,
        )
        write_page(page, content, now)


def study_section(study: Study, simulated: bool) -> Section:
    """Return the study as a section of the model's report."""
    return make_section(study, draw_study(study, "simulated" if simulated else ""))


def read_runs(bundle: Bundle, request: StudyRequest, stages: Stages) -> RecordedRuns:
    """Score the plates that hold a well whose final efficiency is known, all of their wells."""
    dataset = open_dataset(request.finals) if request.finals.is_dir() else None
    known = _read_finals(bundle, request.finals, dataset, stages)
    taken = read_timelapse(request.timelapse)
    for line in check_timelapse(taken, known, request.timelapse, request.finals):
        stages.report(line)
    plates = {place[:2] for place in known}
    frames = [each for each in taken if each.place[:2] in plates]
    ends = hash_ends(each for each in frames if each.place in known)
    copies = check_ends(bundle, ends)
    _refuse_training_runs(request.timelapse, name_copied_runs(copies.copies))
    if dataset is not None:
        refuse_exchanged_wells(ends, dataset, request.timelapse)
    else:
        for line in copies.unchecked:
            stages.report(line)
    scorer = TFLiteScorer(bundle, threads=request.threads, memory_budget_mb=SCORER_BUDGET_MB)
    with (
        stages.counting("time-lapse frames") as progress,
        FrameScores(scorer, time.monotonic, request.scores) as kept,
    ):
        moments = score_moments(frames, kept, progress)
    return RecordedRuns(moments=tuple(moments), finals=known, rates=bundle.card.rates)


def _refuse_training_runs(where: Path, seen: Sequence[str]) -> None:
    if seen:
        raise ConfigError(
            complaint(
                "early warning would be judged on training runs",
                where=where,
                expected="runs that the bundle never saw",
                got=", ".join(seen),
                do="give time-lapses of other runs, or fit with them held out",
            )
        )


def _read_finals(
    bundle: Bundle, finals: Path, dataset: Dataset | None, stages: Stages
) -> dict[Well, float]:
    if dataset is None:
        return read_finals(finals)
    refuse_other_views(bundle, dataset)
    copies = check_copies(bundle, dataset, dataset.runs())
    _refuse_training_runs(finals, name_copied_runs(copies.copies))
    rule = read_label_rule(bundle)
    for line in (*check_labels(bundle, rule, dataset, dataset.runs()).lines, *copies.unchecked):
        stages.report(line)
    return final_efficiencies(dataset, rule)
