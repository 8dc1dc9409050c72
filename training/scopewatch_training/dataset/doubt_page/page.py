"""Writes the page of doubts beside a data set: one file, with thumbnails of each doubtful pair."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import Final

from scopewatch_training.dataset.doubt_page.summaries import (
    REFUSED,
    PairSummary,
    RunSummary,
    fit_cuts,
    gravest_first,
    summarise_pairs,
    summarise_runs,
)
from scopewatch_training.dataset.doubt_page.thumbnails import draw_pair, draw_refused
from scopewatch_training.dataset.doubts import WHAT, Doubt, DoubtKind, Verdict, Weight, verdict
from scopewatch_training.dataset.page import Row, Table, render, write_text
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.tile_counts import TileCounts, count_tiles

PAGE: Final = "doubts.html"
MOST_PICTURED: Final = 80
"""Pairs with pictures: a page of them has about 3 MB."""

_SIGNS: Final = {
    REFUSED: "\N{MULTIPLICATION SIGN} refused",
    Verdict.STOP: "\N{BLACK SQUARE} do not train",
    Verdict.LOOK: "\N{BLACK UP-POINTING TRIANGLE} look at it",
    Verdict.GOOD: "\N{BLACK CIRCLE} good",
}
_WEIGHTS: Final = {
    Weight.STOP: _SIGNS[Verdict.STOP],
    Weight.LOOK: _SIGNS[Verdict.LOOK],
    Weight.NOTE: "\N{BLACK CIRCLE} note",
}
_COPIES: Final = (DoubtKind.COPY, DoubtKind.NEAR_COPY)
_STYLES: Final = {REFUSED: "stop", Verdict.STOP: "stop", Verdict.LOOK: "look", Verdict.GOOD: ""}
_NEXT: Final = {
    Verdict.GOOD: "Nothing speaks against training.",
    Verdict.LOOK: "Look at the pairs below; correct or drop what is wrong, and prepare again.",
    Verdict.STOP: "Correct what is marked so, and prepare again: a model trained on this is wrong,"
    " or its figures flatter.",
}
_RUN_COLUMNS: Final = (
    "run", "verdict", "pairs", "refused", "doubtful", "copies", "offset: down, right [px]",
    "farthest from it [px]", "lowest confidence", "part moved by [px]", "clipped",
    "uneven background [thresholds]", "positive tiles",
)  # fmt: skip
_PAIR_COLUMNS: Final = (
    "pair", "verdict", "offset: down, right [px]", "confidence", "part moved by [px]", "clipped",
    "positive tiles", "copy of", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A doubtful pair with its pictures.

    Parameters
    ----------
    jpeg
        In base64; empty where there are no pictures.
    panels
        What the pictures show, from left to right.
    lines
        What is doubtful, one line each.
    """

    anchor: str
    title: str
    sign: str
    style: str
    files: tuple[str, str]
    facts: str
    lines: tuple[str, ...]
    panels: str
    jpeg: str


def write_doubts(
    dataset: Dataset, now: datetime, tiles: Mapping[str, TileCounts] | None = None
) -> Path:
    """Write the page into the folder of a data set; returns its path.

    Parameters
    ----------
    tiles
        `tile_counts.count_tiles` by the thresholds of `fit_cuts`, where it is known.

    Raises
    ------
    ConfigError
        When it cannot be written.
    """
    cuts = fit_cuts(dataset)
    pairs = summarise_pairs(dataset, count_tiles(dataset, cuts) if tiles is None else tiles)
    doubtful = gravest_first(pairs)
    cards = [_card(each, dataset, cuts.get(each.pair.id)) for each in doubtful[:MOST_PICTURED]]
    total = verdict(dataset.doubts)
    html = render(
        "doubts.html",
        now,
        title=f"Doubts about the data set: {dataset.marker}",
        subtitle=f"{len(dataset.accepted)} of {len(dataset.pairs)} pairs,"
        f" {len(dataset.runs())} runs, {len(doubtful)} pairs to look at",
        simulated=dataset.simulated,
        verdict=total.value,
        sign=_SIGNS[total].partition(" ")[0],
        style=_STYLES[total],
        next=_NEXT[total],
        general=[
            {"sign": _WEIGHTS[each.weight], "run": each.run, "text": _text(each)}
            for each in dataset.doubts
            if each.pair is None
        ],
        runs=Table(
            columns=_RUN_COLUMNS,
            rows=tuple(_run_row(each) for each in summarise_runs(dataset, pairs, cuts)),
        ),
        cards=cards,
        without_pictures=len(doubtful) - len(cards),
        pairs=Table(columns=_PAIR_COLUMNS, rows=tuple(_pair_row(each) for each in pairs)),
        anchors=[
            f"pair-{each.pair.id}" if each in doubtful[:MOST_PICTURED] else "" for each in pairs
        ],
    )
    return write_text(dataset.folder / PAGE, html)


