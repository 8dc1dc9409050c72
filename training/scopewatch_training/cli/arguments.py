"""Arguments and options that several commands of `scopewatch-train` share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.prepared import Dataset

BundleArg = Annotated[Path, typer.Argument(help="Folder of the bundle.")]
DatasetArg = Annotated[Path, typer.Argument(help="Data set that prepare wrote.")]
Exclude = Annotated[
    list[str] | None, typer.Option(help="Run to leave out altogether (a negative control).")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Where to write all figures.")]
Scores = Annotated[
    Path | None,
    typer.Option(help="File that keeps the model's score of each frame, for the next call."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `fit` and `tune`: the runs that are not trained on."""

    hold_out: Annotated[
        list[str] | None, typer.Option(help="Run to set aside; may be given several times.")
    ] = None
    exclude: Exclude = None


def runs_of(
    dataset: Dataset, *, hold_out: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the runs that are left to train on.

    Raises
    ------
    ConfigError
        When a name is unknown, a run is held out and excluded, or no run is left.
    """
    dataset.of_runs([*hold_out, *exclude])
    both = sorted({*hold_out} & {*exclude})
    if both:
        raise ConfigError(
            complaint(
                "run is held out and excluded",
                where=dataset.folder,
                expected="each run with one of --hold-out and --exclude",
                got=f"{', '.join(both)} with both",
                do="hold out a run that the bundle is to be judged on; exclude one that is to"
                " count nowhere, as a control",
            )
        )
    left = tuple(run for run in dataset.runs() if run not in {*hold_out, *exclude})
    if not left:
        raise ConfigError(
            complaint(
                "no run is left to train on",
                where=dataset.folder,
                expected="at least one run, better five",
                got=f"all of {', '.join(dataset.runs())} held out or excluded",
                do="name fewer runs with --hold-out and --exclude",
            )
        )
    return left
