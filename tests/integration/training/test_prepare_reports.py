"""The QC report and the evaluation report, written from a small prepared data set."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch_training.dataset.checks.simulated import SIMULATED_FILE
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.page import Page, Section, write_page
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.qc import write_qc
from scopewatch_training.dataset.settings import LabelSettings, PrepareSettings
from scopewatch_training.dataset.tile_counts import count_tiles, inspect_runs
from scopewatch_training.evaluation.assessment import assess
from scopewatch_training.evaluation.baselines import LOCAL_STD, Baselines
from scopewatch_training.evaluation.in_words import RANDOM_FOREST
from scopewatch_training.evaluation.report import ReportContent, write_report
from tests.unit.training_data.pair_files import (
    make_field,
    write_field,
    write_manifest,
    write_set,
)

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("set")
    rows = read_manifest(write_set(folder, ["a", "b", "c"]))
    return prepare(
        rows, folder / "out", PrepareSettings(marker="YFP"), now=NOW,
        labels=LabelSettings(area_cutoff=0.1),
    )  # fmt: skip


def test_the_random_forest_finds_cells_in_a_run_it_never_saw(dataset: Dataset) -> None:
    thresholds = fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted)
    scored = Baselines(dataset=dataset, labels=dataset.labels, trees=50).score(
        dataset.of_runs(["a", "b"]), dataset.of_runs(["c"]), thresholds
    )
    forest = assess(scored[RANDOM_FOREST], np.random.default_rng(0), repeats=0)
    simple = assess(scored[LOCAL_STD], np.random.default_rng(0), repeats=0)
    assert set(forest.per_run) == set(simple.per_run) == {"c"}
    assert forest.pooled.tile.roc_auc > 0.9
    assert simple.pooled.tile.roc_auc > 0.6


def test_baselines_need_both_kinds_of_tiles(dataset: Dataset) -> None:
    never = {pair.id: float("inf") for pair in dataset.accepted}
    with pytest.raises(ConfigError, match=r"hold no tile of one class.*got 0 positive"):
        Baselines(dataset=dataset, labels=dataset.labels).score(
            dataset.of_runs(["a"]), dataset.of_runs(["b"]), never
        )


def test_the_report_is_one_page_that_needs_nothing_else(dataset: Dataset, tmp_path: Path) -> None:
    thresholds = fit_thresholds(dataset.accepted, dataset.binarise).per_pair(dataset.accepted)
    scored = Baselines(dataset=dataset, labels=dataset.labels, trees=50).score(
        dataset.of_runs(["a"]), dataset.of_runs(["b", "c"]), thresholds
    )
    rates = ErrorRates(tpr=0.95, fpr=0.02, half_width=0.1)
    model = assess(
        [replace(field, rates=rates) for field in scored[RANDOM_FOREST]],
        np.random.default_rng(0),
        repeats=20,
    )
    fold = {
        "auc_float": 0.9812, "auc_int8": 0.9801, "mean_points": 0.11, "worst_points": 1.25,
        "worst_probability": 0.062,
    }  # fmt: skip
    content = ReportContent(
        title="Trial <1>",
        subtitle="forest on b and c",
        assessment=model,
        baselines={
            name: assess(fields, np.random.default_rng(0), repeats=0)
            for name, fields in scored.items()
        },
        thresholds=thresholds,
        tile_px=dataset.labels.tile_px,
        facts=[("data", dataset.data_sha256)],
        notes=["Leakage gap: 0.01."],
        gate={"inner_folds": [fold], "final": fold | {"worst_points": 0.75}},
    )
    html = write_report(tmp_path, content, dataset, NOW).read_text(encoding="utf-8")
    assert "Trial &lt;1&gt;" in html
    assert dataset.data_sha256 in html
    assert "Leakage gap: 0.01." in html
    plain = re.sub(r"<[^>]+>", " ", html)
    assert re.search(r"inner fold 1 +0\.9812 +0\.9801 +0\.11 +1\.25 +0\.062", plain)
    assert re.search(r"bundle +0\.9812 +0\.9801 +0\.11 +0\.75 +0\.062", plain)
    assert "local_std, all runs" in html
    assert "In words: the efficiency of a field is " in html
    assert "The random forest, which sees the texture of single tiles only, is level with" in html
    assert f"{model.pooled.tile.roc_auc:.3f}" in html
    assert "Simulated" not in html
    sources = re.findall(r'<img[^>]* src="([^"]{20})', html)
    assert len(sources) == 7
    assert all(source.startswith("data:image/png") for source in sources)
    assert not re.search(r'(?:href|src)="(?!data:)', html)
    pictures = {path.name for path in tmp_path.glob("*.png")}
    assert {"curves.png", "calibration.png", "efficiency.png", "stain_worst.png"} <= pictures


def test_the_qc_report_shows_every_run_and_what_was_refused(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "good", site, make_field(site)) for site in range(3)]
    rows[2]["fluorescence"] = rows[1]["fluorescence"]
    rows.append(write_field(tmp_path, "auto", 0, make_field(9, share=0.0)))
    (tmp_path / SIMULATED_FILE).write_text("", encoding="utf-8")
    made = prepare(
        read_manifest(write_manifest(tmp_path / "m.csv", rows)), tmp_path / "out",
        PrepareSettings(marker="YFP"), now=NOW,
    )  # fmt: skip
    cuts = fit_thresholds(made.accepted, made.binarise).per_pair(made.accepted)
    runs = {each.run: each for each in inspect_runs(made, cuts, count_tiles(made, cuts))}
    assert runs["good"].refused == 1
    assert runs["good"].prevalence > 0.1
    assert list(runs["good"].by_cutoff) == sorted(runs["good"].by_cutoff, reverse=True)
    assert (runs["auto"].noted, runs["auto"].borrowed) == (1, 0)
    assert (runs["auto"].prevalence, runs["auto"].threshold) == (0.0, np.inf)
    page = write_qc(made, tmp_path / "qc", NOW, np.random.default_rng(0))
    html = page.read_text(encoding="utf-8")
    assert "Simulated" in html
    assert "fluorescence cannot be registered on its phase frame: good/P1/A3" in html
    assert "Run auto has no positive tile" in html
    names = {path.name for path in page.parent.glob("*.png")}
    assert {"histograms.png", "offsets.png", "tiles_positive.png", "tiles_negative.png"} <= names


def test_a_note_of_another_kind_is_not_counted_as_a_borrowed_offset(tmp_path: Path) -> None:
    rows = [write_field(tmp_path, "r1", site, make_field(site)) for site in range(3)]
    rows.append(write_field(tmp_path, "r1", 3, make_field(9, share=0.0)))
    made = prepare(
        read_manifest(write_manifest(tmp_path / "m.csv", rows)), tmp_path / "out",
        PrepareSettings(marker="YFP"), now=NOW,
    )  # fmt: skip
    marked = replace(made.pairs[0], note="binned fluorescence, resampled")
    made = replace(made, pairs=(marked, *made.pairs[1:]))
    cuts = fit_thresholds(made.accepted, made.binarise).per_pair(made.accepted)
    (run,) = inspect_runs(made, cuts, count_tiles(made, cuts))
    assert (run.noted, run.borrowed) == (2, 1)


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "qc").write_text("in the way", encoding="utf-8")
    page = Page(title="t", subtitle="s", simulated=False, sections=[Section(title="a")])
    with pytest.raises(ConfigError, match="report cannot be written"):
        write_page(tmp_path / "qc", page, NOW)
