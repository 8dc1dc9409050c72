"""The QC report of a data set, to be read before training.

Offsets, thresholds, prevalence of each run, contact sheets of tiles, and refusals with reasons.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.binarise import Thresholds, fit_thresholds
from scopewatch_training.dataset.contact_sheets import draw_sheet, sample_tiles
from scopewatch_training.dataset.drawing import PALETTE, name_axes, to_png
from scopewatch_training.dataset.offset_plot import draw_offsets, name_stray
from scopewatch_training.dataset.page import Page, PagePicture, Row, Section, Table, write_page
from scopewatch_training.dataset.pairs.record import group_by_run, refused
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.tile_counts import (
    CUTOFFS,
    RunQuality,
    TileCounts,
    count_tiles,
    inspect_runs,
)

_MOST_REFUSED: Final = 200


def write_qc(
    dataset: Dataset,
    folder: Path,
    now: datetime,
    rng: np.random.Generator,
    tiles: Mapping[str, TileCounts] | None = None,
) -> Path:
    """Write the QC report into a folder; returns the page's path.

    Thresholds are fitted on all runs here, to be looked at; a fit learns its own from its
    training runs.

    Parameters
    ----------
    tiles
        `tile_counts.count_tiles` by the same thresholds, where it is known.

    Raises
    ------
    ConfigError
        When the folder cannot be written.
    """
    thresholds = fit_thresholds(dataset.accepted, dataset.binarise)
    cuts = thresholds.per_pair(dataset.accepted)
    runs = inspect_runs(dataset, cuts, count_tiles(dataset, cuts) if tiles is None else tiles)
    sample = sample_tiles(dataset, cuts, dataset.labels, rng)
    tile_px = dataset.labels.tile_px
    sheets = {
        "positive": sample.positive,
        "ambiguous": sample.ambiguous,
        "negative": sample.negative,
    }
    sections = [
        Section(title="Runs", text=_run_texts(dataset), tables=(_run_table(runs),)),
        Section(
            title="Thresholds",
            text=(f"{thresholds.describe()}. The dashed lines are the thresholds.",),
            pictures=(
                PagePicture(
                    name="histograms",
                    alt="histogram of the signal of each run",
                    png=draw_histograms(dataset, thresholds),
                ),
            ),
        ),
        Section(
            title="Registration",
            text=(
                "Offset of the fluorescence against the phase frame, which was undone. Pairs of"
                " one run should lie together; a stray one shows another field, or cells that"
                " moved.",
                *name_stray(dataset.accepted),
            ),
            pictures=(
                PagePicture(
                    name="offsets", alt="offsets of all pairs", png=draw_offsets(dataset.accepted)
                ),
            ),
        ),
        *(
            Section(
                title=f"{kind.capitalize()} tiles",
                text=("Phase above fluorescence; the share is the positive part of the tile.",),
                pictures=(
                    PagePicture(
                        name=f"tiles_{kind}",
                        alt=f"{kind} tiles",
                        png=draw_sheet(places, dataset, cuts, tile_px),
                    ),
                ),
            )
            for kind, places in sheets.items()
            if places
        ),
        _refused_section(dataset),
        Section(title="Settings", facts=_facts(dataset)),
    ]
    page = Page(
        title=f"Quality of the data set: {dataset.marker}",
        subtitle=f"{len(dataset.accepted)} of {len(dataset.pairs)} pairs,"
        f" {len(dataset.runs())} runs",
        simulated=dataset.simulated,
        sections=sections,
        warnings=_warnings(dataset, runs),
    )
    return write_page(folder, page, now)


def draw_histograms(dataset: Dataset, thresholds: Thresholds) -> bytes:
    """Draw the pooled signal of each run with its threshold, as PNG."""
    figure = Figure(figsize=(8.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for index, (run, members) in enumerate(group_by_run(dataset.accepted).items()):
        pooled = histograms.pool(each.histogram for each in members)
        shown = histograms.CENTRES > 1
        share = pooled[shown] / max(int(pooled.sum()), 1)
        colour = PALETTE[index % len(PALETTE)]
        axes.plot(histograms.CENTRES[shown], share, color=colour, label=run)
        cut = thresholds.by_run.get(run)
        if cut is not None:
            axes.axvline(cut, color=colour, linestyle="--", linewidth=0.9)
    axes.set(xscale="log", yscale="log", xlim=(1, None))
    axes.legend(fontsize=8)
    name_axes(axes, "signal above background [counts]", "share of pixels", "")
    return to_png(figure)


def _run_texts(dataset: Dataset) -> tuple[str, ...]:
    settings = dataset.labels
    return (
        f"A tile of {settings.tile_px} px is positive when {settings.area_cutoff:.0%} of its area"
        " is. The columns at the right show the share of positive tiles had the cut-off been"
        " another: where cells are larger than a tile it hardly matters, where they are smaller"
        " a low cut-off asks whether there is a cell at all.",
    )


def _run_table(runs: Sequence[RunQuality]) -> Table:
    columns = (
        *("run", "pairs", "refused", "with a note", "offset of other pairs"),
        *("threshold", "positive tiles", "not counted"),
    )
    return Table(
        columns=(*columns, *(f"at {cutoff:.0%}" for cutoff in CUTOFFS)),
        rows=tuple(
            Row(
                cells=(
                    each.run,
                    f"{each.pairs}",
                    f"{each.refused}",
                    f"{each.noted}",
                    f"{each.borrowed}",
                    f"{each.threshold:.4g}" if isfinite(each.threshold) else "no signal",
                    _percent(each.prevalence),
                    _percent(each.uncounted),
                    *(_percent(share) for share in each.by_cutoff),
                )
            )
            for each in runs
        ),
    )


def _refused_section(dataset: Dataset) -> Section:
    lines = refused(dataset.pairs)
    if not lines:
        return Section(title="Refused pairs", text=("None.",))
    rows = tuple(Row(cells=line) for line in lines[:_MOST_REFUSED])
    more = len(lines) - len(rows)
    return Section(
        title="Refused pairs",
        text=(f"and {more} more",) if more else (),
        tables=(Table(columns=("pair", "why"), rows=rows),),
    )


def _warnings(dataset: Dataset, runs: Sequence[RunQuality]) -> list[str]:
    lines = []
    if len(dataset.runs()) < 2:
        lines.append("One run only: no run can be held out, so that nothing can be shown to work.")
    lines += [
        f"Run {each.run} has no positive tile; it can only serve as a negative control."
        for each in runs
        if each.prevalence == 0
    ]
    share = len(refused(dataset.pairs)) / len(dataset.pairs)
    if share > 0.1:
        lines.append(f"{share:.0%} of the pairs were refused: see below.")
    return lines


def _facts(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    scale = "unknown" if dataset.um_per_px is None else f"{dataset.um_per_px:g}"
    groups = (
        ("", {"um_per_px": scale, "data_sha256": dataset.data_sha256}),
        ("prepare: ", dataset.settings.to_json()),
        ("labels: ", dataset.labels.to_json()),
        ("binarise: ", dataset.binarise.to_json()),
    )
    return tuple(
        (prefix + name, str(value)) for prefix, each in groups for name, value in each.items()
    )


def _percent(value: float) -> str:
    return f"{value:.1%}" if isfinite(value) else "-"
