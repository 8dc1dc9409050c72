"""Says how many of the judged frames the daemon would refuse as unlike the bundle's training."""

from collections import Counter
from collections.abc import Sequence

from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch_training.bundle.limits import refuses
from scopewatch_training.dataset.pairs.record import Pair


def describe_refused(limits: QualityCard, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return a line where limits on the card refuse some of the frames, and one where that is open.

    It is open for frames that another version measured, otherwise than the card limits them.
    """
    needed = {*limits.domain, "contrast", "focus"}
    if limits.distance is not None:
        needed |= set(limits.distance.measures)
    judged = [pair for pair in pairs if needed <= pair.measures.keys()]
    refused = Counter(pair.run for pair in judged if refuses(limits, pair.measures))
    unknown = Counter(pair.run for pair in pairs if not needed <= pair.measures.keys())
    lines = []
    if refused:
        lines.append(
            f"The daemon would refuse {refused.total()} of {len(judged)} frames as unlike the"
            f" bundle's training ({_by_run(refused)}): the figures are of frames that it would not"
            " report."
        )
    if unknown:
        lines.append(
            f"Whether the daemon would refuse {unknown.total()} of {len(pairs)} frames as unlike"
            f" the bundle's training is not known ({_by_run(unknown)}): another version than the"
            " card's measured them; prepare the data set again, and fit the bundle again if that is"
            " the older one."
        )
    return tuple(lines)


def _by_run(counts: Counter[str]) -> str:
    return ", ".join(f"{count} of {run}" for run, count in sorted(counts.items()))
