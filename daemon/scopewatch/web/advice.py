"""The lines of the page Quarantine: what is wrong, and what to do."""

from typing import Final

from scopewatch.core.faults import Fault
from scopewatch.core.phrases import Phrase, mark
from scopewatch.monitoring import run_state_words

OTHERWISE: Final = mark("See the reason, and docs/operating.md, Quarantine.")

# Of files that never became a frame, and of frames that were never taken: of one, and of many.
OTHERS: Final[dict[str, tuple[str, str]]] = {
    Fault.REFUSED: (
        mark("{count} file: its name does not say which well it is of"),
        mark("{count} files: their names do not say which well they are of"),
    ),
    Fault.DUPLICATE: (
        mark("{count} file: another one holds the same well, site and time point"),
        mark("{count} files: others hold the same well, site and time point"),
    ),
    Fault.GAP: (
        mark("{count} frame was due and was never taken"),
        mark("{count} frames were due and were never taken"),
    ),
    Fault.CONTRADICTION: (
        mark("{count} file: what names it says another frame now"),
        mark("{count} files: what names them says other frames now"),
    ),
    Fault.REPLACED: (
        mark("{count} file: its frame was scored from another one since"),
        mark("{count} files: their frames were scored from others since"),
    ),
}


def advise(fault: str) -> str:
    """Return what to do about a fault as the store names it: a message id."""
    known = Fault.of(fault)
    return OTHERWISE if known is None else known.advice


def headline(fault: str, count: int, frames: int) -> Phrase:
    """Return one line on what is wrong with frames or files of one fault.

    Parameters
    ----------
    count
        How many they are, of `frames` that were scored or could not be.

    >>> str(headline("out-of-domain", 24, 36))
    '24 of 36 frames: the model does not fit this microscope'
    """
    if fault in OTHERS:
        return Phrase(OTHERS[fault][count != 1], {"count": count})
    trouble: str | None = run_state_words.TROUBLES.get(fault)
    if count == 1:
        known = Fault.of(fault)
        trouble = None if known is None else known.label
    return Phrase(
        run_state_words.MOSTLY_UNFIT,
        {
            "count": count,
            "total": max(frames, count),
            "trouble": Phrase(trouble or run_state_words.OTHER_TROUBLE),
        },
    )
