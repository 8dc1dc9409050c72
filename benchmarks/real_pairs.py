"""Real pairs end to end: train on two strains of E. coli, and let the daemon watch a third.

    SCOPEWATCH_DATA=... python benchmarks/real_pairs.py [--work DIR] [--steps N]

`scopewatch-train` makes an int8 bundle from the phase contrast and YFP of strains delta and R22.
The real daemon then watches a folder into which another process copies the phase frames of strain
R60, one of them slowly and in pieces. The stored results are compared with the YFP of R60, which
the model never saw. Bacteria, not cardiomyocytes: this shows that the path works on real images.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import yaml

from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.labels import label_pair
from scopewatch.store.read.reader import Reader
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings
from scopewatch_training.network.metrics.images import image_metrics
from scopewatch_training.network.metrics.tiles import tile_metrics

TRAIN, WATCHED = ("delta", "R22"), "R60"
PIECES = 5


def main() -> int:
    """Train, copy, watch, and print the figures; 1 when a frame was lost or scored twice."""
    parser = argparse.ArgumentParser(description="Real pairs, end to end.")
    parser.add_argument("--work", type=Path, default=Path("build/real-pairs"))
    parser.add_argument("--steps", type=int, help="of the network; those of fit by default")
    parser.add_argument("--drip", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    images = Path(os.environ["SCOPEWATCH_DATA"]).resolve() / "ecoli-yfp"
    if chosen.drip is not None:
        drip(images, chosen.drip)
        return 0
    work: Path = chosen.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    pairs, truth, bundle = work / "pairs", work / "watched", work / "bundle"
    for out, runs in ((pairs, TRAIN), (truth, (WATCHED,))):
        write_manifest(images, work / f"{out.name}.csv", runs)
        train("prepare", str(work / f"{out.name}.csv"), "--out", str(out), "--marker", "YFP")
    if not (bundle / "card.yaml").exists():
        steps = [] if chosen.steps is None else ["--steps", str(chosen.steps)]
        train("fit", str(pairs), "--out", str(bundle), *steps)
    return watch(work, bundle, open_dataset(truth))


def write_manifest(images: Path, out: Path, runs: tuple[str, ...]) -> None:
    """Write the rows of some runs with absolute paths."""
    with (images / "manifest.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["run"] in runs]
    for row in rows:
        for column in ("phase", "fluorescence"):
            row[column] = str(images / row[column])
    with out.open("w", newline="") as stream:
        table = csv.DictWriter(stream, fieldnames=rows[0])
        table.writeheader()
        table.writerows(rows)


def train(*arguments: str) -> None:
    """Run `scopewatch-train` as a user would."""
    command = [sys.executable, "-m", "scopewatch_training", *arguments]
    print("$ scopewatch-train", *arguments, flush=True)
    subprocess.run(command, check=True)


def watch(work: Path, bundle: Path, truth: Dataset) -> int:
    """Start the daemon, let the frames be copied in, and judge the stored results."""
    incoming, state = work / "incoming", work / "state"
    for folder in (incoming, state):
        shutil.rmtree(folder, ignore_errors=True)
    incoming.mkdir()
    config = work / "config.yaml"
    settings = {
        "experiment": {"name": "E. coli", "day_from": "time_point", "sites_per_well": 14},
        "model": {"bundle": str(bundle)},
        "sources": [{"kind": "folder", "path": str(incoming), "settle_s": 0.5}],
        "state": {"folder": str(state)},
        "web": {"enabled": False},
        "runtime": {"rescan_s": 2},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with (work / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "scopewatch", "run", "-c", str(config)], stdout=log, stderr=log
        )
    try:
        subprocess.run([sys.executable, __file__, "--drip", str(incoming)], check=True, timeout=120)
        await_frames(state, len(truth.pairs))
    finally:
        daemon.terminate()
        daemon.wait(10)
    with closing(Reader.open(state)) as reader:
        return judge(reader, truth)


def drip(images: Path, incoming: Path) -> None:
    """Copy the watched strain's phase frames one by one, the third in pieces."""
    for index, source in enumerate(sorted((images / WATCHED).glob("*_phase.tif"))):
        target = incoming / f"{WATCHED}_A1_s{index}_t0000_phase.tif"
        content = source.read_bytes()
        pieces = PIECES if index == 2 else 1
        size = -(-len(content) // pieces)
        with target.open("wb", buffering=0) as stream:
            for start in range(0, len(content), size):
                stream.write(content[start : start + size])
                time.sleep(0.7 if pieces > 1 else 0.3)


def await_frames(state: Path, frames: int) -> None:
    """Wait until every frame is settled."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(Reader.open(state)) as reader:
            counts = reader.counts()
        if counts.scored + counts.quarantined >= frames:
            return
        time.sleep(0.5)
    raise SystemExit(f"only {counts} of {frames} frames were settled")


def judge(reader: Reader, truth: Dataset) -> int:
    """Print tile and field figures of the stored results against YFP."""
    records = {record.key.site: record for record in reader.frames()}
    thresholds = fit_thresholds(truth.accepted, BinariseSettings()).per_pair(truth.accepted)
    labels, scores, true, raw, corrected = [], [], [], [], []
    for pair in truth.accepted:
        record = records[pair.site]
        tiles = reader.tile_scores(record.key)
        if tiles is None or record.efficiency is None or record.positive_fraction is None:
            print(f"not judged: {record.key}: {record.reason}")
            continue
        _, found = label_pair(truth.signal(pair), thresholds[pair.id], LabelSettings())
        counted = (found >= 0) & tiles.valid
        labels.append(found[counted])
        scores.append(tiles.probability[counted])
        true.append(float(np.mean(found[counted])))
        raw.append(record.positive_fraction)
        corrected.append(record.efficiency.value)
    figures = tile_metrics(np.concatenate(labels), np.concatenate(scores), 0.5)
    print(f"frames: {len(records)} stored, attempts {[r.attempts for r in records.values()]}")
    print(f"tiles:  AUC {figures.roc_auc:.4f}  F1 {figures.f1:.3f} at 0.5")
    for name, estimate in (("raw", raw), ("corrected", corrected)):
        image = image_metrics(estimate, true)
        print(
            f"fields, {name}: r {image.r:.4f}  bias {image.bias:+.2f}  MAE {image.mae:.2f} points"
        )
    once = len(records) == len(truth.pairs) and all(r.attempts == 1 for r in records.values())
    return 0 if once and len(true) == len(truth.accepted) else 1


if __name__ == "__main__":
    sys.exit(main())
