"""The pictures of docs/training.md: of simulated runs, or of E. coli.

    python benchmarks/trained/tutorial_pictures.py --work build/pictures --out docs/pictures
    SCOPEWATCH_DATA=... python benchmarks/trained/tutorial_pictures.py --ecoli \
        --work build/ecoli --out docs/pictures

The first simulates three runs that the shipped bundle never saw, prepares them and writes the
report of that bundle. The second prepares the strains of E. coli, fits a network with one strain
held out and reports on that strain. Its images are CC-BY-4.0: docs/training.md names their source
beside the pictures. Both copy the same pictures, scaled down, as JPEG, and photograph the page of
`review` (which needs Chromium and its driver).
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import uvicorn
from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from scopewatch_training.dataset.corrections.record import TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.review.serve import HOST, listen
from scopewatch_training.review.server import make_app
from scopewatch_training.review.session import ReviewSession

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
    call = parser.parse_args()
    call.work.mkdir(parents=True, exist_ok=True)
    work = call.work.resolve()
    report = of_ecoli(work) if call.ecoli else of_simulated(work)
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
    photograph_review(work / "data", call.out / f"training-review-{kind}.jpg")


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


def of_ecoli(work: Path) -> Path:
    """Fit on two strains and report on a third; returns the folder of the report."""
    images = Path(os.environ["SCOPEWATCH_DATA"]).resolve() / "ecoli-yfp"
    data, bundle = work / "data", work / "bundle"
    run(
        *("scopewatch_training", "prepare", images / "manifest.csv", "--out", data),
        *("--marker", "YFP", "--glow-px", 10, "--glow-share", 0.4, "--contrast-share", 0.5),
        *("--area-cutoff", 0.01),
    )
    if not (bundle / "card.yaml").exists():
        run(
            *("scopewatch_training", "fit", data, "--out", bundle, "--hold-out", HELD_OUT),
            *("--exclude", "auto"),
        )
    run("scopewatch_training", "report", bundle, data, "--run", HELD_OUT, "--out", work / "report")
    return work / "report"


def photograph_review(folder: Path, out: Path) -> None:
    """Photograph the page of `review` with two corrected tiles, by a headless Chromium."""
    copy = folder.with_name("reviewed")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    dataset = open_dataset(copy, corrected=False)
    session = ReviewSession(dataset, author="Mika", now=lambda: datetime.now(UTC))
    # A field with enough of both labels to show.
    pair = min(
        dataset.accepted,
        key=lambda each: abs(float((session.tiles(each).labels == 1).mean()) - 0.5),
    )
    labels = session.tiles(pair).labels
    middle = labels.shape[0] // 2, labels.shape[1] // 2
    for number, label in ((1, TileLabel.NEGATIVE), (0, TileLabel.POSITIVE)):
        places = [
            (int(row), int(col)) for row, col in zip(*(labels == number).nonzero(), strict=True)
        ]
        row, col = min(places, key=lambda place: math.dist(place, middle))
        session.correct(pair.id, row, col, label)
    options = Options()
    options.binary_location = (
        os.environ.get("SCOPEWATCH_CHROMIUM") or shutil.which("chromium") or ""
    )
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,860"):
        options.add_argument(argument)
    driver_path = shutil.which("chromedriver")
    if not driver_path:
        sys.exit("needs Chromium and its driver: apt-get install chromium chromium-driver")
    service = Service(driver_path)
    with listen(0) as bound, webdriver.Chrome(options=options, service=service) as driver:
        config = uvicorn.Config(make_app(session, "picture"), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
        thread.start()
        driver.get(f"http://{HOST}:{bound.getsockname()[1]}/picture/pairs/{pair.id}")
        tile = driver.find_element(By.ID, "tile")
        WebDriverWait(driver, 20).until(lambda _: tile.text.startswith("Row"))
        with Image.open(BytesIO(driver.get_screenshot_as_png())) as picture:
            picture.thumbnail((WIDEST_PX, WIDEST_PX))
            picture.convert("RGB").save(out, quality=80)
        server.should_exit = True
        thread.join(5)
    print(out)


def run(module: str, *arguments: object) -> None:
    """Run a command and show it."""
    print("$", module, *arguments, flush=True)
    subprocess.run([sys.executable, "-m", module, *(str(each) for each in arguments)], check=True)


if __name__ == "__main__":
    main()
