"""The model bundles that come with scopewatch."""

from pathlib import Path
from typing import Final

import scopewatch
from scopewatch.core.errors import ModelError, complaint

SHIPPED: Final = "simulated-cardiomyocyte"


def bundled_model(name: str) -> Path:
    """Return the folder of a model that comes with scopewatch.

    An installed wheel carries them within the package, a checkout beside `daemon/`.

    Raises
    ------
    ModelError
        When it is in neither.
    """
    package = Path(scopewatch.__file__).resolve().parent
    for models in (package / "models", package.parents[1] / "models"):
        if (models / name / "card.yaml").is_file():
            return models / name
    raise ModelError(
        complaint("model did not come with this installation", where=name, do="reinstall it")
    )
