"""Arguments and options that several commands of `scopewatch-train` share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

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
