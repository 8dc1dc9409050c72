"""Writes and reads `dataset.json`, the index of a prepared data set."""

import json
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.corrections.record import Corrections
from scopewatch_training.dataset.doubts import Doubt
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings

SCHEMA_VERSION: Final = 1
INDEX: Final = "dataset.json"


def open_dataset(folder: Path, *, corrected: bool = True) -> Dataset:
    """Open a data set that `prepare` wrote, with the corrections that people made.

    Parameters
    ----------
    corrected
        False leaves corrections out: the data set as `prepare` wrote it.

    Raises
    ------
    ConfigError
        When it is not there, not finished, or of another schema, or its corrections do not fit it.
    """
    path = folder / INDEX
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        version = values["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            complaint(
                "not a prepared data set",
                where=path,
                got="no such file" if isinstance(error, FileNotFoundError) else error,
                do="run scopewatch-train prepare to its end",
            )
        ) from error
    if version != SCHEMA_VERSION:
        raise ConfigError(
            complaint(
                "data set is of another version",
                where=path,
                expected=f"schema_version {SCHEMA_VERSION}",
                got=version,
                do="run prepare again",
            )
        )
    dataset = Dataset(
        folder=folder,
        created_at=values["created_at"],
        um_per_px=values["um_per_px"],
        marker=values["marker"],
        settings=PrepareSettings.from_json(values["settings"]),
        data_sha256=values["data_sha256"],
        simulated=values["simulated"],
        pairs=tuple(Pair.from_json(pair) for pair in values["pairs"]),
        labels=LabelSettings(**values["labels"]),
        binarise=BinariseSettings.from_json(values["binarise"]),
        doubts=tuple(Doubt.from_json(each) for each in values.get("doubts", ())),
        mark_version=values.get("mark_version", 0),
    )
    corrections = dataset.read_corrections() if corrected else None
    return dataset if corrections is None else _apply(dataset, corrections)


def _apply(dataset: Dataset, corrections: Corrections) -> Dataset:
    """Return a data set with corrections applied; what `prepare` wrote stays as it is."""
    dropped = {each.id: each.decision for each in corrections.pairs if each.dropped}
    pairs = []
    for pair in dataset.pairs:
        decision = dropped.get(pair.id)
        if decision is not None and pair.refused is None:
            by = f"dropped in review by {decision.author}, {decision.at:%Y-%m-%d}"
            pairs.append(replace(pair, refused=by))
        else:
            pairs.append(pair)
    digest = corrections.digest
    both = f"{dataset.data_sha256}\n{digest}"
    return replace(
        dataset,
        pairs=tuple(pairs),
        data_sha256=sha256(both.encode()).hexdigest() if digest else dataset.data_sha256,
        corrections=corrections,
    )


def index_json(dataset: Dataset) -> dict[str, Any]:
    """Return `dataset.json` as JSON values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": dataset.created_at,
        "um_per_px": dataset.um_per_px,
        "marker": dataset.marker,
        "normalisation": asdict(dataset.normalisation),
        "settings": dataset.settings.to_json(),
        "labels": dataset.labels.to_json(),
        "binarise": dataset.binarise.to_json(),
        "data_sha256": dataset.data_sha256,
        "simulated": dataset.simulated,
        "doubts": [doubt.to_json() for doubt in dataset.doubts],
        "mark_version": dataset.mark_version,
        "pairs": [pair.to_json() for pair in dataset.pairs],
    }
