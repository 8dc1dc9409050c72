"""What the plugin does with the layers: saves corrections, and adds the scores of a bundle."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.dataset.checks.matching import refuse_other_views
from scopewatch_training.dataset.corrections.author import author_name
from scopewatch_training.dataset.corrections.file import write_corrections
from scopewatch_training.dataset.corrections.record import Corrections, count_corrections
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.viewer.painted import own_labels, read_painted
from scopewatch_training.viewer.reader import KEY

if TYPE_CHECKING:
    import napari.layers
    import napari.types

_THREADS = 2
_BUDGET_MB = 2048


def save_corrections(labels: "napari.layers.Labels", author: str = "") -> str:
    """Write the tiles whose paint is not their own label to `corrections.json`.

    Parameters
    ----------
    labels
        The layer of tile labels that the reader made.
    author
        Name that goes with each new correction; the user's by default.

    Returns
    -------
    What was written, in words.

    Raises
    ------
    ConfigError
        When the layer is another one or does not fit, nobody's name is known, or the file was
        changed meanwhile.
    """
    about = _about(labels)
    folder = Path(about["folder"])
    dataset = open_dataset(folder, corrected=False)
    read: Corrections | None = about["read"]
    before = read or Corrections(tile_px=dataset.labels.tile_px)
    painted = np.asarray(labels.data)
    name = author_name(author, where=labels.name, do="write your name into `author`")
    after = read_painted(own_labels(dataset), painted, before, name, datetime.now(UTC))
    if after != before:
        write_corrections(folder, after, replaces=read)
        about["read"] = after
    tiles, dropped = count_corrections(after.pairs)
    return f"{folder}: corrected tiles {tiles}, dropped pairs {dropped}"


def save_and_notify(labels: "napari.layers.Labels", author: str = "") -> None:
    """Save corrections, and show in the viewer what was written."""
    from napari.utils.notifications import show_info  # noqa: PLC0415  (there in napari alone)

    show_info(save_corrections(labels, author))


def add_scores(
    labels: "napari.layers.Labels", bundle: Annotated[Path, {"mode": "d"}]
) -> "napari.types.LayerDataTuple":
    """Score all pairs with a bundle, as a layer over the tiles.

    Parameters
    ----------
    labels
        The layer of tile labels that the reader made.
    bundle
        Folder of the bundle.

    Raises
    ------
    ConfigError
        When the bundle has other tiles, another scale or another normalisation.
    """
    dataset = open_dataset(Path(_about(labels)["folder"]), corrected=False)
    opened = load_bundle(bundle)
    refuse_other_views(opened, dataset)
    tile_px = dataset.labels.tile_px
    if opened.card.tile_px != tile_px:
        raise ConfigError(
            complaint(
                "bundle scores tiles of another size",
                where=bundle,
                expected=f"{tile_px} px, as the data set",
                got=f"{opened.card.tile_px} px",
                do=f"prepare the data set with --tile-px {opened.card.tile_px}",
            )
        )
    scorer = TFLiteScorer(opened, threads=_THREADS, memory_budget_mb=_BUDGET_MB)
    scores = np.full(labels.data.shape, np.nan, dtype=np.float32)
    for number, pair in enumerate(dataset.accepted):
        found = scorer.score(np.asarray(dataset.view(pair), dtype=np.float32))
        rows, cols = pair.height // tile_px, pair.width // tile_px
        scores[number, :rows, :cols] = found[:rows, :cols]
    attributes = {
        "name": f"scores of {opened.card.name}",
        "scale": tuple(labels.scale),
        "translate": tuple(labels.translate),
        "contrast_limits": (0.0, 1.0),
        "colormap": "inferno",
        "opacity": 0.5,
        # Low scores are black: they leave the picture as it is.
        "blending": "additive",
        "multiscale": False,
    }
    return scores, attributes, "image"


def _about(labels: "napari.layers.Labels") -> dict[str, Any]:
    found = labels.metadata.get(KEY)
    if not isinstance(found, dict):
        raise ConfigError(
            complaint(
                "layer is not of a prepared data set",
                where=labels.name,
                expected="the layer `tile labels`",
                do="open the folder of the data set, and choose that layer",
            )
        )
    return found
