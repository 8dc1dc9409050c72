"""The early-warning study as a picture and as a section of the model's report."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scopewatch_training.dataset.drawing import PALETTE, name_axes, to_png
from scopewatch_training.dataset.page import PagePicture, Row, Section, Table
from scopewatch_training.forecasting.early_warning.results import DAEMON, Study
from scopewatch_training.forecasting.early_warning.table import COLUMNS, list_rows


def draw_study(study: Study, title: str = "") -> bytes:
    """Draw the first target: what is caught at which price, how early, how sure; as PNG."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    price, early, sure = figure.subplots(1, 3)
    _draw_price(price, study)
    _draw_leads(early, study)
    _draw_intervals(sure, study)
    if title:
        figure.suptitle(title, fontsize=10, color="#aa2222")
    return to_png(figure)


def make_section(study: Study, png: bytes) -> Section:
    """Return the study as a section of a report."""
    coverage = study.interval_coverage
    held = "no forecast was made" if coverage is None else f"{coverage:.0%} held the end"
    rules = "; ".join(
        f"{rule.kind.value}: beyond {rule.raise_above:g}, {rule.consecutive} time points in a row,"
        f" from day {rule.from_day:g}"
        for rule in study.rules
    )
    return Section(
        title="Early warning",
        text=(
            f"Each of {len(study.runs)} runs was replayed with a forecast table learnt from the"
            " others, through the rules that the daemon steps. A weak well is caught when an"
            " alert names it as the run ends; the lead counts from when alerts began to name it"
            " without a gap to the final day."
            " Any alert that names a well that ended at the target or above is a false alarm.",
            "Both baselines are tuned on the very wells they are judged on.",
        ),
        facts=(
            ("runs", ", ".join(study.runs)),
            ("wells", f"{study.wells}"),
            ("final day", f"{study.final_day:g}"),
            ("rules", rules),
            ("90 % intervals of the forecasts", held),
        ),
        tables=(
            Table(
                columns=COLUMNS,
                rows=tuple(
                    Row(cells=cells, kind="" if cells[2] == DAEMON else "base")
                    for cells in list_rows(study)
                ),
            ),
        ),
        pictures=(
            PagePicture(
                name="early-warning",
                alt="share of weak wells caught against false alarms, lead times, and intervals",
                png=png,
            ),
        ),
    )


def _draw_price(axes: Axes, study: Study) -> None:
    target = study.targets[0]
    curve = [point.outcome for point in target.curve]
    axes.plot(
        [each.false_alarms_per_run for each in curve],
        [100 * (each.share_caught or 0) for each in curve],
        ".-",
        color=PALETTE[0],
        label=DAEMON,
    )
    axes.plot(
        target.chosen.outcome.false_alarms_per_run,
        100 * (target.chosen.outcome.share_caught or 0),
        "o",
        color=PALETTE[0],
        markersize=9,
    )
    for index, name in enumerate(target.others, start=1):
        found = [methods[name].outcome for methods in target.tuned.values()]
        found.append(target.others[name].outcome)
        found.sort(key=lambda each: each.false_alarms_per_run)
        axes.plot(
            [each.false_alarms_per_run for each in found],
            [100 * (each.share_caught or 0) for each in found],
            "s--",
            color=PALETTE[index],
            label=name,
        )
    axes.set_ylim(0, 102)
    axes.legend(fontsize=7, loc="lower right")
    name_axes(axes, "false alarms per run", "weak wells caught [%]", f"target {target.target:.0%}")


def _draw_leads(axes: Axes, study: Study) -> None:
    target = study.targets[0]
    for index, (name, point) in enumerate({DAEMON: target.chosen, **target.others}.items()):
        outcome = point.outcome
        days = study.final_day - np.array(outcome.lead_days[::-1])
        share = 100 * np.arange(1, len(days) + 1) / max(outcome.weak_wells, 1)
        axes.step(
            np.concatenate([[0], days, [study.final_day]]),
            np.concatenate([[0], share, share[-1:] if len(share) else [0]]),
            where="post",
            color=PALETTE[index],
            linestyle="-" if index == 0 else "--",
            label=f"{name}, {outcome.false_alarms_per_run:.2f} false per run",
        )
    axes.set_ylim(0, 102)
    axes.legend(fontsize=7, loc="upper left")
    name_axes(axes, "day", "weak wells named by then [%]", "at the same false alarms")


def _draw_intervals(axes: Axes, study: Study) -> None:
    days = sorted({each.day for each in study.forecasts})
    members = [[each for each in study.forecasts if each.day == day] for day in days]
    held = [100 * float(np.mean([each.held for each in each_day])) for each_day in members]
    off = [
        100 * float(np.mean([abs(each.value - each.final) for each in each_day]))
        for each_day in members
    ]
    axes.plot(days, held, "o-", color=PALETTE[0], label="interval held the end [%]")
    axes.plot(days, off, "s-", color=PALETTE[1], label="mean absolute error [points]")
    axes.axhline(90, color="#bbbbbb", linestyle="--")
    axes.set_ylim(0, 102)
    axes.legend(fontsize=7, loc="center left")
    name_axes(axes, "day", "", "forecasts of held-out runs")
