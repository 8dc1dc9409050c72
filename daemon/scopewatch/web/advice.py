"""What each reason for quarantine is called, and what to do; docs/operating.md says more."""

from typing import Final

from scopewatch.core.imaging.result import Fault
from scopewatch.core.phrases import Phrase, mark
from scopewatch.messages.alert_texts import FAULTS
from scopewatch.monitoring import run_state_words

# The values of `Fault` say that a frame cannot be judged; the other words, which the worker and
# the store write, say that something is wrong with the file or with the work on it.
ADVICE: Final[dict[str, str]] = {
    Fault.BLANK: mark(
        "The frame shows nothing. Check lamp, shutter and stage position, and whether the well"
        " holds medium and cells."
    ),
    Fault.SATURATED: mark("The frame is overexposed. Lower the exposure or the lamp."),
    Fault.OUT_OF_FOCUS: mark(
        "The frame is blurred. Focus this position again; check autofocus and condensation."
    ),
    Fault.WRONG_SCALE: mark(
        "The frame was taken at another magnification than the model knows. Use the objective the"
        " model was trained with, or correct the pixel size calibration (um_per_px)."
    ),
    Fault.WRONG_SHAPE: mark(
        "The frame is too small, too large or not one grey plane. Export whole grey camera frames."
    ),
    Fault.OUT_OF_DOMAIN: mark(
        "The frame is unlike all that the model was trained on. Look at it: another cell line,"
        " contamination, detached cells or another contrast method need another model."
    ),
    "unreadable": mark(
        "The file is damaged, incomplete or of a kind that scopewatch does not read. Open it in"
        " the acquisition software; if it is broken there too, the frame is lost."
    ),
    "failed": mark(
        "The work on this frame failed again and again. Look into the log for its name, and keep"
        " the file: it is worth a report."
    ),
    "refused": mark(
        "The name or the metadata does not say which well this is. Correct the source's pattern"
        " in config.yaml, or move files that are no frames out of the watched folder."
    ),
    "duplicate": mark(
        "Another file already holds the same well, site and time point. Two acquisitions write"
        " under one name: give the second its own experiment name or folder."
    ),
    "gap": mark(
        "The frame was due and was never taken: no efficiency holds it, and nothing can bring it"
        " back. See the reason, and mend it before the next time point."
    ),
    "contradiction": mark(
        "The file was scored as one frame, and what names it says another one now. The result"
        " stays where it is. Were the old settings right, put them back; otherwise give experiment"
        " and source other names: all files are then scored anew, as a run of their own."
    ),
    "replaced": mark(
        "The frame was scored from another file since. Nothing to do, unless you expected both."
    ),
}

OTHERWISE: Final = mark("See the reason, and docs/operating.md, Quarantine.")

# Of files that never became a frame, and of frames that were never taken: of one, and of many.
OTHERS: Final[dict[str, tuple[str, str]]] = {
    "refused": (
        mark("{count} file: its name does not say which well it is of"),
        mark("{count} files: their names do not say which well they are of"),
    ),
    "duplicate": (
        mark("{count} file: another one holds the same well, site and time point"),
        mark("{count} files: others hold the same well, site and time point"),
    ),
    "gap": (
        mark("{count} frame was due and was never taken"),
        mark("{count} frames were due and were never taken"),
    ),
    "contradiction": (
        mark("{count} file: what names it says another frame now"),
        mark("{count} files: what names them says other frames now"),
    ),
    "replaced": (
        mark("{count} file: its frame was scored from another one since"),
        mark("{count} files: their frames were scored from others since"),
    ),
}


def advise(fault: str) -> str:
    """Return what to do about a fault as the store names it: a message id."""
    return ADVICE.get(fault, OTHERWISE)


def headline(fault: str, count: int, frames: int) -> Phrase:
    """Say in one line what is wrong with frames or files of one fault.

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
        trouble = FAULTS.get(fault)
    return Phrase(
        run_state_words.MOSTLY_UNFIT,
        {
            "count": count,
            "total": max(frames, count),
            "trouble": Phrase(trouble or run_state_words.OTHER_TROUBLE),
        },
    )
