"""Whether a runtime scores as LiteRT does on this processor.

Bundles are made, calibrated and judged under LiteRT. Another runtime rounds otherwise, and on some
processors its products saturate, so that it is compared before it may score.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.check_frames import load_check, make_frames
from scopewatch.inference.processor import describe_processor, processor_key
from scopewatch.inference.runtimes import REFERENCE, Runtime, runtime_version
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.inference.verdicts import MOST_POINTS, MOST_STEPS, RuntimeVerdict

VERSION: Final = 1
"""Of the comparison; another one is made again."""


def verdict_key(card: ModelCard, runtime: Runtime) -> str:
    """Return what a verdict holds for: processor, runtime and its version, model and threshold."""
    version = runtime_version(runtime)
    model = f"{card.model_sha256}/{card.threshold}"
    return f"{VERSION}/{processor_key()}/{runtime}/{version}/{model}"


def compare_runtime(
    bundle: Bundle, scorer: TFLiteScorer, open_reference: Callable[[], TFLiteScorer]
) -> RuntimeVerdict:
    """Score the check frames of a bundle, and compare with LiteRT.

    Parameters
    ----------
    scorer
        Under the runtime that is judged.
    open_reference
        Opens the bundle under LiteRT; called only where the bundle does not hold LiteRT's scores.
    """
    frames = load_check(bundle)
    own = frames is not None
    if frames is None:
        reference = open_reference()
        frames = make_frames(bundle, reference.score)
        reference.close()
    found = [scorer.score(view) for view in frames.views]
    pairs = list(zip(found, frames.probabilities, strict=True))
    threshold = bundle.card.threshold
    points = [100 * abs(np.mean(a >= threshold) - np.mean(b >= threshold)) for a, b in pairs]
    steps = [np.abs(a - b).mean() / scorer.step for a, b in pairs]
    return RuntimeVerdict(
        runtime=scorer.runtime,
        runtime_version=runtime_version(scorer.runtime),
        model_id=bundle.card.model_id,
        processor=describe_processor(),
        frames=len(pairs),
        own=own,
        points=round(float(max(points)), 3),
        steps=round(float(np.mean(steps)), 3),
    )


def refuse_unlike(verdict: RuntimeVerdict, where: object) -> None:
    """Raise ModelError unless a runtime scores as LiteRT does.

    Parameters
    ----------
    where
        Names the bundle.
    """
    if verdict.holds:
        return
    raise ModelError(
        complaint(
            f"{verdict.runtime} {verdict.runtime_version} does not score as LiteRT does here",
            where=f"{where} on {verdict.processor}",
            expected=f"efficiencies within {MOST_POINTS:g} point, and tiles within {MOST_STEPS:g}"
            " step of the output on average",
            got=f"{verdict.points:.2f} points and {verdict.steps:.2f} steps on"
            f" {verdict.frames} frames",
            do=f"set model.runtime: {REFERENCE}, or run scopewatch-train quantise",
        )
    )
