"""Two comparisons that train networks of their own: isolated tiles, and the leaky split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np

from scopewatch.core.imaging.labels import NOT_COUNTED
from scopewatch_training.bundle.float_scores import score_float
from scopewatch_training.bundle.label_rule import LabelRule
from scopewatch_training.dataset.planes import HiddenTiles
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.splits import random_tiles
from scopewatch_training.evaluation.assessment import Assessment, ScoredField, assess
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.ensemble import train_ensemble
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import frames_of
from scopewatch_training.network.stages import Stages
from scopewatch_training.network.train_loop import Training

ISOLATED_TILES = "isolated_tiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """What both comparisons are made with.

    Parameters
    ----------
    rule
        By which the tiles are labelled.
    work
        Folder of the checkpoints.
    """

    dataset: Dataset
    rule: LabelRule
    settings: FitSettings
    work: Path
    stages: Stages


def score_isolated(
    request: ComparisonRequest, training: Sequence[str], testing: Sequence[str]
) -> list[ScoredField]:
    """Train a float network that sees nothing beyond each tile, and score other runs.

    The 2020 report scored tiles this way; its threshold is 0.5. The checkpoint is kept in `work`:
    an interrupted call goes on from it, and a repeated call trains nothing.
    """
    settings, dataset = request.settings, request.dataset
    alone = replace(settings, network=replace(settings.network, context="none"))
    thresholds = request.rule.thresholds
    train, test = (
        frames_of(dataset, dataset.of_runs(runs), thresholds, settings.labels)
        for runs in (training, testing)
    )
    network = _train(train, alone, request, "isolated tiles")
    return _score(network, test, alone)


def assess_leaky(
    request: ComparisonRequest, runs: Sequence[str], *, test_share: float = 0.2
) -> Assessment:
    """Train on random tiles of all runs and judge on the other tiles, which looks too good.

    The difference to figures with whole runs held out is the leakage gap.
    """
    settings, dataset = request.settings, request.dataset
    rng = np.random.default_rng(settings.seed)
    pairs = dataset.of_runs(runs)
    frames = frames_of(dataset, pairs, request.rule.thresholds, settings.labels)
    tile = settings.labels.tile_px
    masked, tests = [], []
    for frame in frames:
        rows, cols = (-(-side // tile) for side in frame.view.shape)
        test = random_tiles((rows, cols), rng, test_share)
        signal = HiddenTiles(plane=frame.signal, hidden=test, tile_px=tile)
        masked.append(replace(frame, signal=signal))
        tests.append(test)
    network = _train(masked, settings, request, "random tiles")
    fields = [
        replace(field, labels=np.where(test, field.labels, NOT_COUNTED).astype(np.int8))
        for field, test in zip(_score(network, frames, settings), tests, strict=True)
    ]
    return assess(fields, rng, repeats=0)


def _train(
    frames: Sequence[TrainingFrame], settings: FitSettings, request: ComparisonRequest, title: str
) -> keras.Model:
    runs = list(dict.fromkeys(frame.run for frame in frames))
    parts = [settings.fingerprint(), request.dataset.data_sha256, title, *runs]
    fingerprint = sha256("\n".join(parts).encode()).hexdigest()[:16]
    training = Training(
        settings=settings,
        frames=frames,
        held_out=(),
        clip=request.dataset.normalisation.clip,
        last_step=settings.steps,
        checkpoint=request.work / f"{title.replace(' ', '-')}-{fingerprint}.npz",
        fingerprint=fingerprint,
    )
    return train_ensemble(training, title, request.stages).network


def _score(
    network: keras.Model, frames: Sequence[TrainingFrame], settings: FitSettings
) -> list[ScoredField]:
    return [
        ScoredField(
            id=each.id, run=each.run, labels=each.labels, probability=each.scores, threshold=0.5
        )
        for each in score_float(network, frames, settings)
    ]
