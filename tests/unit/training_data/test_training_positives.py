"""Runs without a positive tile are named when a data set is prepared."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scopewatch_training.dataset.doubts import DoubtKind
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.settings import LabelSettings, PrepareSettings
from tests.unit.training_data.pair_files import Field, make_field, write_field, write_manifest

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SITUATIONS: dict[str, tuple[Callable[[Field], Field], str]] = {
    "a stain that failed": (
        lambda field: replace(field, fluorescence=field.fluorescence * 0 + 120),
        "nothing above the camera's noise",
    ),
    "a reporter-free control with noise": (
        lambda _: make_field(9, side=128, share=0.0),
        "nothing above the camera's noise",
    ),
}


def doubts_of(tmp_path: Path, change: Callable[[Field], Field], cutoff: float = 0.05) -> list[str]:
    rows = []
    for index, run in enumerate(("good", "odd")):
        for site in range(2):
            field = make_field(10 * index + site, side=128, cells=40)
            rows.append(write_field(tmp_path, run, site, field if run == "good" else change(field)))
    manifest = read_manifest(write_manifest(tmp_path / "pairs.csv", rows))
    labels = LabelSettings(area_cutoff=cutoff)
    made = prepare(manifest, tmp_path / "out", PrepareSettings(), now=NOW, labels=labels)
    return [doubt.line for doubt in made.doubts if doubt.kind is DoubtKind.NO_POSITIVE]


@pytest.mark.parametrize(("change", "words"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_a_run_without_a_positive_tile_is_named(
    tmp_path: Path, change: Callable[[Field], Field], words: str
) -> None:
    (line,) = doubts_of(tmp_path, change)
    assert line.startswith("run has no positive tile: run odd (")
    assert words in line
    assert "fit with --exclude odd" in line


def test_cells_too_small_for_the_cut_off_are_named_as_such(tmp_path: Path) -> None:
    lines = doubts_of(tmp_path, lambda field: field, cutoff=0.95)
    assert ["no tile with enough positive area" in line for line in lines] == [True, True]


def test_runs_with_positive_tiles_raise_no_doubt(tmp_path: Path) -> None:
    assert doubts_of(tmp_path, lambda field: field) == []
