"""`scopewatch score`: frames that lie on disk, without a daemon."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.cli.options.reading import ReadingGroup
from scopewatch.cli.options.scoring import DEFAULT_PATTERN, Model, ScoringGroup
from scopewatch.cli.outputs import STDOUT, refuse_stdout
from scopewatch.cli.progress import count_first, frames_bar

if TYPE_CHECKING:
    from scopewatch.app.oneshot.build import OneShot


@with_option_groups
def score(
    *,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|URL...",
            help="Images, folders of them, stacks, NDTiff and OME-Zarr; CZI, ND2, LIF.",
        ),
    ],
    model: Model,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Write virtual stains here."),
    ] = None,
    jsonl: Annotated[
        Path, typer.Option("--jsonl", metavar="FILE", help="Write the lines here; - is stdout.")
    ] = STDOUT,
    reading: ReadingGroup,
    grid: Annotated[bool, typer.Option("--grid", help="Draw the tile grid.")] = False,
    scoring: ScoringGroup,
) -> None:
    """Score frames; one JSON object per frame and line.

    A frame that cannot be judged has its line too, with the reason. The exit code is 1 only when
    no frame at all could be judged.

    Example: scopewatch score frames/ --model models/simulated-cardiomyocyte --out stains
    """
    from scopewatch.app.oneshot.build import open_oneshot

    refuse_stdout(
        out,
        "--out",
        what="a folder of pictures",
        do="name a folder; the lines go to standard output by themselves",
    )
    settings = replace(
        scoring.settings(paths, reading.read(), bundle=model, run="score"), out=out, grid=grid
    )
    pattern = settings.source.pattern
    if reading.pattern is None and pattern != DEFAULT_PATTERN:
        typer.echo(f"names are read as: {pattern}; --pattern reads them otherwise", err=True)
    with ExitStack() as held:
        oneshot = held.enter_context(open_oneshot(settings))
        stream = sys.stdout if jsonl == STDOUT else held.enter_context(_create(jsonl))
        judged, total, unscaled = _write(oneshot, stream)
    if not total:
        typer.echo(
            f"no image found: {', '.join(paths)}; name TIFF, PNG or JPEG files,"
            " folders of them, NDTiff data sets or OME-Zarr stores",
            err=True,
        )
        raise typer.Exit(1)
    typer.echo(
        f"{judged} of {total} frames judged" + (f"; stains in {out}" if out else ""), err=True
    )
    if unscaled:
        typer.echo(
            f"scale unchecked: {unscaled} frames do not state their pixel size, and the model"
            f" expects {oneshot.um_per_px:g} um/px; state it with --um-per-px",
            err=True,
        )
    if not judged:
        raise typer.Exit(1)


def _write(oneshot: "OneShot", stream: TextIO) -> tuple[int, int, int]:
    """Write the lines as they come, with progress on stderr.

    Returns
    -------
    Numbers of frames judged, of all, and of those judged at an unchecked scale.
    """
    judged = total = unscaled = 0
    with frames_bar() as bar:
        # Files are opened once more for it: nobody waits for that where nobody looks.
        task, _ = count_first(bar, () if bar.disable else oneshot.count())
        for line in oneshot.run():
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            # Whoever reads along sees each frame when it is done, not a buffer later.
            stream.flush()
            total += 1
            judged += line["verdict"] == "judged"
            if oneshot.um_per_px is not None and line["verdict"] == "judged":
                unscaled += line["um_per_px"] is None
            bar.update(task, completed=total)
    return judged, total, unscaled


def _create(path: Path) -> TextIO:
    from scopewatch.core.errors import StoreError, complaint

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            complaint(
                "file cannot be written", where=path, got=error.strerror, do="name another file"
            )
        ) from error
