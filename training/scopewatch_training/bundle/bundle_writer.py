"""Writes bundles: model, card and report, moved into place as one folder."""

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.files import write_whole
from scopewatch.inference.bundle import CARD_FILE, MODEL_FILE

REPORT_FOLDER = "report"
_HEADER = "# Written by scopewatch-train; refused by the daemon once model.tflite changes.\n"


def write_bundle(folder: Path, model: bytes, card: ModelCard, report: Mapping[str, bytes]) -> None:
    """Write a bundle beside `folder` and move it there; a bundle that was there is replaced.

    Whenever a call is killed, the old bundle or the new one is whole: in `folder`, or, between two
    renames, beside it; the next call puts it back.

    Parameters
    ----------
    report
        Contents of the files of the report folder, by name.

    Raises
    ------
    ConfigError
        When `folder` holds something that is no bundle: it is not ours to replace.
    """
    if sha256(model).hexdigest() != card.model_sha256:
        raise ValueError("the card describes another model")
    refuse_foreign(folder)
    fresh, aside = _beside(folder, "partial"), _beside(folder, "replaced")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / REPORT_FOLDER).mkdir(parents=True)
    files = {
        MODEL_FILE: model,
        CARD_FILE: render_card(card).encode(),
        **{f"{REPORT_FOLDER}/{name}": content for name, content in report.items()},
    }
    for name, content in files.items():
        write_whole(fresh / name, content)
    if folder.exists():
        folder.rename(aside)
    fresh.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def read_report(folder: Path) -> dict[str, bytes]:
    """Return the contents of the files of a bundle's report folder, by name."""
    files = (path for path in (folder / REPORT_FOLDER).iterdir() if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def restore_bundle(folder: Path) -> None:
    """Put back the bundle that a killed call of `write_bundle` had moved aside."""
    aside = _beside(folder, "replaced")
    if not aside.exists():
        return
    if folder.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(folder)


def rewrite_card(folder: Path, card: ModelCard) -> None:
    """Replace the card of a bundle, whole or not at all."""
    write_whole(folder / CARD_FILE, render_card(card).encode())


def render_card(card: ModelCard) -> str:
    """Return a card as YAML, keys in the order of the model."""
    fields: dict[str, Any] = card.model_dump(mode="json")
    return _HEADER + yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=96)


def refuse_foreign(folder: Path) -> None:
    """Refuse to write over a folder that is not empty and no bundle.

    Raises
    ------
    ConfigError
        When `folder` is such a folder, or a file.
    """
    restore_bundle(folder)
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


def _beside(folder: Path, ending: str) -> Path:
    return folder.with_name(f".{folder.name}.{ending}")
