"""`scopewatch score`: frames that lie on disk, without a daemon."""

# Imports are within the command: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from scopewatch.cli import reading_options as options
from scopewatch.cli.outputs import STDOUT, refuse_stdout
from scopewatch.cli.progress import frames_bar

if TYPE_CHECKING:
    from scopewatch.app.oneshot.build import OneShot


def score(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|URL...",
            help="Images, folders of them, stacks, NDTiff and OME-Zarr; CZI, ND2, LIF.",
        ),
    ],
    model: Annotated[Path, typer.Option("--model", "-m", metavar="DIR", help="A model bundle.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Write virtual stains here."),
    ] = None,
    jsonl: Annotated[
        Path, typer.Option("--jsonl", metavar="FILE", help="Write the lines here; - is stdout.")
    ] = STDOUT,
    pattern: options.Pattern = None,
    position: options.Position = None,
    z: options.Z = None,
    um_per_px: options.UmPerPx = None,
    clock_zone: options.ClockZone = None,
    plate_wells: options.PlateWells = None,
    channel: options.Channel = None,
    interval_h: options.IntervalH = None,
    counts_from: options.CountsFrom = None,
    channel_names: options.ChannelNames = None,
    wells: options.Wells = None,
    grid: Annotated[bool, typer.Option("--grid", help="Draw the tile grid.")] = False,
    threads: options.Threads = None,
    memory_mb: options.MemoryMb = 256,
    dask: options.Dask = None,
    cache_gb: options.CacheGb = 4.0,
) -> None:
    """Score frames; one JSON object per frame and line.

    A frame that cannot be judged has its line too, with the reason. The exit code is 1 only when
    no frame at all could be judged.

    Example: scopewatch score frames/ --model models/simulated-cardiomyocyte --out stains
    """
    from scopewatch.app.oneshot.build import OneShotSettings, open_oneshot
    from scopewatch.runtime.cluster.address import read_address

    refuse_stdout(
        out,
        "--out",
        what="a folder of pictures",
        do="name a folder; the lines go to standard output by themselves",
    )
    wanted = options.reading(
        pattern=pattern,
        position=position,
        z=z,
        um_per_px=um_per_px,
        clock_zone=clock_zone,
        plate_wells=plate_wells,
        channel=channel,
        interval_h=interval_h,
        counts_from=counts_from,
        channel_names=channel_names,
        wells=wells,
    )
    inputs = options.inputs(paths, cache_gb)
    guessed = options.guessed(inputs, pattern)
    threads = threads or (2 if dask is None else 1)
    settings = OneShotSettings(
        paths=inputs,
        bundle=model,
        out=out,
        source=wanted.source(Path(paths[0]), default_pattern=guessed),
        run=wanted.run("score"),
        grid=grid,
        threads=threads,
        memory_mb=memory_mb,
        cluster=None if dask is None else read_address(dask, threads=threads),
    )
    if pattern is None and guessed != options.DEFAULT_PATTERN:
        typer.echo(f"names are read as: {guessed}; --pattern reads them otherwise", err=True)
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
        task = bar.add_task("counting", total=None)
        if not bar.disable:
            # Files are opened once more for it: nobody waits for that where nobody looks.
            expected = None
            for expected in oneshot.count():
                bar.update(task, completed=expected)
            bar.reset(task, total=expected, completed=0, description="scoring")
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
