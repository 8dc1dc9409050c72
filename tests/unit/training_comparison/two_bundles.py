"""Bundles of a tiny network with the record of their labels, beside a tiny data set."""

import json
from pathlib import Path
from typing import Any

from scopewatch.core.imaging.binarise import Thresholds
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings
from tests.unit.inference.bundles import TILE_PX, write_tiny

NORMALISATION = {
    "background_px": 64.0,
    "contrast_floor": 0.01,
    "contrast_share": 0.9,
    "clip": 6.0,
}


def write_bundle(
    folder: Path, *, labels: dict[str, Any] | None = None, pooled: float | None = None, **card: Any
) -> Path:
    """Write a bundle whose tiles are labelled at half their area; `card` replaces its fields."""
    fields = {"normalisation": NORMALISATION, "trained_on": ["other"], "threshold": 0.5} | card
    write_tiny(folder, **fields)
    settings = LabelSettings(**({"tile_px": TILE_PX, "area_cutoff": 0.5} | (labels or {})))
    scope = "per-run" if pooled is None else "pooled"
    thresholds = Thresholds(settings=BinariseSettings(scope=scope), pooled=pooled)  # type: ignore[arg-type]
    (folder / "report").mkdir()
    (folder / "report" / "fit.json").write_text(
        json.dumps({"settings": {"labels": settings.to_json()}, "thresholds": thresholds.to_json()})
    )
    return folder
