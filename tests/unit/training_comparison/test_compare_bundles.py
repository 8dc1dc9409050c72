"""Two bundles on the same wells: what is compared, what is refused, what is written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.cli.main import main
from scopewatch_training.comparison.common_ground import refuse_other_labels
from scopewatch_training.comparison.compare import Comparison, compare
from scopewatch_training.comparison.pictures import most_different
from scopewatch_training.dataset.index import open_dataset
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle


def compare_folders(first: Path, second: Path, data: Path, *runs: str) -> Comparison:
    bundles = load_bundle(first), load_bundle(second)
    return compare(*bundles, open_dataset(data), runs=runs, threads=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("compare") / "data", runs=3, wells=4)


def test_a_bundle_compared_with_itself_shows_no_difference(data: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "one")

    found = compare_folders(bundle, bundle, data)

    assert found.conclusion.startswith("A and B score every tile alike on 12 wells of run1, run2")
    assert {each.over_wells.value for each in found.differences} == {0.0}
    assert {each.better for each in found.differences} == {0}
    assert most_different(found.fields) == []


def test_runs_that_either_bundle_saw_are_left_out(data: Path, tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "one", trained_on=["run1"])
    second = write_bundle(tmp_path / "two", trained_on=["other"], recalibrated_on=["run3"])

    assert compare_folders(first, second, data).runs == ("run2",)


def test_a_training_run_is_refused_by_name(data: Path, tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "one", trained_on=["run1"])
    second = write_bundle(tmp_path / "two", trained_on=["run1", "run2", "run3"])

    with pytest.raises(ConfigError, match=r"compared on training runs: .*got run2, seen by .*two"):
        compare_folders(first, second, data, "run2")
    with pytest.raises(ConfigError, match=r"got run1, seen by .*; prepare a data set of another"):
        compare_folders(first, second, data)
    with pytest.raises(ConfigError, match=r"run is not in the data set: .*got run9"):
        compare_folders(first, write_bundle(tmp_path / "three"), data, "run9")


def test_bundles_of_other_tile_size_or_cutoff_are_refused_in_one_line(
    data: Path, tmp_path: Path
) -> None:
    first = write_bundle(tmp_path / "one")
    second = write_bundle(tmp_path / "two", labels={"tile_px": 32, "area_cutoff": 0.1})

    with pytest.raises(
        ConfigError,
        match=r"expected tile_px 16, area_cutoff 0.5, got tile_px 32, area_cutoff 0.1\)",
    ) as caught:
        compare_folders(first, second, data)
    assert "\n" not in str(caught.value)


def test_a_bundle_of_another_scale_is_refused(data: Path, tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "one")
    second = write_bundle(tmp_path / "two", um_per_px=0.5)

    with pytest.raises(ConfigError, match="data set has another scale than the bundle"):
        compare_folders(first, second, data)


def test_a_scale_that_one_bundle_does_not_state_is_named_in_words(tmp_path: Path) -> None:
    bundle = load_bundle(write_bundle(tmp_path / "one", um_per_px=1.0))
    unstated = replace(bundle, card=bundle.card.model_copy(update={"um_per_px": None}))
    bundles = bundle, unstated

    rules = read_label_rule(bundles[0]), read_label_rule(bundles[1])
    with pytest.raises(ConfigError, match=r"um_per_px 1.0, got um_per_px not stated\)"):
        refuse_other_labels(bundles, rules)


def test_labels_that_two_pooled_thresholds_make_differ_in_are_counted(
    data: Path, tmp_path: Path
) -> None:
    first = write_bundle(tmp_path / "one", pooled=50.0)
    second = write_bundle(tmp_path / "two", pooled=500.0)

    found = compare_folders(first, second, data)

    lines = [line for line in found.caveats if "label" in line and "tiles differently" in line]
    assert len(lines) == 1
    assert "label 0 tiles" not in lines[0]
    assert all(each.first.truth == each.second.truth for each in found.fields)


def test_bundles_that_are_level_with_a_guess_are_reported(data: Path, tmp_path: Path) -> None:
    first = write_bundle(tmp_path / "one", threshold=0.4)
    second = write_bundle(tmp_path / "two", threshold=0.6)

    found = compare_folders(first, second, data)

    assert any(line.startswith("Neither is nearer than") for line in found.caveats)


def test_fields_where_bundles_decide_otherwise_come_first_and_a_well_once(
    data: Path, tmp_path: Path
) -> None:
    first = write_bundle(tmp_path / "one", threshold=0.4)
    second = write_bundle(tmp_path / "two", threshold=0.6)

    shown = most_different(compare_folders(first, second, data).fields)

    shares = [each.decided_otherwise for each in shown]
    assert shares == sorted(shares, reverse=True)
    assert len({each.well for each in shown}) == len(shown) == 3


def test_the_command_prints_a_conclusion_and_writes_page_and_figures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = write_bundle(tmp_path / "one", threshold=0.4)
    second = write_bundle(tmp_path / "two", threshold=0.6)
    page, figures = tmp_path / "page", tmp_path / "figures.json"

    with pytest.raises(SystemExit) as stop:
        main(
            [
                *("compare", str(first), str(second), str(data), "--run", "run1", "--run", "run2"),
                *("--page", str(page), "--json", str(figures), "--threads", "1"),
            ]
        )

    assert stop.value.code == 0
    written = json.loads(figures.read_text())
    shown = " ".join(capsys.readouterr().out.split())
    assert written["conclusion"] in shown
    assert written["runs"] == ["run1", "run2"]
    assert written["wells"] == 8
    assert set(written["trivial"]) == {
        "every tile positive", "mean of these fields", "local deviation",
    }  # fmt: skip
    html = (page / "index.html").read_text()
    assert "Simulated: these frames are not of real cells" in html
    assert {path.name for path in page.glob("*.png")} >= {"differences.png", "field_1.png"}
