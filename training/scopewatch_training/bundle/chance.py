"""Whether held-out scores are hardly better than chance, and which runs' labels to check then."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from sklearn.metrics import roc_auc_score

from scopewatch.core.errors import ModelError, complaint
from scopewatch_training.network.calibrate import ScoredFrame, join_tiles

CHANCE_AUC: Final = 0.7
"""Below it the tiles of a run that was held out are hardly ranked better than by chance, 0.5."""


def doubt_labels(scored: Sequence[ScoredFrame], where: object) -> str | None:
    """Return one line where held-out scores are hardly better than chance; None where they are.

    Parameters
    ----------
    scored
        Frames with the scores of a network that was not trained on their run.
    """
    auc = _auc(scored)
    if auc is None or auc >= CHANCE_AUC:
        return None
    runs: dict[str, list[ScoredFrame]] = {}
    for frame in scored:
        runs.setdefault(frame.run, []).append(frame)
    suspects = []
    for run, frames in sorted(runs.items()):
        own = _auc(frames)
        if own is None:
            labels, _ = join_tiles(frames)
            suspects.append(f"{run} (no {'negative' if labels.any() else 'positive'} tile)")
        elif own < CHANCE_AUC:
            suspects.append(f"{run} (AUC {own:.2f})")
    return complaint(
        "network is hardly better than chance on runs that it was not trained on",
        where=where,
        expected=f"AUC of at least {CHANCE_AUC:g}; 0.5 is chance",
        got=f"{auc:.2f}",
        do=f"check the labels of run {', '.join(suspects) or 'each'} in the QC report: another"
        " field, a stain that failed, swapped columns; where they are right, give more runs or"
        " more --steps",
    )


@contextmanager
def doubt_before_gate(doubt: str | None) -> Iterator[None]:
    """Raise a doubt of the labels in place of the gate's refusal.

    Rounding moves scores that say nothing as it likes: that is not what is to be mended.

    Raises
    ------
    ModelError
        With the doubt, where there is one; as it came, where there is none.
    """
    try:
        yield
    except ModelError as error:
        if doubt is None:
            raise
        raise ModelError(doubt) from error


def _auc(frames: Sequence[ScoredFrame]) -> float | None:
    """Area under the ROC curve over all counted tiles; None where they are of one class."""
    labels, scores = join_tiles(frames)
    if not 0 < int(labels.sum()) < labels.size:
        return None
    return float(roc_auc_score(labels, scores))
