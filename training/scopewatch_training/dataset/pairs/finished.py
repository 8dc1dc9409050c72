"""Records of finished pairs, by which an interrupted `prepare` goes on."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from scopewatch.core.errors import FrameError
from scopewatch.files import write_whole
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pictures import look_at_file
from scopewatch_training.dataset.settings import PrepareSettings

_PIPELINE: Final = 17
"""To be raised when the same pictures and settings give another record, view or signal."""


def finished_pair(row: PairRow, out: Path, settings: PrepareSettings) -> Pair | None:
    """Return the record of a pair that an earlier call finished from the same files."""
    try:
        record = json.loads(record_path(out, row).read_text(encoding="utf-8"))
        if record["made_from"] != made_from(row, settings):
            return None
        pair = Pair.from_json(record["pair"])
    except (OSError, ValueError, KeyError, TypeError, FrameError):
        # A missing or half-written record is no error: the pair is simply made again.
        return None
    arrays = () if pair.refused is not None else (pair.view, pair.signal)
    return pair if all((out / name).is_file() for name in arrays) else None


def keep_pair(pair: Pair, row: PairRow, out: Path, origin: dict[str, Any]) -> None:
    """Write the record of a finished pair, or of a refused one, with what it was made from."""
    text = json.dumps({"made_from": origin, "pair": pair.to_json()})
    write_whole(record_path(out, row), text.encode(), shared=True)


def record_path(out: Path, row: PairRow) -> Path:
    """Return the path of the record of a row's pair."""
    return out / "pairs" / f"{row.pair_id}.json"


def made_from(row: PairRow, settings: PrepareSettings) -> dict[str, Any]:
    """Return all facts that make a finished pair stale when they change.

    Raises
    ------
    FrameError
        When a picture is gone.
    """
    return {
        "pipeline": _PIPELINE,
        "files": [look_at_file(row.phase), look_at_file(row.fluorescence)],
        "settings": settings.to_json(),
        "um_per_px": row.um_per_px,
        "day": row.day,
        "key": list(row.key),
    }


def settings_digest(settings: PrepareSettings, pairs: list[Pair]) -> str:
    """Hash over the settings and the pictures of all pairs that are used."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    for pair in sorted(pairs, key=lambda each: each.id):
        digest.update(f"{pair.id}:{pair.source_sha256}:{pair.refused is None}".encode())
    return digest.hexdigest()
