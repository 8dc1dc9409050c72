"""Copies of training frames under other names: found, named in one line, and marked."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.known_frames import FRAMES_FILE, KnownFrame
from scopewatch_training.bundle.shared_pictures import describe_shared_pictures
from scopewatch_training.bundle.training_copies import check_copies, find_among
from scopewatch_training.cli.main import main
from scopewatch_training.comparison.common_ground import choose_runs
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation import evaluate
from scopewatch_training.evaluation.assessment import assess
from tests.unit.training_bundle.hashed_data import write_hashed, write_knowing_bundle
from tests.unit.training_comparison.two_bundles import write_bundle

ONE, TWO = "1" * 64, "f" * 64


def frame(run: str, *, phase: str = "", fluorescence: str = "", mark: str = "") -> KnownFrame:
    return KnownFrame(run=run, frame=f"{run}/x", phase=phase, fluorescence=fluorescence, mark=mark)


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("training") / "data"
    return write_hashed(folder, runs={"a": "a", "b": "b", "c": "c"})


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A new run, run a under another name, and run b saved again under another."""
    folder = tmp_path_factory.mktemp("judged") / "data"
    return write_hashed(folder, runs={"new": "new", "march": "a", "april": "b"}, saved=["april"])


@pytest.fixture(autouse=True)
def no_bootstrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "assess", partial(assess, repeats=0))


@pytest.fixture
def bundle(training: Dataset, tmp_path: Path) -> Path:
    return write_knowing_bundle(tmp_path / "bundle", training, ["a", "b"])


@pytest.mark.parametrize(
    ("known", "seen", "found"),
    [
        (frame("a", phase=ONE), frame("x", phase=ONE), True),
        (frame("a", phase=ONE), frame("x", phase=TWO, fluorescence=ONE), True),
        (frame("a", phase=ONE, mark=TWO), frame("x", phase=TWO, mark=TWO), False),
        (frame("a", mark=TWO), frame("x", mark="0" * 12 + "f" * 52), False),
        (frame("a", mark=TWO), frame("x", mark="0" * 13 + "f" * 51), None),
        (frame("a"), frame("x"), None),
        (frame("a", phase=ONE, mark=ONE), frame("x", phase=TWO, mark=TWO), None),
    ],
    ids=[
        "same phase", "same fluorescence", "saved again", "19 % of the mark", "20.3 % of the mark",
        "blank pictures", "other pictures",
    ],
)  # fmt: skip
def test_which_frames_are_copies(known: KnownFrame, seen: KnownFrame, found: bool | None) -> None:
    copies = find_among([known], [seen])

    assert [each.same_pixels for each in copies] == ([] if found is None else [found])


def test_marks_of_another_version_are_not_compared() -> None:
    assert find_among([frame("a", mark=TWO)], [frame("x", mark=TWO)], near=False) == []


def test_copies_are_found_under_other_names_and_other_runs_are_not(
    bundle: Path, judged: Dataset
) -> None:
    found = check_copies(load_bundle(bundle), judged, judged.runs())

    assert [(each.frame, each.known_frame, each.same_pixels) for each in found.copies] == [
        *((f"march/P1/A{n}/s0/t0020", f"a/P1/A{n}/s0/t0020", True) for n in range(1, 5)),
        *((f"april/P1/A{n}/s0/t0020", f"b/P1/A{n}/s0/t0020", False) for n in range(1, 5)),
    ]
    assert found.unchecked == ()


def test_runs_that_are_training_runs_by_name_are_not_looked_at(
    bundle: Path, training: Dataset
) -> None:
    assert check_copies(load_bundle(bundle), training, ["a", "b", "c"]).copies == ()


