"""The command that comes next, as each one prints it: the way from pairs to a running bundle."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from scopewatch_training.dataset.doubts import DoubtKind, Verdict, verdict
from scopewatch_training.dataset.prepared import Dataset

_FEWEST_TO_HOLD_OUT = 3
_FEWEST_FOR_TURNS = 2
_FIT = "scopewatch-train fit"
_TAKEN = "the daemon takes it as `model: {}` in config.yaml"


def after_prepare(dataset: Dataset) -> str | None:
    """Return what to do with a data set; None where it is not to be trained on as it is."""
    fit = after_review(dataset)
    if fit is None or verdict(dataset.doubts) is not Verdict.LOOK:
        return fit
    command = fit.removeprefix("next: ")
    if not command.startswith(_FIT):
        return fit
    return f"next: scopewatch-train review {quote(str(dataset.folder))}, then: {command}"


def after_review(dataset: Dataset) -> str | None:
    """Return how to train on a data set; None where it is not to be trained on as it is.

    The last run with positive tiles is proposed to be held out, where two more remain.
    """
    if verdict(dataset.doubts) is Verdict.STOP:
        return None
    barren = [each.run for each in dataset.doubts if each.kind is DoubtKind.NO_POSITIVE]
    runs = [run for run in dataset.runs() if run not in barren]
    if not runs:
        return (
            "next: no run has a positive tile, so that there is nothing to learn: look at the"
            f" fluorescence of {', '.join(barren)}, or prepare with another --binarise"
        )
    options = [f"--exclude {quote(run)}" for run in barren]
    if len(runs) >= _FEWEST_TO_HOLD_OUT:
        options.append(f"--hold-out {quote(runs[-1])}")
    fit = f"{_FIT} {quote(str(dataset.folder))} --out bundle"
    return " ".join(["next:", fit, *options])


def after_fit(
    bundle: Path, dataset: Path, *, runs: Sequence[str], held_out: bool, exclude: Sequence[str] = ()
) -> str:
    """Return how to judge a bundle that was trained on some runs of a data set.

    Where it saw all of them, those can only take turns; a new run is to be prepared first.
    """
    judge = f"scopewatch-train evaluate {quote(str(bundle))}"
    taken = _TAKEN.format(bundle)
    if held_out:
        return f"next: {judge} {quote(str(dataset))}; {taken}"
    new = f"a run that it never saw, prepared as NEW, is judged by {judge} NEW"
    if len(runs) < _FEWEST_FOR_TURNS:
        return f"next: {new}; {taken}"
    options = "".join(f" --exclude {quote(run)}" for run in exclude)
    turns = f"scopewatch-train cross-validate {quote(str(dataset))}{options}"
    return (
        f"next: {turns} holds each run out once (give it the settings of this fit, too); {new};"
        f" {taken}"
    )


def after_evaluate(bundle: Path, dataset: Path, runs: Sequence[str]) -> str:
    """Return what to do with a bundle that was judged on some runs of a data set."""
    options = "".join(f" --run {quote(run)}" for run in runs)
    page = f"scopewatch-train report {quote(str(bundle))} {quote(str(dataset))}{options}"
    return f"next: {page} writes a page with pictures; {_TAKEN.format(bundle)}"


def after_report(bundle: Path) -> str:
    """Return what to do with a bundle whose page was read."""
    return f"next: open it; {_TAKEN.format(bundle)}"
