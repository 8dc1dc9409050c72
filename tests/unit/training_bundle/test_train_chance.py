"""Held-out scores that say nothing: the line names the runs whose labels are to be checked."""

import numpy as np
import pytest

from scopewatch.core.errors import ModelError
from scopewatch_training.bundle.chance import doubt_before_gate, doubt_labels
from scopewatch_training.network.calibrate import ScoredFrame


def scored(run: str, *, rank: float, positive: float = 0.3, tiles: int = 400) -> ScoredFrame:
    """Make a frame whose scores follow the labels by `rank`: 0 not at all, 1 mostly."""
    rng = np.random.default_rng(len(run) + int(100 * rank))
    labels = (rng.random((tiles // 20, 20)) < positive).astype(np.int8)
    scores = rank * labels + rng.normal(0, 0.3, labels.shape)
    return ScoredFrame(id=run, run=run, labels=labels, scores=scores.astype(np.float32))


def test_scores_that_rank_tiles_raise_no_doubt() -> None:
    assert doubt_labels([scored("run1", rank=1), scored("run02", rank=1)], "fit") is None


def test_tiles_of_one_class_raise_no_doubt() -> None:
    assert doubt_labels([scored("run1", rank=0, positive=0)], "fit") is None


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (
            [scored("run1", rank=0), scored("run02", rank=0)],
            "check the labels of run run02 (AUC 0.",
        ),
        (
            [scored("run1", rank=0), scored("run02", rank=0, positive=0)],
            "check the labels of run run02 (no positive tile), run1 (AUC 0.",
        ),
    ],
)
def test_scores_at_chance_name_the_runs_to_check(frames: list[ScoredFrame], words: str) -> None:
    line = doubt_labels(frames, "inner folds")
    assert line is not None
    assert line.startswith("network is hardly better than chance on runs")
    assert words in line
    assert "\n" not in line


@pytest.mark.parametrize(("doubt", "words"), [(None, "int8 differs"), ("labels", "labels")])
def test_a_doubt_of_the_labels_is_raised_in_place_of_the_gates_refusal(
    doubt: str | None, words: str
) -> None:
    with pytest.raises(ModelError, match=f"^{words}$"), doubt_before_gate(doubt):
        raise ModelError("int8 differs")
