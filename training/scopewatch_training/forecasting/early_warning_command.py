"""`early-warning`: from a bundle and time-lapses of runs it never saw to the study."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from scopewatch.config import load_config
from scopewatch.config.rules import RuleConfig, WeakForecastConfig
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.dataset.page import Page, Section, write_page
from scopewatch_training.dataset.prepared import open_dataset
from scopewatch_training.evaluation.evaluate import (
    read_label_rule,
    refuse_other_views,
    write_figures,
)
from scopewatch_training.forecasting.courses import Course, follow_wells, read_finals
from scopewatch_training.forecasting.early_warning import study_warnings
from scopewatch_training.forecasting.early_warning_page import draw_study, make_section
from scopewatch_training.forecasting.early_warning_results import Study
from scopewatch_training.forecasting.forecast import final_efficiencies
from scopewatch_training.forecasting.timelapse import (
    FrameScores,
    Well,
    read_timelapse,
    score_moments,
)
from scopewatch_training.network.stages import Stages

DEFAULT_TARGETS: Final = (0.5,)
DEFAULT_RATES: Final = (0.25, 0.5, 1.0, 2.0)
"""False alarms per run at which the methods are compared."""


def choose_rules(config: Path | None, limit: float | None) -> tuple[AlertRule, ...]:
    """Return the rules for weak wells, that of the forecast first.

    Parameters
    ----------
    config
        A `config.yaml` whose rules they are; None takes the daemon's defaults.
    limit
        In place of the forecast rule's own.

    Raises
    ------
    ConfigError
        When the configuration has no weak-forecast rule.
    """
    rules: tuple[AlertRule, ...]
    if config is None:
        forecast: WeakForecastConfig = WeakForecastConfig(
            name="weak forecast", kind=RuleKind.WEAK_FORECAST
        )
        rules = (forecast.rule(), RuleConfig(name="weak now").rule())
    else:
        rules = load_config(config).alert_rules()
    foretelling = [rule for rule in rules if rule.kind is RuleKind.WEAK_FORECAST]
    if not foretelling:
        raise ConfigError(
            complaint(
                "configuration has no rule to replay",
                where=config,
                expected="a rule of kind weak-forecast",
                do="add one, or leave --config out for the defaults",
            )
        )
    first = foretelling[0] if limit is None else replace(foretelling[0], limit=limit)
    return (replace(first, critical_limit=None), *(r for r in rules if r.kind is RuleKind.WEAK_NOW))


def run_study(
    folder: Path,
    timelapse: Path,
    finals: Path,
    *,
    rules: Sequence[AlertRule],
    targets: Sequence[float],
    rates: Sequence[float],
    final_day: float | None,
    scores: Path | None,
    threads: int,
    stages: Stages,
) -> Study:
    """Score the time-lapse, replay its runs and return the study.

    Parameters
    ----------
    finals
        A table of final efficiencies, or a data set that holds the fluorescence of their final day.
    final_day
        None: the last day of the time-lapse.
    scores
        File that keeps what the model says of each frame; see `timelapse.FrameScores`.

    Raises
    ------
    ConfigError
        When the bundle was trained on one of the runs, or too few wells have a final efficiency.
    """
    bundle = load_bundle(folder)
    courses = read_courses(bundle, timelapse, finals, scores, threads, stages)
    seen = sorted({course.run for course in courses} & set(bundle.card.trained_on))
    if seen:
        raise ConfigError(
            complaint(
                "early warning would be judged on training runs",
                where=timelapse,
                expected="runs that the bundle never saw",
                got=", ".join(seen),
                do="give time-lapses of other runs, or fit with them held out",
            )
        )
    last = max((sight.day for each in courses for sight in each.sights), default=0.0)
    with stages.counting("targets") as progress:
        return study_warnings(
            courses, rules, targets, rates, last if final_day is None else final_day, progress
        )


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


def tell_study(study: Study, simulated: bool) -> Section:
    """Return the study as a section of the model's report."""
    return make_section(study, draw_study(study, "simulated" if simulated else ""))


def read_courses(
    bundle: Bundle,
    timelapse: Path,
    finals: Path,
    scores: Path | None,
    threads: int,
    stages: Stages,
) -> list[Course]:
    """Score the wells whose final efficiency is known, and follow them as the daemon does."""
    known = _read_finals(bundle, finals)
    frames = [frame for frame in read_timelapse(timelapse) if frame.place in known]
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=SCORER_BUDGET_MB)
    with (
        stages.counting("time-lapse frames") as progress,
        FrameScores(scorer, time.monotonic, scores) as kept,
    ):
        moments = score_moments(frames, kept, progress)
    return follow_wells(moments, known, bundle.card.errors.rates() if bundle.card.errors else None)


def _read_finals(bundle: Bundle, finals: Path) -> dict[Well, float]:
    if not finals.is_dir():
        return read_finals(finals)
    dataset = open_dataset(finals)
    refuse_other_views(bundle, dataset)
    return final_efficiencies(dataset, read_label_rule(bundle))
