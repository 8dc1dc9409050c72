"""Contact sheets: pictures of tiles of one label, phase above fluorescence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import positive_mask, share_pair
from scopewatch_training.dataset.drawing import phase_grey, signal_glow, to_png
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings

_NEAR: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePlace:
    """A tile of a pair, and the positive share of its area."""

    pair: Pair
    row: int
    col: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSample:
    """Tiles drawn from all runs alike: clearly positive, clearly negative, and near the cut-off."""

    positive: tuple[TilePlace, ...]
    negative: tuple[TilePlace, ...]
    ambiguous: tuple[TilePlace, ...]


def sample_tiles(
    dataset: Dataset,
    thresholds: Mapping[str, float],
    settings: LabelSettings,
    rng: np.random.Generator,
    *,
    most: int = 40,
) -> TileSample:
    """Draw at most `most` tiles of each kind, as evenly over the pairs as they allow.

    Ambiguous are tiles within the ambiguous band; without one, within half the cut-off of it.
    """
    band = settings.ambiguous_band or _NEAR * settings.area_cutoff
    found: dict[str, list[TilePlace]] = {"positive": [], "negative": [], "ambiguous": []}
    pairs = [dataset.accepted[each] for each in rng.permutation(len(dataset.accepted))]
    each_pair = max(1, -(-most // max(len(pairs), 1)))
    for pair in pairs:
        if all(len(places) >= most for places in found.values()):
            break
        _, share = share_pair(dataset.signal(pair), thresholds[pair.id], settings)
        near = np.abs(share - settings.area_cutoff) < band
        kinds = {
            "ambiguous": near,
            "positive": ~near & (share >= settings.area_cutoff),
            "negative": ~near & (share < settings.area_cutoff),
        }
        for kind, mask in kinds.items():
            places = np.argwhere(mask)
            for row, col in rng.permutation(places)[:each_pair]:
                place = TilePlace(
                    pair=pair, row=int(row), col=int(col), share=float(share[row, col])
                )
                found[kind].append(place)
    return TileSample(**{kind: tuple(places[:most]) for kind, places in found.items()})


def draw_sheet(
    places: Sequence[TilePlace],
    dataset: Dataset,
    thresholds: Mapping[str, float],
    tile_px: int,
    *,
    columns: int = 10,
) -> bytes:
    """Draw a sheet as PNG: each tile with its surroundings, phase above fluorescence.

    The tile is framed; the border of what counts as positive is drawn in red on the phase frame.
    """
    rows = max(1, -(-len(places) // columns))
    cell = 2 * tile_px
    gap, head = max(1, cell // 20), max(2, cell // 6)
    across, down = cell + gap, head + 2 * cell + 2 * gap
    # One picture: a hundred axes, one for each tile, take seconds to lay out and draw.
    canvas = np.ones((rows * down, columns * across, 3), dtype=np.float32)
    figure = Figure(figsize=(1.05 * columns, 1.05 * columns * canvas.shape[0] / canvas.shape[1]))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for index, place in enumerate(places):
        row, col = divmod(index, columns)
        top, left = row * down + head, col * across
        phase, marker = _cut_out(place, dataset, thresholds[place.pair.id], tile_px)
        height, width = phase.shape[:2]
        canvas[top : top + height, left : left + width] = phase
        top_marker = top + cell + gap
        canvas[top_marker : top_marker + height, left : left + width] = marker
        axes.text(
            left + cell / 2,
            top - 0.2 * head,
            f"{place.pair.run} {place.share:.0%}",
            fontsize=6,
            horizontalalignment="center",
        )
    axes.imshow(canvas, interpolation="nearest")
    return to_png(figure)


def _cut_out(
    place: TilePlace, dataset: Dataset, threshold: float, tile_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cut a tile with half a tile around it: RGB of phase and of fluorescence, 0 to 1."""
    pair, margin = place.pair, tile_px // 2
    top, left = place.row * tile_px - margin, place.col * tile_px - margin
    inner = (
        slice(max(top, 0), min(top + tile_px + 2 * margin, pair.height)),
        slice(max(left, 0), min(left + tile_px + 2 * margin, pair.width)),
    )
    view = np.asarray(dataset.view(pair)[inner], dtype=np.float32)
    signal = np.asarray(dataset.signal(pair)[inner], dtype=np.float32)
    phase = np.repeat(phase_grey(view)[..., None], 3, axis=-1)
    glow = signal_glow(signal, threshold, pair.noise)[..., None]
    marker = glow * np.array([0.2, 1.0, 0.3], dtype=np.float32)
    phase[outline_mask(positive_mask(signal, threshold))] = (1.0, 0.2, 0.1)
    for picture in (phase, marker):
        _frame(picture, place.row * tile_px - inner[0].start, place.col * tile_px - inner[1].start,
               tile_px)  # fmt: skip
    return np.asarray(phase, dtype=np.float32), np.asarray(marker, dtype=np.float32)


def outline_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of a (H, W) mask that touch what is outside it."""
    padded = np.pad(mask, 1, mode="edge")
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return np.asarray(mask & ~inside)


def _frame(picture: NDArray[np.floating], top: int, left: int, side: int) -> None:
    """Draw the tile's frame into an RGB picture."""
    bottom, right = top + side - 1, left + side - 1
    colour = (1.0, 0.85, 0.2)
    picture[top, left : right + 1] = colour
    picture[bottom, left : right + 1] = colour
    picture[top : bottom + 1, left] = colour
    picture[top : bottom + 1, right] = colour
