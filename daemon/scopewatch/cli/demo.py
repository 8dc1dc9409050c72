"""`scopewatch simulate` and `scopewatch demo`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.outputs import refuse_stdout


class RegimeName(StrEnum):
    """How many cardiomyocytes the simulated wells end up with."""

    BROAD = "broad"
    SPARSE = "sparse"


class FormatName(StrEnum):
    """What the simulated frames are written as."""

    TIFF = "tiff"
    OME_TIFF = "ome-tiff"
    NDTIFF = "ndtiff"


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="An empty folder, or a new one.")],
    runs: Annotated[int, typer.Option(min=1, help="Differentiation runs.")] = 7,
    wells: Annotated[int, typer.Option(min=1, help="Wells of each run.")] = 12,
    sites: Annotated[int, typer.Option(min=1, help="Fields of view of each well.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same frames.")] = 1,
    regime: Annotated[
        RegimeName,
        typer.Option(help="broad: final efficiency 5 to 90 %; sparse: 8 to 10 % of tiles."),
    ] = RegimeName.BROAD,
    file_format: Annotated[FormatName, typer.Option("--format")] = FormatName.TIFF,
    size_px: Annotated[int, typer.Option(min=64, help="Side of a frame.")] = 512,
    final_day_only: Annotated[
        bool, typer.Option("--final-day-only", help="Only the frames that have fluorescence.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
) -> None:
    """Write simulated differentiation runs with known truth.

    Example: scopewatch simulate runs --runs 7 --wells 12 --seed 1 --regime broad
    """
    from rich.console import Console
    from rich.progress import Progress

    from scopewatch_simulator.plan import FINAL_TIME_POINT, Regime
    from scopewatch_simulator.simulate import simulate as write_simulation
    from scopewatch_simulator.writers import FileFormat

    refuse_stdout(out, "OUT", what="a folder of frames", do="name a folder")
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("frames", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        summary = write_simulation(
            out,
            runs=runs,
            wells=wells,
            sites=sites,
            seed=seed,
            regime=Regime(regime.value),
            file_format=FileFormat(file_format.value),
            size_px=size_px,
            time_points=[FINAL_TIME_POINT] if final_day_only else None,
            workers=workers,
            progress=advance,
        )
    typer.echo(
        f"{summary.frames} phase-contrast and {summary.fluorescence_frames} fluorescence frames of"
        f" {summary.runs} simulated runs in {summary.out}"
        f" (mean final efficiency {summary.mean_final_efficiency:.0%},"
        f" simulator {summary.simulator_version})"
    )


def demo(
    exit_when_done: Annotated[
        bool, typer.Option("--exit-when-done", help="Do not keep the dashboard open at the end.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the dashboard.")] = 8787,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same run.")] = 1,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the demo keeps its files.")
    ] = Path("scopewatch-demo"),
) -> None:
    """Watch a simulated ten-day differentiation, live.

    A real Micro-Manager core with its demo camera acquires it; days pass in seconds.

    Example: scopewatch demo --exit-when-done
    """
    refuse_stdout(out, "--out", what="a folder of files", do="name a folder")
    from rich.console import Console

    from scopewatch.demo.run import run_demo

    run_demo(out=out, seed=seed, port=port, exit_when_done=exit_when_done, console=Console())
