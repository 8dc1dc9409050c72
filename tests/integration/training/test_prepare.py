"""`prepare` from files on disk to a data set: whole, interrupted, and with bad pictures."""

import json
import multiprocessing
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.labels import label_pair, positive_mask
from scopewatch.core.imaging.normalise import normalise
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings, PrepareSettings
from tests.unit.training_data.pair_files import (
    make_field,
    write_field,
    write_manifest,
    write_plane,
    write_set,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def run_prepare(
    manifest: Path, out: Path, settings: PrepareSettings | None = None, workers: int = 1
) -> Dataset:
    rows = read_manifest(manifest)
    return prepare(rows, out, settings or PrepareSettings(), now=NOW, workers=workers)


def test_views_are_those_of_the_daemon_and_signals_lie_where_the_cells_are(tmp_path: Path) -> None:
    field = make_field(7, shift=(2.5, -3.5))
    row = write_field(tmp_path, "r1", 0, field)
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", [row]), tmp_path / "out")
    (pair,) = dataset.accepted
    pixels = tifffile.imread(tmp_path / "r1" / "phase0.tif")
    expected = normalise(pixels, dataset.normalisation)
    assert np.abs(dataset.view(pair) - expected).max() < 0.01
    assert np.abs(np.subtract(pair.offset_px, (2.5, -3.5))).max() < 0.3
    cut = fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted)[pair.id]
    found = positive_mask(dataset.signal(pair), cut)
    inner = (slice(8, -8), slice(8, -8))
    overlap = (found & field.glowing)[inner].sum() / field.glowing[inner].sum()
    assert overlap > 0.9
    assert np.isnan(dataset.signal(pair)[-2]).all(), "what the shift left without fluorescence"


def test_a_data_set_is_opened_as_it_was_prepared(tmp_path: Path) -> None:
    made = run_prepare(write_set(tmp_path, ["a", "b"]), tmp_path / "out")
    again = open_dataset(tmp_path / "out")
    assert again.runs() == ["a", "b"]
    assert again.data_sha256 == made.data_sha256
    assert [pair.id for pair in again.pairs] == [pair.id for pair in made.pairs]
    assert set(again.pairs[0].measures) >= {"focus", "contrast"}


def test_processes_make_the_same_data_set_as_one(tmp_path: Path) -> None:
    manifest = write_set(tmp_path, ["a", "b"])
    one = run_prepare(manifest, tmp_path / "one")
    two = run_prepare(manifest, tmp_path / "two", workers=2)
    assert one.data_sha256 == two.data_sha256
    for left, right in zip(one.pairs, two.pairs, strict=True):
        assert left.to_json() == right.to_json()
        assert np.array_equal(one.signal(left), two.signal(right), equal_nan=True)