def _text(doubt: Doubt) -> str:
    return f"{WHAT[doubt.kind]}: {doubt.measured}, expected {doubt.expected}; {doubt.do}"


def _card(each: PairSummary, dataset: Dataset, cut: float | None) -> Card:
    pair = each.pair
    if pair.refused is not None:
        picture = draw_refused(pair)
        lines: tuple[str, ...] = (pair.refused,)
        panels = "phase | fluorescence, as they are"
    else:
        picture = draw_pair(dataset, pair, cut)
        panels = "phase | fluorescence, shifted onto it | phase, positive tiles outlined"
        lines = (*map(_text, each.doubts), *_copy_lines(each))
    return Card(
        anchor=f"pair-{pair.id}",
        title=str(pair),
        sign=_SIGNS[each.verdict],
        style=_STYLES[each.verdict],
        files=(pair.phase, pair.fluorescence),
        facts=_facts(each),
        lines=lines,
        panels=panels if picture else "a picture cannot be read",
        jpeg=b64encode(picture).decode("ascii"),
    )


def _copy_lines(each: PairSummary) -> tuple[str, ...]:
    """Name the copies of a pair, unless a doubt of its own does."""
    if not each.copies or any(doubt.kind in _COPIES for doubt in each.doubts):
        return ()
    return (f"shows the same picture as {', '.join(each.copies)}",)


def _facts(each: PairSummary) -> str:
    """The pair's figures as one line; empty for a refused pair."""
    if each.verdict == REFUSED:
        return ""
    pair = each.pair
    confidence = pair.registration_confidence
    parts = [
        f"offset {_offset(pair.offset_px)} px",
        f"confidence {confidence:.2f}" if confidence > 0 else "not registered by itself",
        f"clipped {pair.fluorescence_look.clipped:.2%}",
        f"positive tiles {_percent(each.prevalence)}",
        *([pair.note] if pair.note else []),
    ]
    return ", ".join(parts)


def _run_row(each: RunSummary) -> Row:
    cells = (
        each.run,
        _SIGNS[each.verdict],
        f"{each.pairs}",
        f"{each.refused}",
        f"{each.doubtful}",
        f"{each.copies}",
        "-" if each.offset_px is None else _offset(each.offset_px),
        _plain(each.scatter_px, 1),
        _plain(each.least_confidence, 2),
        _moved(each.moved_px),
        f"{each.clipped:.2%}",
        _plain(each.uneven, 2),
        _percent(each.prevalence),
    )
    return Row(cells=cells, kind=_STYLES[each.verdict])


def _pair_row(each: PairSummary) -> Row:
    pair = each.pair
    if pair.refused is not None:
        cells: Sequence[str] = (
            str(pair), _SIGNS[REFUSED], *6 * ("-",), pair.refused.partition(":")[0],
        )  # fmt: skip
    else:
        confidence = pair.registration_confidence
        cells = (
            str(pair),
            _SIGNS[each.verdict],
            _offset(pair.offset_px),
            f"{confidence:.2f}" if confidence > 0 else "-",
            _moved(pair.moved_px),
            f"{pair.fluorescence_look.clipped:.2%}",
            _percent(each.prevalence),
            ", ".join(each.copies) or "-",
            pair.note,
        )
    return Row(cells=tuple(cells), kind=_STYLES[each.verdict])


def _offset(offset_px: tuple[float, float]) -> str:
    return f"{offset_px[0]:+.1f}, {offset_px[1]:+.1f}"


def _moved(distance_px: float) -> str:
    return f"{distance_px:.1f}" if distance_px else "-"


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if isfinite(value) else "-"


def _percent(value: float) -> str:
    return f"{value:.1%}" if isfinite(value) else "-"
