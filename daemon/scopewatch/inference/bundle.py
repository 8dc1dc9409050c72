"""The model bundle on disk: `model.tflite` and the `card.yaml` that describes it."""

import reprlib
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card.card import SCHEMA_VERSION, ModelCard
from scopewatch.core.strict_yaml import parse_yaml

MODEL_FILE = "model.tflite"
CARD_FILE = "card.yaml"

# Far above any bundle of ours: a wrong file (a video, a log) is refused before it is read whole.
MOST_MODEL_BYTES = 256 * 1024 * 1024
MOST_CARD_BYTES = 1024 * 1024

# A TFLite file is a FlatBuffer whose identifier follows the four bytes of its root offset.
_IDENTIFIER = slice(4, 8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """A model that matches its card.

    Parameters
    ----------
    folder
        Where it was read from; only for messages.
    model
        The TFLite file, whose SHA-256 is `card.model_sha256`.
    """

    folder: Path
    card: ModelCard
    model: bytes


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check that card and model belong together.

    Raises
    ------
    ModelError
        When the folder or a file is missing or unreadable, the card is not of this schema, the
        model is not the one the card describes, or it is no TFLite file. Whether the network's
        shape fits the card is checked by `inference.network.Network`, which opens it.
    """
    if not folder.is_dir():
        raise ModelError(
            complaint(
                "model bundle does not exist",
                where=folder,
                expected=f"a folder with {MODEL_FILE} and {CARD_FILE}",
                do="correct model.bundle in the configuration, or the path given",
            )
        )
    card = parse_card(_read(folder / CARD_FILE, MOST_CARD_BYTES), folder / CARD_FILE)
    path = folder / MODEL_FILE
    model = _read(path, MOST_MODEL_BYTES)
    if model[_IDENTIFIER] != b"TFL3":
        raise ModelError(
            complaint(
                "model is not a TFLite file",
                where=path,
                expected="a FlatBuffer marked TFL3",
                got=f"{len(model)} bytes that begin {model[:8]!r}",
                do="copy the bundle again, in binary mode",
            )
        )
    digest = sha256(model).hexdigest()
    if digest != card.model_sha256:
        raise ModelError(
            complaint(
                "model is not the one its card describes",
                where=path,
                expected=f"SHA-256 {card.model_sha256[:12]}",
                got=digest[:12],
                do="copy model.tflite and card.yaml from the same bundle",
            )
        )
    return Bundle(folder=folder, card=card, model=model)


def parse_card(text: bytes, path: Path) -> ModelCard:
    """Parse and validate the text of a card; `path` is only for messages. Raises ModelError."""
    try:
        fields = parse_yaml(text)
    except ValueError as error:
        problem = str(error)
        raise ModelError(
            complaint("model card is not YAML", where=path, got=problem, do="restore the card")
        ) from error
    if not isinstance(fields, dict):
        raise ModelError(
            complaint(
                "model card is empty or no mapping",
                where=path,
                expected="the keys of a model card",
                got=type(fields).__name__,
                do="restore the card",
            )
        )
    version = fields.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ModelError(
            complaint(
                "model card has another schema",
                where=path,
                expected=f"schema_version {SCHEMA_VERSION}",
                got=reprlib.repr(version),
                do="train or convert the bundle with this version of scopewatch",
            )
        )
    try:
        return ModelCard.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        more = error.error_count() - 1
        raise ModelError(
            complaint(
                f"model card is not valid{f' ({more} more problems)' if more else ''}",
                where=f"{path}: {'.'.join(str(part) for part in first['loc']) or 'card'}",
                expected=first["msg"],
                got=reprlib.repr(first["input"])[:80],
                do="write the card with scopewatch-train",
            )
        ) from error


def _read(path: Path, most_bytes: int) -> bytes:
    """Read a file of the bundle that must not be larger than `most_bytes`."""
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except FileNotFoundError as error:
        raise ModelError(
            complaint(
                "model bundle is incomplete",
                where=path,
                expected=f"{MODEL_FILE} and {CARD_FILE}",
                do="copy the whole bundle folder",
            )
        ) from error
    except OSError as error:
        raise ModelError(
            complaint(
                "model bundle cannot be read",
                where=path,
                got=error.strerror,
                do="check the permissions of the bundle folder",
            )
        ) from error
    if len(content) > most_bytes:
        raise ModelError(
            complaint(
                "file of the model bundle is too large",
                where=path,
                expected=f"at most {most_bytes >> 20} MB",
                do="check that this is the right file",
            )
        )
    return content
