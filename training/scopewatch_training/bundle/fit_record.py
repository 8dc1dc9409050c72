"""Record and float weights that a fit keeps in the report folder of its bundle."""

import json
from pathlib import Path
from typing import Any

from scopewatch.core.errors import ModelError, complaint
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER

FIT_FILE = "fit.json"
FLOAT_FILE = "float.npz"
PREPARED = "prepared"
"""Key of the settings by which the data set was prepared."""
SCORER_BUDGET_MB = 512
"""Memory that scoring may take during training and evaluation."""


def read_fit(folder: Path) -> dict[str, Any]:
    """Read a bundle's `report/fit.json`.

    Raises
    ------
    ModelError
        When it is missing or damaged: without it other runs cannot be labelled alike.
    """
    path = folder / REPORT_FOLDER / FIT_FILE
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            complaint(
                "bundle does not say how its labels were made",
                where=path,
                got="no such file" if isinstance(error, FileNotFoundError) else error,
                do="give a bundle that still has its report folder",
            )
        ) from error
    return record
