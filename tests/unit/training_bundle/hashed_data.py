"""A tiny data set whose pairs have hashes, and bundles that know their training frames."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.bundle.known_frames import FRAMES_FILE, KnownFrames, know_frames
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.looks import MARK_VERSION
from scopewatch_training.dataset.prepared import Dataset
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle


def look_of(picture: str, saved: str = "") -> dict[str, Any]:
    """Return the look of a named picture; `saved` names how it was saved again."""
    rng = np.random.default_rng(list(picture.encode()))
    digest = sha256((picture + saved).encode()).hexdigest()
    return {"sha256": digest, "mark": rng.bytes(32).hex(), "fineness": 1.0, "skewness": 0.1}


def write_hashed(
    folder: Path,
    *,
    runs: Mapping[str, str],
    wells: int = 4,
    saved: Sequence[str] = (),
    mark_version: int = MARK_VERSION,
) -> Dataset:
    """Write a data set with hashes.

    Parameters
    ----------
    runs
        Name of each run -> name of its pictures: runs with the same are copies.
    saved
        Runs whose pictures were saved again.
    """
    write_dataset(folder, runs=len(runs), wells=wells)
    path = folder / "dataset.json"
    values = json.loads(path.read_text())
    names = list(runs)
    for pair in values["pairs"]:
        pair["run"] = names[int(pair["run"].removeprefix("run")) - 1]
        again = f"saved for {pair['run']}" if pair["run"] in saved else ""
        picture = f"{runs[pair['run']]} {pair['well']}"
        pair["phase_look"] = look_of(f"phase {picture}", again)
        pair["fluorescence_look"] = look_of(f"glow {picture}", again)
    values["mark_version"] = mark_version
    path.write_text(json.dumps(values))
    return open_dataset(folder)


def write_knowing_bundle(folder: Path, training: Dataset, runs: Sequence[str], **card: Any) -> Path:
    """Write a bundle that was trained on some runs of a data set and holds their hashes."""
    write_bundle(folder, trained_on=list(runs), **card)
    known = know_frames(training, training.of_runs(runs))
    assert known is not None
    return teach(folder, known)


def teach(folder: Path, known: KnownFrames) -> Path:
    """Put hashes of training frames into a bundle, and name them on its card."""
    content = known.content
    (folder / "report" / FRAMES_FILE).write_bytes(content)
    digest = sha256(content).hexdigest()
    changed = load_bundle(folder).card.model_copy(update={"training_frames_sha256": digest})
    rewrite_card(folder, changed)
    return folder
