"""The faults that the quarantine sorts frames and files by: the one list of them."""

from enum import StrEnum
from typing import Self

from scopewatch.core.phrases import mark


class Fault(StrEnum):
    """Why a frame has no result, or a file never became a frame.

    The values are stored, and served by the API: never rename one. docs/events.md and
    docs/operating.md have a row for each.

    Attributes
    ----------
    label
        A few words for the fault of one frame or file: a message id.
    advice
        What to do about it: a message id.
    """

    label: str
    advice: str
    _value_: str

    def __new__(cls, value: str, label: str, advice: str) -> Self:
        """Return a member whose value is the stored word alone."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.advice = advice
        return member

    # Of the pixels: the quality checks and the model's domain decide.
    BLANK = (
        "blank",
        mark("blank"),
        mark(
            "The frame shows nothing. Check lamp, shutter and stage position, and whether the well"
            " holds medium and cells."
        ),
    )
    SATURATED = (
        "saturated",
        mark("overexposed"),
        mark("The frame is overexposed. Lower the exposure or the lamp."),
    )
    OUT_OF_FOCUS = (
        "out-of-focus",
        mark("out of focus"),
        mark("The frame is blurred. Focus this position again; check autofocus and condensation."),
    )
    WRONG_SCALE = (
        "wrong-scale",
        mark("wrong magnification"),
        mark(
            "The frame was taken at another magnification than the model knows. Use the objective"
            " the model was trained with, or correct the pixel size calibration (um_per_px)."
        ),
    )
    WRONG_SHAPE = (
        "wrong-shape",
        mark("wrong size"),
        mark(
            "The frame is too small, too large or not one grey plane. Export whole grey camera"
            " frames."
        ),
    )
    OUT_OF_DOMAIN = (
        "out-of-domain",
        mark("unlike all frames the model was trained on"),
        mark(
            "The frame is unlike all that the model was trained on. Look at it: another cell line,"
            " contamination, detached cells or another contrast method need another model."
        ),
    )

    # Of the file, or of the work on it.
    UNREADABLE = (
        "unreadable",
        mark("unreadable file"),
        mark(
            "The file is damaged, incomplete or of a kind that scopewatch does not read. Open it in"
            " the acquisition software; if it is broken there too, the frame is lost."
        ),
    )
    FAILED = (
        "failed",
        mark("the work on it failed"),
        mark(
            "The work on this frame failed again and again. Look into the log for its name, and"
            " keep the file: it is worth a report."
        ),
    )

    # Of the name, or of two files for one frame.
    REFUSED = (
        "refused",
        mark("unknown well"),
        mark(
            "The name or the metadata does not say which well this is. Correct the source's pattern"
            " in config.yaml, or move files that are no frames out of the watched folder."
        ),
    )
    DUPLICATE = (
        "duplicate",
        mark("second file of a frame"),
        mark(
            "Another file already holds the same well, site and time point. Two acquisitions write"
            " under one name: give the second its own experiment name or folder."
        ),
    )
    CONTRADICTION = (
        "contradiction",
        mark("scored under another name"),
        mark(
            "The file was scored as one frame, and what names it says another one now. The result"
            " stays where it is. Were the old settings right, put them back; otherwise give"
            " experiment and source other names: all files are then scored again, as a run of"
            " their own."
        ),
    )
    REPLACED = (
        "replaced",
        mark("scored from another file since"),
        mark(
            "The frame was scored from another file since. Nothing to do, unless you expected both."
        ),
    )

    # Of the schedule: the frame was due, and was never taken.
    GAP = (
        "gap",
        mark("never taken"),
        mark(
            "The frame was due and was never taken: no efficiency holds it, and nothing can bring"
            " it back. See the reason, and mend it before the next time point."
        ),
    )

    @classmethod
    def of(cls, word: str) -> Self | None:
        """Return the fault of a stored word; None for any other text."""
        return next((fault for fault in cls if fault.value == word), None)
