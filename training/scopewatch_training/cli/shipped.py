"""Trains the bundle that is shipped, from simulated runs alone.

    python -m scopewatch_training.cli.shipped

Simulate, prepare, fit, forecast, evaluate on runs of another seed, early-warning, report: the
commands a lab would use, from seeds that neither the demo nor the tests use. A step that is done is
not done again, so that a call that was cut off goes on.
"""

import csv
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

import tifffile
import typer
from rich.console import Console

from scopewatch.files import whole_file
from scopewatch.inference.bundle import CARD_FILE
from scopewatch_simulator.plan import (
    AREA_CUTOFF,
    FINAL_TIME_POINT,
    PLATE,
    SIMULATOR_VERSION,
    UM_PER_PX,
    Regime,
    day_of,
    well_name,
)
from scopewatch_simulator.simulate import simulate
from scopewatch_simulator.simulation import Simulation
from scopewatch_simulator.tables import write_notice
from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER
from scopewatch_training.cli.console import counting
from scopewatch_training.cli.main import main as train

NAME = "simulated-cardiomyocyte"
MARKER = "simulated NKX2.5-GFP"
DESCRIPTION = (
    "Cardiomyocytes in simulated phase contrast (simulator {version}); for the demo and for"
    " trying scopewatch out. It has never seen a real cell: train your own bundle for real wells."
)
EARLIER = (0, 1, 2, 4, 0, 6, 9, 12, 13, 14, 15, 16, 18)
"""Time points before the final day that are trained on, two for each well in turn: the network
must read early days as low, whatever the cells look like then. The first one is listed twice:
sparse fields differ most from one another, and the quality limits are learnt from these frames."""

NETWORK: Final = {"stem": "patches", "width": 48, "depth": 1}
"""What `fit` takes by default; given here, so that another default leaves this bundle as it is."""


# The demo uses seeds from 1 up, the tests those below 1000.
TRAINING_SEED, TEST_SEED, FORECAST_SEED = 90_001, 90_002, 71_001
TEST_RUN = "test-{run}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Size of the simulated data, and steps of each network."""

    runs: int
    wells: int
    steps: int


def main(
    out: Annotated[Path, typer.Option(help="Folder of the bundle.")] = Path("models") / NAME,
    work: Annotated[Path, typer.Option(help="Folder of everything in between.")] = Path(
        "build/model"
    ),
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    keep: Annotated[bool, typer.Option(help="Keep the work folder at the end.")] = False,
    runs: Annotated[int, typer.Option(help="Simulated runs.")] = 7,
    wells: Annotated[int, typer.Option(help="Wells of a run.")] = 8,
    forecast_wells: Annotated[
        int, typer.Option(help="Wells of a run that the forecast is learnt from.")
    ] = 24,
    steps: Annotated[int, typer.Option(help="Optimiser steps of each network.")] = 1500,
) -> None:
    """Train the shipped bundle again from its seeds."""
    console = Console()
    recipe = Recipe(runs=runs, wells=wells, steps=steps)
    final_day, every_day = [FINAL_TIME_POINT], list(range(FINAL_TIME_POINT + 1))
    _simulate_training(work / "training", recipe, console)
    _simulate_plain(work / "test", recipe, TEST_SEED, final_day, threads, console)
    whole_plate = replace(recipe, wells=forecast_wells)
    _simulate_plain(work / "forecast", whole_plate, FORECAST_SEED, every_day, threads, console)
    held_out = _join_manifests(work)
    data, finals = work / "data", work / "forecast-data"
    for manifest, prepared in ((work / "manifest.csv", data), (finals_manifest(work), finals)):
        options = {"out": prepared, "marker": MARKER, "workers": threads}
        _run("prepare", [manifest, f"--area-cutoff={AREA_CUTOFF}"], options, console)
    if not (out / CARD_FILE).exists() or (work / "fit.work").exists():
        options = {
            "out": out,
            "name": NAME,
            "description": DESCRIPTION.format(version=SIMULATOR_VERSION),
            **NETWORK,
            "steps": recipe.steps,
            "work": work / "fit.work",
            "threads": threads,
        }
        _run("fit", [data, *(f"--hold-out={run}" for run in held_out)], options, console)
    report = out / REPORT_FOLDER
    timelapse = work / "forecast" / "timelapse.csv"
    kept = {"scores": work / "scores.jsonl", "threads": threads}
    _run("forecast", [out, finals, timelapse], kept, console)
    _run("evaluate", [out, data], {"json": report / "test.json", "threads": threads}, console)
    study = {"finals": finals, "json": report / "early-warning.json", "target": 0.5, **kept}
    _run("early-warning", [out, timelapse], study, console)
    _run("report", [out, data], {"timelapse": timelapse, "finals": finals, **kept}, console)
    if not keep:
        shutil.rmtree(work)


