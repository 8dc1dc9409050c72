"""The pictures of docs/training.md: of simulated runs, or of E. coli for yourself.

    python benchmarks/trained/tutorial_pictures.py --work build/pictures --out docs/pictures
    SCOPEWATCH_DATA=... python benchmarks/trained/tutorial_pictures.py --ecoli --out build/ecoli

The first simulates three runs that the shipped bundle never saw, prepares them and writes the
report of that bundle. The second prepares the strains of E. coli, fits a small network with one
strain held out and reports on that strain; its pictures are of the data of others and stay out of
the project. Both copy the same pictures, scaled down, as JPEG.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from PIL import Image

from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec

ROOT = Path(__file__).parents[2]
SIMULATED = "simulated NKX2.5-GFP"
WIDEST_PX = 1000
HELD_OUT = "R60"


def main() -> None:
    """Run the commands of the tutorial and copy their pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/tutorial-pictures"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ecoli", action="store_true", help="real pairs, from SCOPEWATCH_DATA")
    parser.add_argument("--steps", type=int, default=200, help="of the network for E. coli")
    call = parser.parse_args()
    call.work.mkdir(parents=True, exist_ok=True)
    work = call.work.resolve()
    report = of_ecoli(work, call.steps) if call.ecoli else of_simulated(work)
    kind = "ecoli" if call.ecoli else "simulated"
    call.out.mkdir(parents=True, exist_ok=True)
    wanted = {
        "histograms": work / "data" / "qc" / "histograms.png",
        "offsets": work / "data" / "qc" / "offsets.png",
        "efficiency": report / "efficiency.png",
        "stain": report / "stain_median.png",
    }
    for name, source in wanted.items():
        with Image.open(source) as picture:
            picture.thumbnail((WIDEST_PX, WIDEST_PX))
            picture.convert("RGB").save(call.out / f"training-{name}-{kind}.jpg", quality=80)
        print(call.out / f"training-{name}-{kind}.jpg")


def of_simulated(work: Path) -> Path:
    """Report on the shipped bundle; returns the folder of the report."""
    frames, data = work / "runs", work / "data"
    if not frames.exists():
        run(
            *("scopewatch", "simulate", frames, "--runs", 3, "--wells", 6, "--seed", 5),
            *("--size-px", 384, "--final-day-only"),
        )
    run(
        *("scopewatch_training", "prepare", frames / "manifest.csv", "--out", data),
        *("--marker", SIMULATED, "--area-cutoff", 0.5),
    )
    bundle = ROOT / "models" / "simulated-cardiomyocyte"
    run("scopewatch_training", "report", bundle, data, "--out", work / "report")
    return work / "report"


def of_ecoli(work: Path, steps: int) -> Path:
    """Fit on two strains and report on a third; returns the folder of the report."""
    images = Path(os.environ["SCOPEWATCH_DATA"]).resolve() / "ecoli-yfp"
    data, bundle = work / "data", work / "bundle"
    run(
        *("scopewatch_training", "prepare", images / "manifest.csv", "--out", data),
        *("--marker", "YFP", "--glow-px", 10, "--glow-share", 0.4, "--contrast-share", 0.5),
        *("--area-cutoff", 0.01),
    )
    settings = FitSettings(
        network=NetworkSpec(width=16, depth=2),
        labels=LabelSettings(area_cutoff=0.01),
        steps=steps,
        crop_px=128,
        augmentation=0.0,
    )
    (work / "settings.json").write_text(json.dumps(settings.to_json()))
    if not (bundle / "card.yaml").exists():
        run(
            *("scopewatch_training", "fit", data, "--out", bundle, "--hold-out", HELD_OUT),
            *("--exclude", "auto", "--settings", work / "settings.json"),
        )
    run("scopewatch_training", "report", bundle, data, "--run", HELD_OUT, "--out", work / "report")
    return work / "report"


def run(module: str, *arguments: object) -> None:
    """Run a command and show it."""
    print("$", module, *arguments, flush=True)
    subprocess.run([sys.executable, "-m", module, *(str(each) for each in arguments)], check=True)


if __name__ == "__main__":
    main()
