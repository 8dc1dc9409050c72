"""One real field, the upper half trains and the lower half tests, with a gap of 32 px.

    SCOPEWATCH_DATA=... python benchmarks/halves_of_a_field.py

Human iPSC-derived neurons in phase contrast with MAP2 (google/in-silico-labeling). One field is
no study: this shows only that something beyond texture is learnt on cells unlike those that the
defaults were chosen on. The three focal planes are three views of the same cells; the middle one
is the test.
"""

import csv
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tifffile
import typer

from scopewatch_training.cli.fit_options import dataset_settings
from scopewatch_training.cli.main import main as train
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.network.fit_settings import FitSettings

TILE_PX = 16
GAP_PX = 32
FOCAL_PLANES = ("phase_z05", "phase_z06", "phase_z07")
MIDDLE = "phase_z06"


def main(
    work: Annotated[Path, typer.Option(help="Folder of everything in between.")] = Path(
        "build/halves"
    ),
    steps: Annotated[int, typer.Option(help="Optimiser steps of each network.")] = 150,
    members: Annotated[int, typer.Option(help="Networks whose mean is scored.")] = 4,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Cut the field, train on its upper half, judge on its lower half."""
    if "SCOPEWATCH_DATA" not in os.environ:
        sys.exit("set SCOPEWATCH_DATA to the folder of the real images")
    source = Path(os.environ["SCOPEWATCH_DATA"]) / "ipsc-neurons"
    manifest = cut(source, work)
    data, bundle, figures = work / "data", work / "bundle", work / "figures.json"
    # Few cells: tiles of 32 px and Otsu give too few positive tiles to learn a threshold.
    run("prepare", manifest, f"--out={data}", "--marker=MAP2", "--area-cutoff=0.1",
        f"--tile-px={TILE_PX}", "--binarise=triangle", "--scope=pooled")  # fmt: skip
    settings = work / "settings.json"
    settings.write_text(json.dumps(few_tiles(data).to_json()), encoding="utf-8")
    run("fit", data, f"--out={bundle}", "--hold-out=lower", f"--settings={settings}",
        f"--members={members}", f"--steps={steps}", f"--seed={seed}",
        f"--threads={threads}")  # fmt: skip
    run("evaluate", bundle, data, "--run=lower", f"--json={figures}", f"--threads={threads}")
    figures_read = json.loads(figures.read_text(encoding="utf-8"))
    for name, scores in (("network, int8", figures_read), *figures_read["baselines"].items()):
        tile = scores["tile"]
        print(
            f"{name:16s} AUC {tile['roc_auc']:.4f}  PR AUC {tile['pr_auc']:.4f}"
            f"  F1 {tile['f1']:.3f}  of {tile['tiles']} tiles, {tile['prevalence']:.0%} positive"
        )


def few_tiles(data: Path) -> FitSettings:
    """Return the settings of `prepare` for few positive tiles: the target is brightness.

    A network that learns from so little is small: crops and width are half of what is usual.
    """
    plain = dataset_settings(open_dataset(data))
    network = replace(plain.network, stem="halvings", width=32, depth=3, learns="brightness")
    return replace(plain, network=network, crop_px=128)


def cut(source: Path, work: Path) -> Path:
    """Write the halves as pairs of two runs and return their manifest.

    The upper half is two wells, so that stopping, calibration and threshold are learnt on cells
    that an inner network did not see.
    """
    work.mkdir(parents=True, exist_ok=True)
    marker = tifffile.imread(source / "map2.tif")
    height, width = marker.shape
    middle = height // 2 // TILE_PX * TILE_PX
    upper, lower = slice(0, middle - GAP_PX), slice(middle, height)
    left, right = slice(0, width // 2), slice(width // 2, width)
    places = (
        ("upper", "A1", (upper, left), FOCAL_PLANES),
        ("upper", "A2", (upper, right), FOCAL_PLANES),
        ("lower", "A1", (lower, slice(0, width)), (MIDDLE,)),
    )
    rows = []
    for half, well, window, planes in places:
        fluorescence = work / f"{half}_{well}_map2.tif"
        tifffile.imwrite(fluorescence, marker[window])
        for index, plane in enumerate(planes):
            phase = work / f"{half}_{well}_{plane}.tif"
            tifffile.imwrite(phase, tifffile.imread(source / f"{plane}.tif")[window])
            rows.append((half, "P1", well, 0, index, phase.name, fluorescence.name))
    manifest = work / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("run", "plate", "well", "site", "time_point", "phase", "fluorescence"))
        writer.writerows(rows)
    return manifest


def run(command: str, *arguments: object) -> None:
    """Run one command of `scopewatch-train`; exit with its code where it fails."""
    try:
        train([command, *(str(each) for each in arguments)])
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    typer.run(main)
