"""Bundles around the tiny networks, for tests of inference."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.bundle_writer import render_card
from tests.unit.core.samples import make_card

MODELS = Path(__file__).parent / "models"
TILE_PX = 16
RECEPTIVE_FIELD_PX = 91


def tiny_bundle(model: str = "tile16", **card: Any) -> Bundle:
    """Return a bundle of a tiny network; `card` replaces fields of its card."""
    content = (MODELS / f"{model}.tflite").read_bytes()
    fields = {
        "model_sha256": sha256(content).hexdigest(),
        "tile_px": TILE_PX,
        "receptive_field_px": RECEPTIVE_FIELD_PX,
        **card,
    }
    return Bundle(folder=Path("tiny"), card=make_card(**fields), model=content)


def fine_bundle(**card: Any) -> Bundle:
    """Return the bundle of a tiny network with a finer stain; its tiles are of `tiny_bundle`."""
    stain = {"side_px": TILE_PX // 4, "offset": -0.3, "of_square": 0.4, "of_tile": 0.9}
    return tiny_bundle("fine16", fine_stain=stain, **card)


def write_tiny(folder: Path, **changes: Any) -> Path:
    """Write the bundle's two files; `changes` replace keys of card.yaml, None takes one out."""
    return write_bundle(folder, tiny_bundle(), changes)


def write_bundle(folder: Path, bundle: Bundle, changes: Mapping[str, Any]) -> Path:
    """Write the two files of a bundle; `changes` as in `write_tiny`."""
    fields = yaml.safe_load(render_card(bundle.card)) | dict(changes)
    kept = {
        name: value for name, value in fields.items() if name not in changes or value is not None
    }
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(bundle.model)
    (folder / "card.yaml").write_text(yaml.safe_dump(kept))
    return folder


def make_view(height: int, width: int, seed: int = 0) -> NDArray[np.float32]:
    """Return a (height, width) view with structure at all scales, within +-6."""
    rng = np.random.default_rng(seed)
    rough = rng.normal(0, 0.4, size=(height, width))
    steps = rng.normal(0, 1, size=(-(-height // 8), -(-width // 8)))
    blocks = steps.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    return np.clip(rough + blocks, -6, 6).astype(np.float32)