def test_an_interrupted_call_continues(tmp_path: Path) -> None:
    rows = read_manifest(write_set(tmp_path, ["a", "b"]))
    out = tmp_path / "out"

    class CutOffError(Exception):
        pass

    def cut(done: int, _: int) -> None:
        if done == 3:
            raise CutOffError

    with pytest.raises(CutOffError):
        prepare(rows, out, PrepareSettings(), now=NOW, progress=cut)
    kept = {path: path.stat().st_mtime_ns for path in (out / "views").iterdir()}
    assert len(kept) == 3
    with pytest.raises(ConfigError, match="not a prepared data set"):
        open_dataset(out)
    seen: list[tuple[int, int]] = []
    prepare(rows, out, PrepareSettings(), now=NOW, progress=lambda *at: seen.append(at))
    assert seen == [(3, 4), (4, 4)]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def _prepare_and_die(rows_from: str, out: str) -> None:
    def die(done: int, _: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    rows = read_manifest(Path(rows_from))
    prepare(rows, Path(out), PrepareSettings(), now=NOW, progress=die)


def test_a_killed_call_leaves_no_half_file_and_continues(tmp_path: Path) -> None:
    manifest, out = write_set(tmp_path, ["a", "b"]), tmp_path / "out"
    process = multiprocessing.get_context("spawn").Process(
        target=_prepare_and_die, args=(str(manifest), str(out))
    )
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    seen: list[tuple[int, int]] = []
    dataset = prepare(
        read_manifest(manifest), out, PrepareSettings(), now=NOW,
        progress=lambda *at: seen.append(at),
    )  # fmt: skip
    assert seen[0] == (2, 4)
    assert len(dataset.accepted) == 4
    for pair in dataset.accepted:
        assert dataset.view(pair).shape == dataset.signal(pair).shape == (256, 256)


def test_a_picture_that_changed_is_prepared_again(tmp_path: Path) -> None:
    manifest = write_set(tmp_path, ["a"], fields=2)
    before = run_prepare(manifest, tmp_path / "out")
    write_plane(tmp_path / "a" / "phase0.tif", make_field(0, cells=61, shift=(1.5, -2.25)).phase)
    after = run_prepare(manifest, tmp_path / "out")
    assert after.data_sha256 != before.data_sha256
    assert after.pairs[0].source_sha256 != before.pairs[0].source_sha256
    assert after.pairs[1].source_sha256 == before.pairs[1].source_sha256


def test_pairs_that_do_not_belong_together_are_refused_by_name(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", site, make_field(site)) for site in range(3)]
    rows[1]["fluorescence"] = rows[2]["fluorescence"]
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    (why,) = [pair.refused for pair in dataset.pairs if pair.refused is not None]
    assert why.startswith("fluorescence cannot be registered on its phase frame: r1/P1/A2/s0/t0000")
    assert [pair.well for pair in dataset.accepted] == ["A1", "A3"]


def test_without_registration_every_pair_is_taken_as_it_lies(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", 0, make_field(0))]
    rows[0]["fluorescence"] = write_field(tmp_path, "r2", 0, make_field(5))["fluorescence"]
    settings = PrepareSettings(register=False)
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out", settings)
    (pair,) = dataset.accepted
    assert (pair.offset_px, pair.registration_confidence) == ((0.0, 0.0), 0.0)


def test_a_field_without_signal_borrows_the_offset_of_its_run(tmp_path: Path) -> None:
    shift = (3.0, -4.0)
    rows = [write_field(tmp_path, "r1", site, make_field(site, shift=shift)) for site in range(3)]
    empty = make_field(9, share=0.0)
    rows.append(write_field(tmp_path, "r1", 3, empty))
    rows.append(write_field(tmp_path, "auto", 0, make_field(11, share=0.0)))
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert len(dataset.accepted) == 5
    borrowed, control = dataset.pairs[3], dataset.pairs[4]
    assert np.abs(np.subtract(borrowed.offset_px, shift)).max() < 0.3
    assert borrowed.registration_confidence == 0
    assert "offset of the run's other pairs" in borrowed.note
    assert control.offset_px == (0.0, 0.0)
    thresholds = fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted)
    _, labels = label_pair(dataset.signal(control), thresholds[control.id], LabelSettings())
    assert not (labels == 1).any()


def test_a_binned_fluorescence_frame_is_resampled(tmp_path: Path) -> None:
    field = make_field(4)
    row = write_field(tmp_path, "r1", 0, field)
    binned = field.fluorescence.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    write_plane(tmp_path / row["fluorescence"], binned)
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", [row]), tmp_path / "out")
    (pair,) = dataset.accepted
    assert dataset.signal(pair).shape == (256, 256)
    assert np.abs(pair.offset_px).max() < 0.5


def test_bad_pictures_are_refused_by_name_and_the_others_are_prepared(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", site, make_field(site)) for site in range(5)]
    (tmp_path / rows[0]["phase"]).write_bytes(b"")
    (tmp_path / rows[1]["fluorescence"]).write_text("not an image", encoding="utf-8")
    tifffile.imwrite(tmp_path / rows[2]["phase"], np.zeros((256, 256), dtype=np.float32))
    write_plane(tmp_path / rows[3]["fluorescence"], make_field(3).fluorescence[:, :128])
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", rows), tmp_path / "out")
    assert [pair.well for pair in dataset.accepted] == ["A5"]
    reasons = [pair.refused or "" for pair in dataset.pairs]
    assert all(reason.count("\n") == 0 for reason in reasons)
    assert "phase0.tif" in reasons[0]
    assert "fluorescence1.tif" in reasons[1]
    assert "phase2.tif" in reasons[2]
    assert reasons[3].startswith("fluorescence does not cover the field of its phase frame")


def test_a_manifest_of_which_nothing_can_be_used_is_refused(tmp_path: Path) -> None:
    row = write_field(tmp_path, "r1", 0, make_field(0))
    (tmp_path / row["phase"]).write_bytes(b"")
    with pytest.raises(ConfigError, match=r"no pair of the manifest can be used: .*1 refused"):
        run_prepare(write_manifest(tmp_path / "m.csv", [row]), tmp_path / "out")


def test_pairs_of_mixed_scale_are_refused_unless_a_scale_is_asked_for(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", site, make_field(site)) for site in range(2)]
    for row, scale in zip(rows, ("0.5", "0.75"), strict=True):
        row["um_per_px"] = scale
    manifest = write_manifest(tmp_path / "m.csv", rows)
    with pytest.raises(ConfigError, match=r"differ in their pixel size: r1/P1/A2.*got 0.75 um/px"):
        run_prepare(manifest, tmp_path / "out")
    dataset = run_prepare(manifest, tmp_path / "out", PrepareSettings(um_per_px=0.5))
    assert dataset.um_per_px == 0.5
    assert [pair.width for pair in dataset.accepted] == [256, 384]
    assert dataset.pairs[1].note == "resampled by 1.500"


def test_a_scale_too_far_off_is_refused_by_name(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", site, make_field(site)) for site in range(2)]
    for row, scale in zip(rows, ("0.5", "5"), strict=True):
        row["um_per_px"] = scale
    dataset = run_prepare(
        write_manifest(tmp_path / "m.csv", rows), tmp_path / "out", PrepareSettings(um_per_px=0.5)
    )
    assert (dataset.pairs[1].refused or "").startswith("pixel size is too far off to resample")


def test_black_borders_of_a_frame_are_unknown_not_negative(tmp_path: Path) -> None:
    field = make_field(6)
    field.phase[:64] = 0
    row = write_field(tmp_path, "r1", 0, field)
    dataset = run_prepare(write_manifest(tmp_path / "m.csv", [row]), tmp_path / "out")
    (pair,) = dataset.accepted
    _, labels = label_pair(dataset.signal(pair), 100.0, LabelSettings(tile_px=32))
    assert (labels[:2] == -1).all()
    assert (labels[3:-1, :-1] != -1).all()


def test_the_index_is_plain_json_with_the_promised_keys(tmp_path: Path) -> None:
    run_prepare(write_set(tmp_path, ["a"]), tmp_path / "out")
    values = json.loads((tmp_path / "out" / "dataset.json").read_text(encoding="utf-8"))
    assert {"schema_version", "created_at", "um_per_px", "marker", "normalisation", "settings",
            "labels", "binarise", "data_sha256", "simulated", "pairs"} <= set(values)  # fmt: skip
    assert {"id", "run", "offset_px", "registration_confidence", "refused", "view", "signal",
            "histogram", "measures"} <= set(values["pairs"][0])  # fmt: skip
