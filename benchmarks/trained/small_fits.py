"""Small networks on simulated runs, in one process, and what the trials of this folder share.

They are smaller than those of `fit` so that a trial takes minutes: 16 channels, crops of 128 px, no
augmentation beyond flips and turns, float32, no inner folds: a tile is called positive at 0.5.
"""

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import keras
from rich.console import Console

from scopewatch.core.imaging.binarise import Thresholds, fit_thresholds
from scopewatch_simulator.plan import FINAL_TIME_POINT, Regime
from scopewatch_simulator.simulate import simulate
from scopewatch_training.bundle.float_scores import AS_IT_IS, label_scores, probabilities
from scopewatch_training.cli.console import ConsoleStages
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.network.ensemble import train_ensemble
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of, refuse_one_class
from scopewatch_training.network.network_spec import NetworkSpec
from scopewatch_training.network.train_loop import Training, predict_logits

CUT = 0.5
LABELS = LabelSettings(area_cutoff=0.5)
STAGES = ConsoleStages(Console(quiet=True))


def add_options(parser: argparse.ArgumentParser, *, repeats: int) -> None:
    """Add the options that both trials have."""
    parser.add_argument("--work", type=Path, default=Path("build/learning-curve"))
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--held-out", type=int, default=4)
    parser.add_argument("--wells", type=int, default=6)
    parser.add_argument("--size-px", type=int, default=256)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=repeats)
    parser.add_argument("--seed", type=int, default=41)


class Record:
    """Lines of JSON that a call keeps, so that one that was interrupted goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self.kept: list[dict[str, float]] = [json.loads(line) for line in lines]

    def keep(self, line: dict[str, float]) -> None:
        """Keep and print a line."""
        with self._path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        self.kept.append(line)
        print(line, flush=True)


def processor() -> str:
    """Name the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def small_settings(steps: int, seed: int) -> FitSettings:
    """Return settings of a network that trains in half a minute on frames of 256 px."""
    return FitSettings(
        network=NetworkSpec(stem="halvings", width=16, depth=2),
        labels=LABELS,
        steps=steps,
        crop_px=128,
        augmentation=0.0,
        seed=seed,
    )


def simulated_dataset(call: argparse.Namespace) -> Dataset:
    """Simulate and prepare runs, or open what an earlier call prepared in its folder."""
    folder = call.work
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    if (data / "dataset.json").exists():
        return open_dataset(data)
    frames = folder / "frames"
    simulate(
        frames,
        runs=call.runs,
        wells=call.wells,
        seed=call.seed,
        regime=Regime.BROAD,
        size_px=call.size_px,
        time_points=(FINAL_TIME_POINT,),
    )
    return prepare(
        read_manifest(frames / "manifest.csv"),
        data,
        PrepareSettings(marker="simulated NKX2.5-GFP"),
        now=datetime.now(UTC),
        labels=LABELS,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmallModel:
    """A float network with the thresholds of its training labels."""

    network: keras.Model
    thresholds: Thresholds
    settings: FitSettings

    def score(self, dataset: Dataset, pairs: Sequence[Pair]) -> list[ScoredField]:
        """Score pairs, of whole runs, and label their tiles."""
        frames = frames_of(dataset, pairs, self.thresholds, self.settings.labels)
        logits = label_scores(frames, predict_logits(self.network, frames), self.settings)
        return [
            ScoredField(
                id=each.id,
                run=each.run,
                labels=each.labels,
                probability=probabilities(each, AS_IT_IS).scores,
                threshold=CUT,
            )
            for each in logits
        ]


def fit_small(dataset: Dataset, pairs: Sequence[Pair], settings: FitSettings) -> SmallModel:
    """Train a small network on pairs."""
    keras.utils.clear_session()
    thresholds = fit_thresholds(pairs, BinariseSettings())
    frames = frames_of(dataset, pairs, thresholds, settings.labels)
    refuse_one_class(frames, dataset.folder)
    training = Training(
        settings=settings,
        frames=frames,
        held_out=(),
        clip=dataset.normalisation.clip,
        last_step=settings.steps,
        checkpoint=None,
        fingerprint="",
    )
    network = train_ensemble(training, "small", STAGES).network
    return SmallModel(network=network, thresholds=thresholds, settings=settings)
