"""Labels corrected in review reach the network, the card, the hash and the figures."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.fit_record import read_fit
from scopewatch_training.dataset.corrections.record import Decision, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.review.session import ReviewSession
from tests.integration.training.test_train_fit import SETTINGS, train
from tests.unit.training.tiny_data import write_dataset

pytestmark = [pytest.mark.training, pytest.mark.timeout(300)]

DROPPED = "run2_A4"
TILE_PX = 16


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """Three runs; of two, a pair is dropped and every tile of the others turned over in review."""
    folder = write_dataset(tmp_path / "data")
    index = folder / "dataset.json"
    values = json.loads(index.read_text())
    values["labels"] |= {"tile_px": TILE_PX, "area_cutoff": 0.5}
    index.write_text(json.dumps(values))
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS.to_json()))
    plain = open_dataset(folder)
    session = ReviewSession(plain, author="Mika", now=lambda: datetime.now(UTC))
    for pair in plain.of_runs(["run1", "run2"]):
        if pair.id == DROPPED:
            session.decide(pair.id, Decision.DROPPED)
            continue
        labels = session.tiles(pair).labels
        for row, col in np.ndindex(labels.shape):
            other = TileLabel.NEGATIVE if labels[row, col] == 1 else TileLabel.POSITIVE
            session.correct(pair.id, row, col, other)
    return folder


def test_a_network_learns_the_labels_that_people_gave_and_its_card_says_so(
    reviewed: Path, tmp_path: Path
) -> None:
    out, figures = tmp_path / "bundle", tmp_path / "figures.json"
    line = "labels were corrected in review: 448 tiles and 1 dropped pair"

    fitted = train(
        *("fit", reviewed, "--out", out, "--hold-out", "run3", "--threads", 1),
        *("--settings", tmp_path / "settings.json"),
    )
    judged = train("evaluate", out, reviewed, "--threads", 1, "--json", figures)

    assert fitted.returncode == 0, fitted.stderr
    assert line in fitted.stdout
    corrections = load_bundle(out).card.labels.corrections
    assert corrections is not None
    assert (corrections.tiles, corrections.pairs_dropped) == (448, 1)
    dataset, plain = open_dataset(reviewed), open_dataset(reviewed, corrected=False)
    assert dataset.corrections is not None
    assert corrections.sha256 == dataset.corrections.digest
    assert read_fit(out)["data_sha256"] == dataset.data_sha256 != plain.data_sha256
    assert DROPPED not in [pair.id for pair in dataset.accepted]
    # Nobody corrected the held-out run: a network that learnt the opposite is wrong everywhere.
    assert judged.returncode == 0, judged.stderr
    assert line in judged.stdout
    values = json.loads(figures.read_text())
    assert values["runs"] == ["run3"]
    assert values["tile"]["roc_auc"] < 0.2
