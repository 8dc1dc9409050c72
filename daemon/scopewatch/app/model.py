"""The model, ready to score, under a runtime that may be trusted with it."""

from pathlib import Path

import numpy as np

from scopewatch.config import Config, ModelConfig
from scopewatch.core.errors import ModelError
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.event_log import get_logger
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.check_frames import load_check
from scopewatch.inference.runtime_check import compare_runtime, refuse_unlike, verdict_key
from scopewatch.inference.runtimes import REFERENCE, Runtime, is_installed
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.inference.verdicts import VERDICTS_FILE, RuntimeVerdict, Verdicts

log = get_logger(__name__)

_WARM_UP_TILES = 8


def open_scorer(settings: ModelConfig, state: Path | None = None) -> TFLiteScorer:
    """Load a bundle and score an empty frame with it, so that what is broken fails now.

    Parameters
    ----------
    state
        Folder whose verdicts on runtimes are read; None: the runtime is compared in any case.

    Raises
    ------
    ModelError
        When the bundle is missing, damaged, or does not fit its card, or the runtime does not score
        as LiteRT does on this processor.
    """
    bundle = load_bundle(settings.bundle)
    scorer = _warm(bundle, settings, settings.runtime)
    try:
        scorer.verdict = _judge(bundle, scorer, settings, state)
    except ModelError:
        scorer.close()
        raise
    scorer.release()
    return scorer


def warm_scorer(
    bundle: Bundle, *, threads: int, memory_mb: int, runtime: Runtime | None = None
) -> TFLiteScorer:
    """Open a bundle and score an empty frame with it. Raises ModelError.

    Parameters
    ----------
    runtime
        None takes the default; whether another one may score is for the caller to judge.
    """
    scorer = TFLiteScorer(bundle, threads=threads, memory_budget_mb=memory_mb, runtime=runtime)
    side_px = _WARM_UP_TILES * scorer.card.tile_px
    scorer.score(np.zeros((side_px, side_px), dtype=np.float32))
    # The thread that scores the frames owns the interpreter, not the one that warmed it up.
    scorer.release()
    return scorer


def keep_verdict(scorer: Scorer, state: Path) -> None:
    """Keep the verdict under which a scorer was opened, so that later starts need not compare."""
    if not isinstance(scorer, TFLiteScorer) or scorer.verdict is None:
        return
    verdicts = Verdicts(path=state / VERDICTS_FILE)
    try:
        verdicts.keep(verdict_key(scorer.card, scorer.runtime), scorer.verdict)
    except OSError as error:
        # The next start compares again: no reason not to begin this one.
        log.warning("verdict on the runtime cannot be kept", error=str(error))


def mark_simulated(config: Config, card: ModelCard) -> Config:
    """Return the configuration, marked as simulated where the model is: its estimates are too."""
    simulated = config.experiment.simulated or card.simulated
    run = config.experiment.model_copy(update={"simulated": simulated})
    return config.model_copy(update={"experiment": run})


def _warm(bundle: Bundle, settings: ModelConfig, runtime: Runtime | None) -> TFLiteScorer:
    return warm_scorer(
        bundle,
        threads=settings.threads,
        memory_mb=settings.memory_budget_mb,
        runtime=runtime,
    )


def _judge(
    bundle: Bundle, scorer: TFLiteScorer, settings: ModelConfig, state: Path | None
) -> RuntimeVerdict | None:
    """Return how far a runtime is from LiteRT, or refuse it; None for LiteRT itself."""
    if scorer.runtime == REFERENCE:
        return None
    key = verdict_key(bundle.card, scorer.runtime)
    verdict = None if state is None else Verdicts(path=state / VERDICTS_FILE).find(key)
    if verdict is None:
        if not is_installed(REFERENCE) and load_check(bundle) is None:
            # Boards for which LiteRT has no wheel, with a bundle of an earlier version.
            log.warning(
                "runtime was not compared with LiteRT",
                runtime=scorer.runtime,
                bundle=str(bundle.folder),
            )
            return None
        verdict = compare_runtime(bundle, scorer, lambda: _warm(bundle, settings, REFERENCE))
        log.info("runtime compared with LiteRT", **verdict.to_json())
    refuse_unlike(verdict, bundle.folder)
    return verdict
