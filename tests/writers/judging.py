"""Scores of the shipped model for the plan's pixels: they show which pixels were scored."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.analyse import analyse
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from tests.writers.plan import UM_PER_PX, Place, Plan

Scores = NDArray[np.float16]


def judge_plan(plan: Plan, pixels: NDArray[np.uint16], bundle: Path) -> dict[Place, Scores]:
    """Return the tile probabilities of every phase frame; no two frames have the same.

    Raises
    ------
    ValueError
        When a frame cannot be judged, or two have the same score: then nothing is shown.
    """
    scorer = TFLiteScorer(load_bundle(bundle), threads=1, memory_budget_mb=64)
    judged: dict[Place, Scores] = {}
    try:
        for place in plan.places():
            if place.channel != 0:
                continue
            well, site, time_point, channel = place.key
            frame = Frame(
                key=FrameKey(
                    run="expected",
                    plate="plate",
                    well=well,
                    site=site,
                    time_point=time_point,
                    channel=channel,
                ),
                pixels=pixels[place.time_point, place.position, place.channel].copy(),
                pixel_size_um=UM_PER_PX,
                acquired_at=None,
            )
            result = analyse(frame, scorer, time.monotonic)
            if result.scores is None:
                raise ValueError(f"simulated frame {place} is not judged: {result.verdict}")
            judged[place] = result.scores.probability.astype(np.float16)
    finally:
        scorer.close()
    if len({scores.tobytes() for scores in judged.values()}) != len(judged):
        raise ValueError("two simulated frames have the same scores")
    return judged
