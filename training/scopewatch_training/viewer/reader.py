"""Reads a prepared data set into layers: phase, fluorescence, tile labels, names of the pairs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from scopewatch.core.imaging import histogram as histograms
from scopewatch_training.dataset.corrections.record import Corrections
from scopewatch_training.dataset.doubts import group_doubts
from scopewatch_training.dataset.index import INDEX, open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.viewer.painted import own_labels, paint_corrections
from scopewatch_training.viewer.stack import PairStack

LayerData = tuple[Any, dict[str, Any], str]
"""Data, attributes and kind of a layer, as npe2 has it."""
Reader = Callable[[str | Sequence[str]], list[LayerData]]
KEY: Final = "scopewatch"
"""Key of `Layer.metadata` under which the data set of a layer is named."""
COLOURS: Final = {None: "transparent", 0: "transparent", 1: "#0072b2", 2: "#e69f00"}
_NAME_ABOVE: Final = 0.03
"""Distance of a pair's name from its frame, as a share of the highest frame."""


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Return a reader where the path is a prepared data set or its index; None elsewhere."""
    if isinstance(path, str) and (folder_of(Path(path)) / INDEX).is_file():
        return read_layers
    return None


def folder_of(path: Path) -> Path:
    """Return the folder of a data set, of which the index may be named."""
    return path.parent if path.name == INDEX else path


def read_layers(path: str | Sequence[str]) -> list[LayerData]:
    """Return the layers of a data set.

    Raises
    ------
    ConfigError
        When it is no data set, or its corrections do not fit it.
    """
    folder = folder_of(Path(path if isinstance(path, str) else path[0]))
    dataset = open_dataset(folder, corrected=False)
    found = dataset.read_corrections()
    corrections = found or Corrections(tile_px=dataset.labels.tile_px)
    own = own_labels(dataset)
    tile_px = dataset.labels.tile_px
    named = {KEY: {"folder": str(folder), "read": found}}
    return [
        _image(dataset, "phase", dataset.view, (-2.5, 2.5), "gray"),
        _image(dataset, dataset.marker, dataset.signal, (0.0, _bright(dataset)), "green"),
        _names(dataset, corrections),
        # The last layer is the selected one: the one to paint on.
        (
            paint_corrections(own, corrections),
            {
                "name": "tile labels",
                "scale": (1, tile_px, tile_px),
                # The corner of a tile lies on the corner of a pixel, not on its middle.
                "translate": (0, (tile_px - 1) / 2, (tile_px - 1) / 2),
                "opacity": 0.35,
                "colormap": COLOURS,
                "metadata": named,
            },
            "labels",
        ),
    ]


def _image(
    dataset: Dataset,
    name: str,
    read: Callable[[Any], Any],
    limits: tuple[float, float],
    colour: str,
) -> LayerData:
    pairs = dataset.accepted
    stack = PairStack(
        shapes=[(pair.height, pair.width) for pair in pairs],
        read=lambda number: read(pairs[number]),
    )
    attributes = {
        "name": name,
        "contrast_limits": limits,
        "colormap": colour,
        "multiscale": False,
        "rgb": False,
        **({"blending": "additive"} if colour != "gray" else {}),
    }
    return stack, attributes, "image"


def _bright(dataset: Dataset) -> float:
    """Return the counts that 99.9 % of all pixels stay below, at least ten times the noise."""
    pooled = histograms.pool(pair.histogram for pair in dataset.accepted)
    noise = float(np.median([pair.noise for pair in dataset.accepted]))
    return max(histograms.quantile(pooled, 0.999), 10 * noise, 1.0)


def _names(dataset: Dataset, corrections: Corrections) -> LayerData:
    """Return a text above each pair: its name, what was decided, and what is doubtful."""
    texts = []
    pairs, about = dataset.accepted, group_doubts(dataset.doubts)
    for pair, review in zip(pairs, corrections.reviews_of(pairs), strict=True):
        decided = [] if review.decision is None else [review.decision.decision]
        doubts = [doubt.kind for doubt in about.get((pair.run, pair.phase), ())]
        texts.append("  ".join([str(pair), *decided, *doubts]))
    above_px = _NAME_ABOVE * max(pair.height for pair in pairs)
    places = np.array([(number, -above_px, 0.0) for number in range(len(texts))])
    attributes = {
        "name": "pairs",
        "size": 1,
        "face_color": "transparent",
        "border_color": "transparent",
        "features": {"pair": texts},
        "text": {"string": "{pair}", "anchor": "lower_left", "color": "white", "size": 10},
    }
    return places, attributes, "points"
