"""Corrections of a data set: what they do to labels, and which files of them are refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.labels import label_pair
from scopewatch_training.dataset.corrections.file import (
    CORRECTIONS,
    read_corrections,
    write_corrections,
)
from scopewatch_training.dataset.corrections.plane import CorrectedSignal
from scopewatch_training.dataset.corrections.record import Corrections, Decision, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network.batches import FULLY_BRIGHT, brightness
from tests.unit.training.tiny_data import THRESHOLD, make_field, write_dataset
from tests.unit.training_review.reviewed import FIRST, correct, corrections_of, write_review

SETTINGS = LabelSettings(tile_px=32, area_cutoff=0.25)
WHOLE = slice(None), slice(None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data")


def corrected(
    signal: np.ndarray[Any, Any], label: TileLabel, settings: LabelSettings = SETTINGS
) -> CorrectedSignal:
    return CorrectedSignal(plane=signal, tiles={(1, 2): label}, settings=settings)


@pytest.mark.parametrize(
    ("label", "number"),
    [(TileLabel.POSITIVE, 1), (TileLabel.NEGATIVE, 0), (TileLabel.DROPPED, -1)],
)
@pytest.mark.parametrize("threshold", [THRESHOLD, 1e9, float("inf")])
def test_a_corrected_tile_has_the_label_that_a_person_gave(
    label: TileLabel, number: int, threshold: float
) -> None:
    signal = make_field(0, 0.5)[1]
    before = label_pair(signal, threshold, SETTINGS)[1]
    after = label_pair(corrected(signal, label)[WHOLE], threshold, SETTINGS)[1]
    assert after[1, 2] == number
    after[1, 2] = before[1, 2]
    assert np.array_equal(after, before), "no other tile changes"


@pytest.mark.parametrize("band", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("cutoff", [0.21, 0.3, 0.5, 0.75])
def test_a_corrected_label_holds_for_every_cut_off_and_band(cutoff: float, band: float) -> None:
    settings = LabelSettings(tile_px=32, area_cutoff=cutoff, ambiguous_band=band)
    signal = make_field(0, 0.5)[1]
    for label, number in ((TileLabel.POSITIVE, 1), (TileLabel.NEGATIVE, 0)):
        plane = corrected(signal, label, settings)[WHOLE]
        assert label_pair(plane, THRESHOLD, settings)[1][1, 2] == number


def test_a_positive_tile_is_positive_where_it_is_brightest_and_no_more_than_the_cut_off() -> None:
    signal = np.zeros((128, 128), dtype=np.float32)
    signal[40:48, 80:96] = 20.0  # below the threshold of 50
    settings = LabelSettings(tile_px=32, area_cutoff=0.125)
    found = corrected(signal, TileLabel.POSITIVE, settings)[WHOLE] > THRESHOLD
    assert np.array_equal(found, signal > 0)


def test_a_tile_without_known_pixels_counts_once_a_person_gave_it_a_label() -> None:
    signal = make_field(0, 0.5)[1]
    signal[32:64, 64:96] = np.nan
    assert label_pair(signal, THRESHOLD, SETTINGS)[1][1, 2] == -1
    plane = corrected(signal, TileLabel.POSITIVE)[WHOLE]
    assert label_pair(plane, THRESHOLD, SETTINGS)[1][1, 2] == 1


def test_a_crop_reads_as_the_same_part_of_the_whole_plane() -> None:
    signal = make_field(3, 0.4)[1][:120, :100]
    plane = CorrectedSignal(
        plane=signal,
        tiles={(0, 0): TileLabel.POSITIVE, (1, 2): TileLabel.DROPPED, (2, 1): TileLabel.POSITIVE},
        settings=SETTINGS,
    )
    whole = plane[WHOLE]
    assert whole.shape == plane.shape == (120, 100)
    for top, left, side in ((0, 0, 20), (17, 3, 64), (50, 30, 70), (31, 33, 1)):
        crop = plane[top : top + side, left : left + side]
        assert np.array_equal(crop, whole[top : top + side, left : left + side], equal_nan=True)


@pytest.mark.parametrize("threshold", [0.001, THRESHOLD, float("inf")])
def test_pixels_that_a_person_called_positive_are_fully_bright(threshold: float) -> None:
    plane = corrected(np.zeros((128, 128), dtype=np.float32), TileLabel.POSITIVE)[WHOLE]
    graded = brightness(plane, threshold)
    assert np.count_nonzero(graded == 1) == 256
    assert np.count_nonzero(graded) == 256
    assert brightness(np.array([[FULLY_BRIGHT * 50]]), 50.0) == 1


def test_a_data_set_is_opened_with_its_corrections_and_its_files_stay_as_they_were(
    folder: Path,
) -> None:
    plain = open_dataset(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    pair = plain.accepted[0]
    was = plain.label(pair, THRESHOLD, plain.labels)[2, 3]
    flipped = TileLabel.NEGATIVE if was == 1 else TileLabel.POSITIVE

    opened = write_review(folder, correct(2, 3, flipped), correct(0, 0, TileLabel.DROPPED))

    labels = opened.label(pair, THRESHOLD, opened.labels)
    assert (labels[2, 3], labels[0, 0]) == (1 - was, -1)
    assert np.array_equal(opened.signal(pair), plain.signal(pair)), "as measured, for pictures"
    assert open_dataset(folder, corrected=False).data_sha256 == plain.data_sha256
    assert {path: path.read_bytes() for path in before} == before


def test_a_dropped_pair_is_a_refused_one(folder: Path) -> None:
    plain = open_dataset(folder)
    opened = write_review(folder, decision=Decision.DROPPED)
    assert FIRST not in [pair.id for pair in opened.accepted]
    assert opened.pairs[0].refused == "dropped in review by Mika, 2026-03-02"
    assert len(opened.accepted) == len(plain.accepted) - 1
    assert FIRST not in [pair.id for pair in opened.of_runs(["run1"])]


def test_the_hash_of_a_data_set_counts_what_changes_labels_and_nothing_else(folder: Path) -> None:
    plain = open_dataset(folder)
    hashes = {plain.data_sha256}
    changes: list[dict[str, Any]] = [
        {"tiles": [correct(1, 1, TileLabel.POSITIVE)]},
        {"tiles": [correct(1, 1, TileLabel.NEGATIVE)]},
        {"tiles": [correct(1, 2, TileLabel.NEGATIVE)]},
        {"tiles": [], "decision": Decision.DROPPED},
    ]
    for change in changes:
        (folder / CORRECTIONS).unlink(missing_ok=True)
        opened = write_review(folder, *change["tiles"], decision=change.get("decision"))
        assert opened.describe_corrections() != ""
        hashes.add(opened.data_sha256)
    assert len(hashes) == 5

    (folder / CORRECTIONS).unlink()
    accepted = write_review(folder, decision=Decision.ACCEPTED)
    assert accepted.data_sha256 == plain.data_sha256
    assert accepted.describe_corrections() == ""
    (folder / CORRECTIONS).unlink()
    one = write_review(folder, correct(1, 1, TileLabel.POSITIVE, author="Mika")).data_sha256
    (folder / CORRECTIONS).unlink()
    other = write_review(folder, correct(1, 1, TileLabel.POSITIVE, author="Noor")).data_sha256
    assert one == other, "who decided is no part of the data"


def test_corrections_are_counted_in_words(folder: Path) -> None:
    opened = write_review(folder, correct(1, 1, TileLabel.POSITIVE))
    assert opened.describe_corrections() == "labels were corrected in review: 1 tile"


def test_labels_of_other_tiles_than_were_corrected_are_refused(folder: Path) -> None:
    opened = write_review(folder, correct(1, 1, TileLabel.POSITIVE))
    with pytest.raises(ConfigError) as caught:
        opened.label(opened.accepted[0], THRESHOLD, LabelSettings(tile_px=16))
    assert str(caught.value) == (
        f"labels were corrected for tiles of another size: {folder}, run1/P1/A1/s0/t0020"
        " (expected tiles of 32 px, got 16 px); use --tile-px 32, or move corrections.json away"
    )
    other = opened.label(opened.accepted[1], THRESHOLD, LabelSettings(tile_px=16))
    assert other.shape == (8, 8), "a pair without corrected tiles is labelled as ever"


def test_a_correction_replaces_an_earlier_one_and_an_empty_review_is_left_out(folder: Path) -> None:
    dataset = open_dataset(folder)
    made = corrections_of(dataset, correct(1, 1, TileLabel.POSITIVE))
    review = made.review_of(dataset.pairs[0])
    again = made.with_review(review.with_tile(correct(1, 1, TileLabel.DROPPED)))
    assert again.pairs[0].labels == {(1, 1): TileLabel.DROPPED}
    assert again.with_review(review.without_tile(1, 1)) == Corrections(tile_px=32)
    assert Corrections(tile_px=32).digest == ""


def test_a_change_that_was_made_from_an_older_file_is_refused_and_nothing_is_lost(
    folder: Path,
) -> None:
    dataset = open_dataset(folder)
    first = corrections_of(dataset, correct(1, 1, TileLabel.POSITIVE))
    second = corrections_of(dataset, correct(2, 2, TileLabel.POSITIVE))
    write_corrections(folder, first, replaces=None)
    with pytest.raises(ConfigError, match="changed by another program meanwhile") as caught:
        write_corrections(folder, second, replaces=None)
    assert str(folder / CORRECTIONS) in str(caught.value)
    assert read_corrections(folder) == first


def edit(folder: Path, change: dict[str, Any], *, tile: dict[str, Any] | None = None) -> Path:
    """Write a valid file of corrections with some fields changed."""
    write_review(folder, correct(1, 1, TileLabel.POSITIVE))
    path = folder / CORRECTIONS
    values = json.loads(path.read_text())
    pair = change.pop("pair", {})
    values.update(change)
    values["pairs"][0].update(pair)
    values["pairs"][0]["tiles"][0].update(tile or {})
    path.write_text(json.dumps(values))
    return path


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "tile size": (
        {"tile_px": 16},
        {},
        "corrections are for tiles of another size: {path} (expected 32 px, as the data set, got"
        " 16 px); prepare with --tile-px 16, or move the file away",
    ),
    "unknown pair": (
        {"pair": {"id": "run9_A1"}},
        {},
        "corrections name a pair that the data set does not have: {path} (expected pairs of the"
        " manifest, got run9_A1); prepare with the manifest it was in, or move the file away",
    ),
    "other pixels": (
        {"pair": {"source_sha256": "b" * 64}},
        {},
        "corrections were made on other pictures of a pair: {path}, run1_A1 (expected the same"
        " pixels, got others); remove the pair from the file and review it again, or prepare it as"
        " it was",
    ),
    "other size": (
        {"pair": {"width": 256}},
        {},
        "corrections were made on other pictures of a pair: {path}, run1_A1 (expected 128 x 128"
        " px, got 128 x 256 px); remove the pair from the file and review it again, or prepare it"
        " as it was",
    ),
    "outside": (
        {},
        {"row": 4},
        "corrected tile is outside the frame: {path}, run1_A1 (expected rows 0 to 3, columns 0 to"
        " 3, got row 4, column 1); remove it from the file",
    ),
    "version": (
        {"schema_version": 2},
        {},
        "corrections cannot be read: {path} (expected the file that review writes, schema_version"
        " 1, got schema_version: Input should be 1); correct it, or move the file away",
    ),
    "label": (
        {},
        {"label": "maybe"},
        "corrections cannot be read: {path} (expected the file that review writes, schema_version"
        " 1, got pairs.0.tiles.0.label: Input should be 'positive', 'negative' or 'dropped');"
        " correct it, or move the file away",
    ),
    "no author": (
        {},
        {"author": ""},
        "corrections cannot be read: {path} (expected the file that review writes, schema_version"
        " 1, got pairs.0.tiles.0.author: String should have at least 1 character); correct it, or"
        " move the file away",
    ),
    "time without zone": (
        {},
        {"at": "2026-03-02T10:30:00"},
        "corrections cannot be read: {path} (expected the file that review writes, schema_version"
        " 1, got pairs.0.tiles.0.at: Input should have timezone info); correct it, or move the"
        " file away",
    ),
    "unknown key": (
        {},
        {"colour": "red"},
        "corrections cannot be read: {path} (expected the file that review writes, schema_version"
        " 1, got pairs.0.tiles.0.colour: Extra inputs are not permitted); correct it, or move the"
        " file away",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_does_not_fit_is_refused_in_one_line(folder: Path, name: str) -> None:
    change, tile, line = FAULTS[name]
    path = edit(folder, json.loads(json.dumps(change)), tile=tile)
    with pytest.raises(ConfigError) as caught:
        open_dataset(folder)
    assert str(caught.value) == line.format(path=path)
    assert open_dataset(folder, corrected=False).accepted, "prepare still reads its own files"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1', "\x00\x01"])
def test_a_torn_file_is_refused_in_one_line(folder: Path, text: str) -> None:
    (folder / CORRECTIONS).write_text(text)
    with pytest.raises(ConfigError, match=r"^corrections cannot be read: [^\n]+$"):
        open_dataset(folder)


def test_a_tile_and_a_pair_listed_twice_are_named(folder: Path) -> None:
    write_review(folder, correct(1, 1, TileLabel.POSITIVE))
    path = folder / CORRECTIONS
    values = json.loads(path.read_text())
    pair = values["pairs"][0]
    path.write_text(json.dumps({**values, "pairs": [{**pair, "tiles": pair["tiles"] * 2}]}))
    with pytest.raises(ConfigError, match="tile at row 1, column 1 of run1_A1 is listed twice"):
        open_dataset(folder)
    path.write_text(json.dumps({**values, "pairs": [pair, pair]}))
    with pytest.raises(ConfigError, match="pair run1_A1 is listed twice"):
        open_dataset(folder)


def test_a_tile_cut_by_the_border_cannot_be_corrected(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    path = folder / "dataset.json"
    values = json.loads(path.read_text())
    values["labels"]["tile_px"] = 48
    path.write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=r"cut by the border and never counts.*rows 0 to 1"):
        write_review(folder, correct(2, 0, TileLabel.POSITIVE))
