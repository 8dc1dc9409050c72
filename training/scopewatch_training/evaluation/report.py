"""The report of an evaluation, for a biologist: figures with their baselines, and pictures."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final

from scopewatch_training.bundle.agreement import MOST_AUC, MOST_CHANGED, MOST_POINTS
from scopewatch_training.dataset.page import Page, PagePicture, Row, Section, Table, write_page
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation import charts
from scopewatch_training.evaluation.assessment import Assessment, Figures
from scopewatch_training.evaluation.in_words import describe_error, describe_forest
from scopewatch_training.evaluation.stain_examples import choose_examples, draw_examples

_TILE_COLUMNS: Final = (
    "run", "tiles", "positive", "ROC AUC", "PR AUC", "F1", "precision", "recall", "MCC", "Brier",
    "accuracy", "all-negative",
)  # fmt: skip
_IMAGE_COLUMNS: Final = (
    "run", "fields", "r", "concordance", "bias", "MAE", "95 % limits", "raw bias", "raw MAE",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Content of a report.

    Parameters
    ----------
    subtitle
        Model and runs, in one line.
    assessment
        Of the model.
    baselines
        On the same split, by name.
    thresholds
        Binarisation threshold of each pair by its id.
    facts
        Settings and versions, as (name, value).
    notes
        What limits the figures, a sentence each.
    flattered
        Runs whose figures flatter.
    gate
        How far int8 and float32 differ, as `fit` recorded it; empty where it did not.
    more
        Further sections, e.g. the early-warning study.
    """

    title: str
    subtitle: str
    assessment: Assessment
    baselines: Mapping[str, Assessment]
    thresholds: Mapping[str, float]
    tile_px: int
    facts: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    flattered: Collection[str] = ()
    gate: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[Section] = ()


