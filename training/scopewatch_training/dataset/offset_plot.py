"""Plot of the offsets of all pairs, on which stray ones are numbered and named beside it."""

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure

from scopewatch_training.dataset.checks.measures import find_odd_offsets
from scopewatch_training.dataset.drawing import PALETTE, name_axes, to_png
from scopewatch_training.dataset.pairs.record import Pair, group_by_run

_MOST_STRAY: Final = 20


def draw_offsets(pairs: Sequence[Pair]) -> bytes:
    """Draw the registered offsets, coloured by run, as PNG; stray ones are numbered."""
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    for index, (run, members) in enumerate(group_by_run(pairs).items()):
        measured = [each.offset_px for each in members if each.registered]
        if measured:
            down, across = zip(*measured, strict=True)
            colour = PALETTE[index % len(PALETTE)]
            axes.plot(across, down, "o", color=colour, alpha=0.6, label=run)
    for number, pair in enumerate(find_stray(pairs), start=1):
        place = (pair.offset_px[1], pair.offset_px[0])
        axes.annotate(f"{number}", place, xytext=(5, 4), textcoords="offset points", fontsize=8)
    axes.axhline(0, color="#bbbbbb", linewidth=0.8)
    axes.axvline(0, color="#bbbbbb", linewidth=0.8)
    axes.set_aspect("equal", adjustable="datalim")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)
    name_axes(axes, "right [px]", "down [px]", "offset of the fluorescence")
    return to_png(figure)


def find_stray(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose offset is far from that of their run, at most twenty."""
    named = {(doubt.run, doubt.pair) for doubt in find_odd_offsets(pairs)}
    return [pair for pair in pairs if (pair.run, pair.phase) in named][:_MOST_STRAY]


def name_stray(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return one line with the numbers and names of stray pairs; none without any."""
    names = [f"{number}: {pair}" for number, pair in enumerate(find_stray(pairs), start=1)]
    return (f"Far from their runs: {'; '.join(names)}.",) if names else ()