def finals_manifest(work: Path) -> Path:
    """Return the manifest of the final day of the runs that the forecast is learnt from."""
    return work / "forecast" / "manifest.csv"


def _join_manifests(work: Path) -> list[str]:
    """Write one manifest of training and test pairs, and return the names of the test runs.

    One data set holds both, so that the baselines learn from the very runs the network did.
    """
    lines: list[dict[str, str]] = []
    held_out: list[str] = []
    for part in ("training", "test"):
        with (work / part / "manifest.csv").open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                if part == "test":
                    line["run"] = TEST_RUN.format(run=line["run"])
                    held_out.append(line["run"])
                for picture in ("phase", "fluorescence"):
                    line[picture] = f"{part}/{line[picture]}"
                lines.append(line)
    with (work / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]), restval="")
        writer.writeheader()
        writer.writerows(lines)
    return list(dict.fromkeys(held_out))


def _simulate_training(out: Path, recipe: Recipe, console: Console) -> None:
    """Write pairs of the final day and of earlier days; a lab would image live GFP for these."""
    if (out / "manifest.csv").is_file():
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_notice(out, seed=TRAINING_SEED, regime=Regime.BROAD)
    simulation = Simulation(seed=TRAINING_SEED, cached_fields=1)
    rows: list[dict[str, object]] = []
    with counting(console, "simulated training wells") as progress:
        for run in range(recipe.runs):
            # Test and forecast runs have the plain names, from which this one must differ.
            name = f"train-{simulation.run_plan(run).name}"
            (out / name).mkdir()
            for well in range(recipe.wells):
                first = 2 * (run * recipe.wells + well)
                times = [EARLIER[(first + i) % len(EARLIER)] for i in range(2)]
                rows += [
                    _write_pair(out, name, simulation, run, well, time)
                    for time in (*times, FINAL_TIME_POINT)
                ]
                progress(run * recipe.wells + well + 1, recipe.runs * recipe.wells)
    with (
        whole_file(out / "manifest.csv") as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _write_pair(
    out: Path, name: str, simulation: Simulation, run: int, well: int, time: int
) -> dict[str, object]:
    """Write both frames of one moment of site 0 of a well, and return its manifest row."""
    stem = f"{name}/{PLATE}_{well_name(well)}_s0_t{time:04d}"
    pictures = {
        "phase": simulation.frame(run, well, 0, time),
        "fluorescence": simulation.marker_frame(run, well, 0, time),
    }
    files = {"phase": f"{stem}_phase.tif", "fluorescence": f"{stem}_gfp.tif"}
    for kind, pixels in pictures.items():
        tifffile.imwrite(out / files[kind], pixels)
    return {
        "run": name,
        "plate": PLATE,
        "well": well_name(well),
        "site": 0,
        "time_point": time,
        "day": day_of(time),
        **files,
        "um_per_px": UM_PER_PX,
    }


def _simulate_plain(
    out: Path, recipe: Recipe, seed: int, times: Sequence[int], threads: int, console: Console
) -> None:
    """Write what `scopewatch simulate` writes, of some time points."""
    if (out / "manifest.csv").is_file():
        return
    shutil.rmtree(out, ignore_errors=True)
    with counting(console, f"simulated {out.name} frames") as progress:
        simulate(
            out,
            runs=recipe.runs,
            wells=recipe.wells,
            seed=seed,
            time_points=times,
            workers=threads,
            progress=progress,
        )


def _run(
    command: str, arguments: Sequence[object], options: Mapping[str, object], console: Console
) -> None:
    """Run one command of `scopewatch-train`; its failure ends this one with its exit code."""
    console.rule(f"scopewatch-train {command}")
    words = [f"--{name}={value}" for name, value in options.items()]
    try:
        train([command, *(str(each) for each in arguments), *words])
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    typer.run(main)