def write_report(folder: Path, content: ReportContent, dataset: Dataset, now: datetime) -> Path:
    """Write the report as one self-contained page with its PNGs; returns the page's path.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    mark = "simulated" if dataset.simulated else ""
    models = {"model": content.assessment, **content.baselines}
    pictures = draw_examples(
        choose_examples(content.assessment),
        dataset,
        content.thresholds,
        content.tile_px,
        mark,
    )
    sections = [
        Section(
            title="Tiles",
            text=(
                "For each tile: does it show the marker? A ROC AUC of 0.5 is chance. PR AUC and F1"
                " compare with the share of positive tiles. Accuracy means little where few tiles"
                " are positive; that of calling no tile positive (all-negative) is given, too.",
                *_sentences(content),
                *content.notes,
            ),
            tables=(
                Table(columns=_TILE_COLUMNS, rows=_rows(models, _tile_cells, content.flattered)),
                _interval_table(content.assessment),
            ),
            pictures=(
                _picture(
                    "curves", "ROC and precision-recall curves", charts.draw_curves(models, mark)
                ),
                _picture("runs", "ROC AUC and F1 of each run", charts.draw_runs(models, mark)),
                _picture(
                    "calibration",
                    "calibration curve",
                    charts.draw_calibration(content.assessment, mark),
                ),
            ),
        ),
        Section(
            title="Efficiency of each field",
            text=(_efficiency_text(content.assessment),),
            tables=(
                Table(columns=_IMAGE_COLUMNS, rows=_rows(models, _image_cells, content.flattered)),
            ),
            pictures=(
                _picture(
                    "efficiency",
                    "estimated against true efficiency, and their differences",
                    charts.draw_efficiency(content.assessment, mark),
                ),
            ),
        ),
        Section(
            title="Virtual stain next to fluorescence",
            text=("The fields with the smallest, the median and the largest error.",),
            pictures=tuple(
                _picture(f"stain_{rank}", f"{rank} field", png) for rank, png in pictures.items()
            ),
        ),
        *content.more,
        *_gate_sections(content.gate),
        Section(title="How it was made", facts=tuple(content.facts)),
    ]
    page = Page(
        title=content.title,
        subtitle=content.subtitle,
        simulated=dataset.simulated,
        sections=sections,
    )
    return write_page(folder, page, now)


def _sentences(content: ReportContent) -> tuple[str, ...]:
    figures = content.assessment.to_json(content.baselines)
    return tuple(line for line in (describe_error(figures), describe_forest(figures)) if line)


def _rows(
    models: Mapping[str, Assessment],
    cells: Callable[[Figures], tuple[str, ...]],
    flattered: Collection[str],
) -> tuple[Row, ...]:
    """Rows of each run of the model, then all runs, then the baselines over all runs."""
    first = next(iter(models.values()))
    rows = [
        Row(cells=(f"{run}, flattered" if run in flattered else run, *cells(each)))
        for run, each in first.per_run.items()
    ]
    every = "all runs, flattered" if flattered else "all runs"
    for index, (name, assessment) in enumerate(models.items()):
        label = every if index == 0 else f"{name}, all runs"
        rows.append(Row(cells=(label, *cells(assessment.pooled)), kind="base" if index else "all"))
    return tuple(rows)


def _tile_cells(figures: Figures) -> tuple[str, ...]:
    tile = figures.tile
    plain = (
        tile.roc_auc, tile.pr_auc, tile.f1, tile.precision, tile.recall, tile.mcc, tile.brier,
        tile.accuracy, tile.accuracy_all_negative,
    )  # fmt: skip
    return f"{tile.tiles}", f"{tile.prevalence:.1%}", *(_plain(each) for each in plain)


def _image_cells(figures: Figures) -> tuple[str, ...]:
    image, raw = figures.image, figures.image_raw
    return (
        f"{image.images}",
        _plain(image.r),
        _plain(image.ccc),
        _points(image.bias),
        _points(image.mae, signed=False),
        f"{_points(image.limit_low)} to {_points(image.limit_high)}",
        _points(raw.bias),
        _points(raw.mae, signed=False),
    )


def _gate_sections(gate: Mapping[str, Any]) -> tuple[Section, ...]:
    """Return a section on what quantising changed; none where it is not recorded."""
    if not gate:
        return ()
    named = [(f"inner fold {i}", each) for i, each in enumerate(gate["inner_folds"], start=1)]
    rows = [
        Row(
            cells=(
                name,
                *(f"{each[figure]:.4f}" for figure in ("auc_float", "auc_int8")),
                *(f"{each[figure]:.2f}" for figure in ("mean_points", "worst_points")),
                f"{each['worst_probability']:.3f}",
            ),
            kind="all" if name == "bundle" else "",
        )
        for name, each in (*named, ("bundle", gate["final"]))
    ]
    text = (
        "The daemon runs whole numbers of 8 bits (int8); the network was trained in float32. Inner"
        " folds compare both on runs that were held out, the last line on the training runs. A"
        f" bundle is refused above {MOST_POINTS:g} points on average, {MOST_AUC:g} of AUC or"
        f" {MOST_CHANGED:.0%} of the tiles called otherwise; where frames or tiles are few, above"
        " what so many changed tiles give by chance."
    )
    columns = (
        *("network", "AUC float32", "AUC int8", "mean [points]", "worst field [points]"),
        "worst tile [probability]",
    )
    return (
        Section(
            title="What quantising changed",
            text=(text,),
            tables=(Table(columns=columns, rows=tuple(rows)),),
        ),
    )


def _interval_table(assessment: Assessment) -> Table:
    rows = [
        Row(cells=(name, _plain(each.value), f"{_plain(each.low)} to {_plain(each.high)}"))
        for name, each in assessment.intervals.items()
    ]
    return Table(
        columns=("all runs", "value", "95 % bootstrap interval over fields"), rows=tuple(rows)
    )


def _efficiency_text(assessment: Assessment) -> str:
    if assessment.corrected:
        how = (
            "Corrected: the share of positive tiles with the error rates of other held-out runs"
            " inverted, as the daemon gives it; the raw share is given too."
        )
    else:
        how = "Raw share of positive tiles: the error rates are unknown or do not allow correction."
    return f"{how} Bias, MAE and limits are in percentage points; r alone would hide a bias."


def _picture(name: str, alt: str, png: bytes) -> PagePicture:
    return PagePicture(name=name, alt=alt, png=png)


def _plain(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "-"


def _points(value: float, *, signed: bool = True) -> str:
    if not isfinite(value):
        return "-"
    return f"{value:+.1f}" if signed else f"{value:.1f}"
