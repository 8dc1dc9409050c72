"""Figures as JSON, which knows no nan."""

from math import isfinite
from typing import Any


def figures_as_json(values: dict[str, Any]) -> dict[str, float | int | None]:
    """Return figures as JSON values; those that are not finite are null."""
    return {
        name: None if isinstance(value, float) and not isfinite(value) else value
        for name, value in values.items()
    }
