"""Corrections reach what is computed from a data set: figures, comparisons, forecasts, the card."""

import json
from pathlib import Path

import pytest

from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.card_writer import label_corrections
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.cli.main import main
from scopewatch_training.comparison.compare import compare
from scopewatch_training.dataset.corrections.record import Decision, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.baselines import Baselines
from scopewatch_training.evaluation.evaluate import score_fields
from scopewatch_training.forecasting.forecast import final_efficiencies
from scopewatch_training.network.frames import frames_of
from tests.unit.training.tiny_data import THRESHOLD, write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle
from tests.unit.training_review.reviewed import FIRST, correct, write_review

TILE_PX = 16
LINE = "labels were corrected in review: 6 tiles"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set with the tiles of the tiny bundle."""
    made = write_dataset(tmp_path / "data")
    path = made / "dataset.json"
    values = json.loads(path.read_text())
    values["labels"] |= {"tile_px": TILE_PX, "area_cutoff": 0.5}
    path.write_text(json.dumps(values))
    return made


def flip_row(folder: Path) -> Dataset:
    """Flip six tiles of the first pair, all that are negative in its first rows."""
    plain = open_dataset(folder)
    labels = plain.label(plain.accepted[0], THRESHOLD, plain.labels)
    places = [(row, col) for row in range(8) for col in range(8) if labels[row, col] == 0][:6]
    return write_review(folder, *(correct(row, col, TileLabel.POSITIVE) for row, col in places))


def test_figures_of_a_bundle_are_against_corrected_labels(folder: Path, tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "bundle"))
    rule = read_label_rule(bundle)
    before, after = (
        score_fields(bundle, dataset, ["run1", "run2"], rule, 1)
        for dataset in (open_dataset(folder), flip_row(folder))
    )
    assert after[0].truth == pytest.approx(before[0].truth + 6 / 64)
    assert [each.truth for each in after[1:]] == [each.truth for each in before[1:]]


def test_a_comparison_is_on_corrected_labels_and_says_so(folder: Path, tmp_path: Path) -> None:
    bundles = [load_bundle(write_bundle(tmp_path / name)) for name in ("one", "two")]
    before = compare(bundles[0], bundles[1], open_dataset(folder), threads=1)
    after = compare(bundles[0], bundles[1], flip_row(folder), threads=1)
    truths = [(each.fields[0].first.truth, each.fields[0].second.truth) for each in (before, after)]
    assert truths[1] == pytest.approx([each + 6 / 64 for each in truths[0]])
    assert f"In this data set {LINE}." in after.caveats
    assert not any("corrected" in line for line in before.caveats)


def test_baselines_and_finals_take_the_corrected_labels(folder: Path, tmp_path: Path) -> None:
    plain, corrected = open_dataset(folder), flip_row(folder)
    cuts = fit_thresholds(plain.accepted, plain.binarise).per_pair(plain.accepted)
    truths = []
    for dataset in (plain, corrected):
        runs = dataset.of_runs(["run2"]), dataset.of_runs(["run1"])
        scored = Baselines(dataset=dataset, labels=dataset.labels, trees=50).score(*runs, cuts)
        truths.append(scored["local_std"][0].truth)
    assert truths[1] == pytest.approx(truths[0] + 6 / 64)

    rule = read_label_rule(load_bundle(write_bundle(tmp_path / "bundle")))
    finals = [final_efficiencies(each, rule) for each in (plain, corrected)]
    well = ("run1", "P1", "A1")
    assert finals[1][well] == pytest.approx(finals[0][well] + 6 / 64)
    assert {name: finals[0][name] for name in finals[0] if name != well} == {
        name: finals[1][name] for name in finals[1] if name != well
    }


def test_frames_to_train_on_read_corrected_pixels_for_the_settings_of_the_fit(folder: Path) -> None:
    dataset = flip_row(folder)
    pairs = dataset.of_runs(["run1"])
    thresholds = fit_thresholds(pairs, dataset.binarise)
    frame = frames_of(dataset, pairs, thresholds, dataset.labels)[0]
    review = dataset.corrections.find(FIRST) if dataset.corrections else None
    assert review is not None
    row, col = min(review.labels)
    tile = frame.signal[row * 16 : row * 16 + 16, col * 16 : col * 16 + 16]
    assert (tile > frame.threshold).mean() == 0.5


def test_the_card_counts_what_was_corrected_in_its_training_runs(folder: Path) -> None:
    dataset = flip_row(folder)
    on_card = label_corrections(dataset, ["run1", "run2"])
    assert on_card is not None
    assert dataset.corrections is not None
    assert (on_card.tiles, on_card.pairs_dropped) == (6, 0)
    assert on_card.sha256 == dataset.corrections.digest
    assert label_corrections(dataset, ["run2", "run3"]) is None
    assert label_corrections(open_dataset(folder, corrected=False), ["run1"]) is None


def test_a_dropped_pair_is_counted_on_the_card_and_its_tiles_are_not(folder: Path) -> None:
    dataset = write_review(folder, correct(0, 0, TileLabel.POSITIVE), decision=Decision.DROPPED)
    on_card = label_corrections(dataset, ["run1"])
    assert on_card is not None
    assert (on_card.tiles, on_card.pairs_dropped) == (0, 1)


def test_commands_say_that_labels_were_corrected(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = [
        "compare",
        *(str(write_bundle(tmp_path / name)) for name in ("one", "two")),
        str(folder),
    ]
    with pytest.raises(SystemExit, match="0"):
        main(call)
    assert "corrected" not in capsys.readouterr().out
    flip_row(folder)
    with pytest.raises(SystemExit, match="0"):
        main(call)
    assert capsys.readouterr().out.splitlines()[0] == LINE


def test_a_bundle_of_other_tiles_cannot_be_judged_on_corrected_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_dataset(tmp_path / "data")
    write_review(data, correct(0, 0, TileLabel.POSITIVE))
    bundle = write_bundle(tmp_path / "bundle")
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", str(bundle), str(data)])
    assert capsys.readouterr().err == (
        f"labels were corrected for tiles of another size: {data}, run1/P1/A1/s0/t0020 (expected"
        " tiles of 32 px, got 16 px); use --tile-px 32, or move corrections.json away\n"
    )
