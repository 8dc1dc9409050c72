"""What limits the figures of a card: one run, false refusals; on card, console and page."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import rewrite_card
from scopewatch_training.bundle.card_limits import (
    describe_limits,
    held_out_words,
    interval_words,
    list_limits,
    renew_notes,
)
from scopewatch_training.cli.console import show_card
from scopewatch_training.cli.main import main
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.evaluation import evaluate
from scopewatch_training.evaluation.assessment import assess
from scopewatch_training.network.calibrate import ScoredFrame, measure_errors
from tests.unit.core.samples import make_card
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle

ONE = {"tpr": 0.9, "fpr": 0.1, "half_width": None, "run_residuals": {"a": 0.0}}
OLD = ONE | {"half_width": 0.049}
TWO = {"tpr": 0.9, "fpr": 0.1, "half_width": 0.049, "run_residuals": {"a": 0.01, "b": -0.01}}
ONE_RUN = "One training run, a: its wells were held out in turn"


@pytest.mark.parametrize(
    ("errors", "held_out", "interval", "limits"),
    [
        (ONE, "wells of run a in turn, no whole run", "none from one run", [ONE_RUN]),
        (OLD, "wells of run a in turn, no whole run", "none from one run", [ONE_RUN]),
        (TWO, "runs a, b, each once", "+-4.9 points", []),
        (None, "nothing", "unknown", []),
    ],
    ids=["one run", "one run, of an earlier version", "two runs", "no errors"],
)
def test_what_was_held_out_is_in_words(
    errors: dict[str, Any] | None, held_out: str, interval: str, limits: list[str]
) -> None:
    made = make_card(errors=errors)

    assert held_out_words(made.errors) == held_out
    assert interval_words(made.errors) == interval
    assert [line[: len(ONE_RUN)] for line in describe_limits(made)] == limits


@pytest.mark.parametrize(
    ("rate", "trained_on", "words"),
    [
        (None, ["a", "b"], None),
        (0.05, ["a", "b"], None),
        (0.051, ["a", "b"], "5% of the frames of a training run are refused by the limits of"),
        (0.4, ["a", "b"], "40% of the frames of a training run are refused by the limits of"),
        (0.4, ["a"], "40% of the frames of a training well are refused by the limits of"),
    ],
)
def test_false_refusals_above_five_percent_come_with_what_to_do(
    rate: float | None, trained_on: list[str], words: str | None
) -> None:
    lines = describe_limits(make_card(quality={"false_refusal_rate": rate}, trained_on=trained_on))

    if words is None:
        assert lines == ()
    else:
        (line,) = lines
        assert line.startswith(words)
        assert f"add {'wells' if len(trained_on) == 1 else 'runs'} that span" in line


def scored(run: str, share: float, found: float) -> ScoredFrame:
    labels = (np.arange(100) < 100 * share).astype(np.int8)[None]
    scores = (0.9 * (np.arange(100) < 100 * found)).astype(np.float32)[None]
    return ScoredFrame(id=f"{run}-{share}", run=run, labels=labels, scores=scores)


@pytest.mark.parametrize(("runs", "known"), [(("a", "a"), False), (("a", "b"), True)])
def test_wells_of_one_run_give_no_interval(runs: tuple[str, str], known: bool) -> None:
    frames = [scored(run, share, share + 0.05) for run in runs for share in (0.1, 0.3, 0.5, 0.7)]

    errors = measure_errors(frames, 0.5)

    assert (errors.half_width is not None) is known
    assert errors.rates().half_width == errors.half_width


def test_the_console_names_what_was_held_out_and_claims_no_interval() -> None:
    console = Console(record=True, width=140)

    show_card(console, make_card(errors=ONE, quality={"false_refusal_rate": 0.4}))

    shown = console.export_text()
    assert "held out were wells of run a in turn, no whole run" in shown
    assert "each held out once" not in shown
    assert "none from one run" in shown
    assert "+-" not in shown
    assert "40.0%" in shown
    assert "raw efficiency of a field at 100 %" in shown
    assert "positive rate" not in shown
    assert ONE_RUN in shown
    assert "40% of the frames of a training well are refused" in shown


def test_notes_of_a_card_follow_what_was_refitted() -> None:
    before = make_card(errors=ONE)
    before = before.model_copy(update={"notes": ("copies", *describe_limits(before))})
    after = before.model_copy(update={"errors": HeldOutErrors.model_validate(TWO)})

    renewed = renew_notes(after, before)

    assert renewed.notes == ("copies",)
    assert list_limits(before) == before.notes


def test_the_page_says_what_was_held_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bundle(tmp_path / "b", trained_on=["a"])
    made = load_bundle(tmp_path / "b").card.model_copy(
        update={
            "errors": HeldOutErrors.model_validate(OLD),
            "quality": make_card(quality={"false_refusal_rate": 0.4}).quality,
        }
    )
    rewrite_card(tmp_path / "b", made)
    data = write_dataset(tmp_path / "data", runs=1, wells=3)
    assert open_dataset(data).runs() == ["run1"]
    monkeypatch.setattr(evaluate, "assess", partial(assess, repeats=0))

    with pytest.raises(SystemExit) as stop:
        main(
            ["report", str(tmp_path / "b"), str(data), "--out", str(tmp_path / "p"), "--threads=1"]
        )

    assert stop.value.code == 0
    page = (tmp_path / "p" / "index.html").read_text()
    assert "wells of run a in turn, no whole run" in page
    assert "none from one run" in page
    assert "40.0% of the frames of a training run" in page
    assert ONE_RUN in page
    assert "40% of the frames of a training well are refused" in page