def run_evaluate(
    bundle: Path, data: Dataset, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[str, dict[str, object]]:
    figures = bundle / "figures.json"
    with pytest.raises(SystemExit) as stop:
        main(
            [
                *("evaluate", str(bundle), str(data.folder), "--threads", "1", "--no-baselines"),
                *("--json", str(figures), *more),
            ]
        )
    assert stop.value.code == 0
    return capsys.readouterr().out, json.loads(figures.read_text())


def test_evaluate_names_copies_in_one_line_a_run_and_marks_their_figures(
    bundle: Path, judged: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figures = run_evaluate(bundle, judged, capsys)

    assert (
        "These figures flatter: pairs have the same pixels as training frames of the bundle:"
        " run march (expected runs that share no picture with training, got 4 of its 4 pairs are"
        " in run a too, as march/P1/A1/s0/t0020 is a/P1/A1/s0/t0020, march/P1/A2/s0/t0020 is"
        " a/P1/A2/s0/t0020, march/P1/A3/s0/t0020 is a/P1/A3/s0/t0020 and 1 more);"
        " judge other runs (--run)\n"
    ) in out
    assert "pairs show the same pictures as training frames of the bundle: run april" in out
    assert "march, flattered" in out
    assert "pooled, flattered" in out
    assert "new, flattered" not in out
    assert figures["flattered_runs"] == ["march", "april"]
    assert len(figures["copies_of_training"]) == 8  # type: ignore[arg-type]
    assert figures["copies_unchecked"] == []


def test_evaluate_of_a_new_run_says_nothing_of_copies(
    bundle: Path, judged: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    out, figures = run_evaluate(bundle, judged, capsys, "--run", "new")

    assert "flatter" not in out
    assert "copies" not in out
    assert figures["flattered_runs"] == figures["copies_of_training"] == []


@pytest.mark.parametrize("how", ["trained", "recalibrated"])
def test_evaluate_marks_runs_that_the_bundle_knows_by_name(
    how: str, judged: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known: dict[str, Any] = {f"{how}_on": ["new"]}
    bundle = write_bundle(tmp_path / "bundle", **known)

    out, figures = run_evaluate(bundle, judged, capsys, "--run", "new")

    assert f"These figures flatter: the bundle was {how} on new.\n" in out
    assert figures["seen_in_training"] == (["new"] if how == "trained" else [])
    assert figures["flattered_runs"] == ["new"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("old bundle", "got a bundle of an earlier version); fit it again"),
        ("no file", "got none); copy the whole bundle folder"),
        ("old data", "expected hashes of its pictures, got a data set of an earlier version)"),
        ("other marks", "copies of training frames that were saved again cannot be checked"),
    ],
)
def test_what_cannot_be_checked_has_a_line(
    change: str,
    line: str,
    training: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    versions = {"old data": 0, "other marks": 1}
    judged = write_hashed(
        tmp_path / "judged", runs={"march": "a"}, mark_version=versions.get(change, 2)
    )
    if change == "old bundle":
        bundle = write_bundle(tmp_path / "bundle", trained_on=["a"])
    else:
        bundle = write_knowing_bundle(tmp_path / "bundle", training, ["a"])
    if change == "no file":
        (bundle / "report" / FRAMES_FILE).unlink()

    out, figures = run_evaluate(bundle, judged, capsys)

    (printed,) = [each for each in out.splitlines() if "cannot be checked" in each]
    assert line in printed
    assert figures["copies_unchecked"] == [printed]
    assert figures["flattered_runs"] == (["march"] if change == "other marks" else [])


def test_the_report_marks_flattered_runs(bundle: Path, judged: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(
            [
                *("report", str(bundle), str(judged.folder), "--threads", "1"),
                *("--out", str(tmp_path / "page")),
            ]
        )

    assert stop.value.code == 0
    page = (tmp_path / "page" / "index.html").read_text()
    assert "march, flattered" in page
    assert "all runs, flattered" in page
    assert "pairs have the same pixels as training frames of the bundle: run march" in page


def test_compare_leaves_copied_runs_out_and_refuses_them_by_name(
    bundle: Path, judged: Dataset, tmp_path: Path
) -> None:
    old = write_bundle(tmp_path / "old")
    both = load_bundle(old), load_bundle(bundle)

    chosen = choose_runs(*both, judged, ())

    assert chosen.runs == ("new",)
    left_out = [line for line in chosen.notes if "is left out" in line]
    assert [line.split()[1] for line in left_out] == ["march", "april"]
    assert "as march/P1/A1/s0/t0020 has the same pixels as a/P1/A1/s0/t0020" in left_out[0]
    assert "april/P1/A1/s0/t0020 shows the same picture as b/P1/A1/s0/t0020" in left_out[1]
    assert [line for line in chosen.notes if "cannot be checked" in line]
    with pytest.raises(ConfigError, match=r"compared on training runs: .*got march, copied from"):
        choose_runs(*both, judged, ["march"])


@pytest.mark.parametrize(
    ("runs", "training", "held_out", "words"),
    [
        ({"a": "a", "b": "b", "c": "c"}, ["a", "b"], ["c"], []),
        (
            {"a": "a", "b": "b", "c": "a"},
            ["a", "b", "c"],
            [],
            ["other training frames: run c (expected pictures that are in training once"],
        ),
    ],
    ids=["three runs", "a copy in training"],
)
def test_what_a_fit_says_of_its_runs(
    runs: dict[str, str], training: list[str], held_out: list[str], words: list[str], tmp_path: Path
) -> None:
    data = write_hashed(tmp_path / "data", runs=runs)

    lines = describe_shared_pictures(data, training, held_out)

    assert len(lines) == len(words)
    assert all(word in line for word, line in zip(words, lines, strict=True))


def test_a_held_out_run_that_is_a_copy_is_refused(tmp_path: Path) -> None:
    data = write_hashed(tmp_path / "data", runs={"a": "a", "b": "b", "c": "a"}, saved=["c"])

    with pytest.raises(
        ConfigError,
        match=r"^pairs show the same pictures as training frames: run c .*; hold out another run",
    ):
        describe_shared_pictures(data, ["a", "b"], ["c"])


def test_a_held_out_run_with_one_copy_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_hashed(folder, runs={"a": "a", "b": "b", "c": "c"})
    values = json.loads((folder / "dataset.json").read_text())
    values["pairs"][-1]["phase_look"] = values["pairs"][0]["phase_look"]
    (folder / "dataset.json").write_text(json.dumps(values))

    (line,) = describe_shared_pictures(open_dataset(folder), ["a", "b"], ["c"])

    assert "got 1 of its 4 pairs are in run a too, as c/P1/A4/s0/t0020 is a/P1/A1/s0/t0020" in line
    assert line.endswith("its figures will flatter: --exclude one of both runs")


def test_copies_across_wells_of_one_run_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_hashed(folder, runs={"a": "a"})
    values = json.loads((folder / "dataset.json").read_text())
    values["pairs"][3]["phase_look"] = values["pairs"][0]["phase_look"]
    (folder / "dataset.json").write_text(json.dumps(values))

    (line,) = describe_shared_pictures(open_dataset(folder), ["a"])

    assert "1 of its 4 pairs are in run a too, as a/P1/A4/s0/t0020 is a/P1/A1/s0/t0020" in line


def test_runs_of_an_earlier_version_cannot_be_checked(tmp_path: Path) -> None:
    data = write_hashed(tmp_path / "data", runs={"a": "a", "b": "a"}, mark_version=0)

    (line,) = describe_shared_pictures(data, ["a", "b"])

    assert line.startswith("copies of frames under other names cannot be checked: ")
