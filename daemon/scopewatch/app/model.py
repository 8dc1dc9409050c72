"""The model, ready to score."""

import numpy as np

from scopewatch.config import Config, ModelConfig
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer

_WARM_UP_TILES = 8


def open_scorer(settings: ModelConfig) -> TFLiteScorer:
    """Load a bundle and score an empty frame with it, so that what is broken fails now.

    Raises
    ------
    ModelError
        When the bundle is missing, damaged, or does not fit its card.
    """
    return warm_scorer(
        load_bundle(settings.bundle),
        threads=settings.threads,
        memory_mb=settings.memory_budget_mb,
    )


def warm_scorer(bundle: Bundle, *, threads: int, memory_mb: int) -> TFLiteScorer:
    """Open a bundle and score an empty frame with it. Raises ModelError."""
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=memory_mb)
    side_px = _WARM_UP_TILES * scorer.card.tile_px
    scorer.score(np.zeros((side_px, side_px), dtype=np.float32))
    # The thread that scores the frames owns the interpreter, not the one that warmed it up.
    scorer.release()
    return scorer


def mark_simulated(config: Config, card: ModelCard) -> Config:
    """Return the configuration, marked as simulated where the model is: its estimates are too."""
    simulated = config.experiment.simulated or card.simulated
    run = config.experiment.model_copy(update={"simulated": simulated})
    return config.model_copy(update={"experiment": run})
