"""Writing a bundle: model, card and report, put into place as one folder."""

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.inference.bundle import CARD_FILE, MODEL_FILE

REPORT_FOLDER = "report"
_HEADER = "# Written by scopewatch-train; refused by the daemon once model.tflite changes.\n"


def write_bundle(folder: Path, model: bytes, card: ModelCard) -> None:
    """Write a bundle beside `folder` and move it there; a bundle that stood there is replaced.

    Raises
    ------
    ConfigError
        When `folder` holds something that is no bundle: it is not ours to replace.
    """
    if sha256(model).hexdigest() != card.model_sha256:
        raise ValueError("the card describes another model")
    refuse_foreign(folder)
    fresh = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / REPORT_FOLDER).mkdir(parents=True)
    (fresh / MODEL_FILE).write_bytes(model)
    (fresh / CARD_FILE).write_text(render_card(card), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    fresh.replace(folder)


def rewrite_card(folder: Path, card: ModelCard) -> None:
    """Replace the card of a bundle, whole or not at all."""
    partial = folder / f"{CARD_FILE}.partial"
    partial.write_text(render_card(card), encoding="utf-8")
    partial.replace(folder / CARD_FILE)


def render_card(card: ModelCard) -> str:
    """Return a card as YAML, keys in the order of the model."""
    fields: dict[str, Any] = card.model_dump(mode="json")
    return _HEADER + yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=96)


def refuse_foreign(folder: Path) -> None:
    """Refuse to write over a folder that is not empty and no bundle."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if (folder / CARD_FILE).is_file() and (folder / MODEL_FILE).is_file():
            return
        raise ConfigError(
            complaint(
                "output folder is not empty and holds no bundle",
                where=folder,
                expected="a new folder, or a bundle to replace",
                do="give another --out",
            )
        )
