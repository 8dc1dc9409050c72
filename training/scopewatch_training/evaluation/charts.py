"""The report's charts, drawn without a display."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn import metrics as sk

from scopewatch_training.dataset.drawing import PALETTE, name_axes, to_png
from scopewatch_training.evaluation.assessment import Assessment

_INK: Final = "#222222"


def draw_curves(models: Mapping[str, Assessment], title: str) -> bytes:
    """Draw ROC and precision-recall curves of the model and its baselines, as PNG."""
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    roc, precision_recall = figure.subplots(1, 2)
    for index, (name, assessment) in enumerate(models.items()):
        labels = np.concatenate([each.labels[each.counted] for each in assessment.fields])
        scores = np.concatenate([each.probability[each.counted] for each in assessment.fields])
        if labels.min() == labels.max():
            continue
        colour = PALETTE[index % len(PALETTE)]
        false_rate, true_rate, _ = sk.roc_curve(labels, scores)
        precision, recall, _ = sk.precision_recall_curve(labels, scores)
        tile = assessment.pooled.tile
        roc.plot(false_rate, true_rate, color=colour, label=f"{name} {tile.roc_auc:.3f}")
        precision_recall.plot(recall, precision, color=colour, label=f"{name} {tile.pr_auc:.3f}")
        if index == 0:
            roc.plot(tile.fpr, tile.tpr, "o", color=colour)
            precision_recall.plot(tile.recall, tile.precision, "o", color=colour)
            precision_recall.axhline(tile.prevalence, color="#bbbbbb", linestyle="--")
    roc.plot([0, 1], [0, 1], color="#bbbbbb", linestyle="--")
    name_axes(roc, "false positive rate", "true positive rate", "ROC (area)")
    name_axes(precision_recall, "recall", "precision", "precision and recall (area)")
    for axes in (roc, precision_recall):
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower center", fontsize=8)
    return _finish(figure, title)


def draw_calibration(assessment: Assessment, title: str) -> bytes:
    """Draw the share of positive tiles against their probability, with counts, as PNG."""
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    curve, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    bins = assessment.calibration
    curve.plot([0, 1], [0, 1], color="#bbbbbb", linestyle="--")
    curve.plot(
        [each.predicted for each in bins], [each.observed for each in bins], "o-", color=PALETTE[0]
    )
    name_axes(curve, "", "share that is positive", "calibration")
    counts.bar(
        [(each.low + each.high) / 2 for each in bins],
        [each.tiles for each in bins],
        width=0.09,
        color=PALETTE[0],
    )
    name_axes(counts, "probability given", "tiles", "")
    return _finish(figure, title)


def draw_efficiency(assessment: Assessment, title: str) -> bytes:
    """Draw estimated against true efficiency, and their differences (Bland-Altman), as PNG."""
    figure = Figure(figsize=(9.6, 4.4), layout="constrained")
    scatter, difference = figure.subplots(1, 2)
    runs = list(assessment.per_run)
    for index, run in enumerate(runs):
        fields = [each for each in assessment.fields if each.run == run]
        true = 100 * np.array([each.truth for each in fields])
        estimate = 100 * np.array([each.corrected for each in fields])
        raw = 100 * np.array([each.raw for each in fields])
        colour = PALETTE[index % len(PALETTE)]
        scatter.plot(true, raw, "o", color=colour, markerfacecolor="none", alpha=0.35)
        scatter.plot(true, estimate, "o", color=colour, label=run)
        difference.plot((true + estimate) / 2, estimate - true, "o", color=colour)
    image = assessment.pooled.image
    top = max(1.0, *(100 * max(each.truth, each.corrected, each.raw) for each in assessment.fields))
    scatter.plot([0, top], [0, top], color="#bbbbbb", linestyle="--")
    kind = "corrected (filled), raw (open)" if assessment.corrected else "estimate"
    name_axes(scatter, "efficiency by fluorescence [%]", f"{kind} [%]", f"r = {image.r:.3f}")
    scatter.legend(fontsize=8, ncols=1 + len(runs) // 10)
    for level, style in ((image.bias, "-"), (image.limit_low, "--"), (image.limit_high, "--")):
        if np.isfinite(level):
            difference.axhline(level, color=_INK, linestyle=style, linewidth=0.8)
    difference.axhline(0, color="#bbbbbb", linewidth=0.8)
    name_axes(
        difference,
        "mean of both [%]",
        "estimate - fluorescence [points]",
        f"bias {image.bias:+.1f}, limits {image.limit_low:.1f} to {image.limit_high:.1f} points",
    )
    return _finish(figure, title)


def draw_runs(models: Mapping[str, Assessment], title: str) -> bytes:
    """Draw the tile ROC AUC and F1 of every run, model beside baselines, as PNG."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    both: Sequence[Axes] = figure.subplots(1, 2)
    runs = list(next(iter(models.values())).per_run)
    place = np.arange(len(runs))
    width = 0.8 / len(models)
    for axes, what in zip(both, ("roc_auc", "f1"), strict=True):
        for index, (name, assessment) in enumerate(models.items()):
            heights = [getattr(assessment.per_run[run].tile, what) for run in runs]
            axes.bar(
                place + (index - (len(models) - 1) / 2) * width,
                heights,
                width,
                color=PALETTE[index % len(PALETTE)],
                label=name,
            )
        axes.set_xticks(place, runs, rotation=0 if len(runs) < 8 else 60)
        axes.set_ylim(0, 1)
        name_axes(axes, "", {"roc_auc": "ROC AUC", "f1": "F1"}[what], "")
    both[0].legend(fontsize=8, loc="lower left")
    return _finish(figure, title)


def _finish(figure: Figure, title: str) -> bytes:
    if title:
        figure.suptitle(title, fontsize=10, color="#aa2222")
    return to_png(figure)
