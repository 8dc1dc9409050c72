"""Says how many of the judged frames the daemon would refuse as unlike the bundle's training."""

from collections import Counter
from collections.abc import Sequence

from scopewatch.core.imaging.model_card import QualityCard
from scopewatch_training.bundle.limits import refuses
from scopewatch_training.dataset.pairs.record import Pair


def describe_refused(limits: QualityCard, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return a line where limits on the card refuse some of the frames; else nothing.

    Frames that another version measured, otherwise than the card limits them, are left out.
    """
    needed = {*limits.domain, "contrast", "focus"}
    if limits.distance is not None:
        needed |= set(limits.distance.measures)
    judged = [pair for pair in pairs if needed <= pair.measures.keys()]
    refused = Counter(pair.run for pair in judged if refuses(limits, pair.measures))
    if not refused:
        return ()
    runs = ", ".join(f"{count} of {run}" for run, count in sorted(refused.items()))
    return (
        f"The daemon would refuse {refused.total()} of these {len(pairs)} frames as unlike the"
        f" bundle's training ({runs}): the figures are of frames that it would not report.",
    )
