"""What to do about each reason for quarantine; docs/operating.md tells it at length."""

from scopewatch.core.result import Fault

# The values of `Fault` say that a frame cannot be judged; the other words, which the worker and
# the store write, say that something is wrong with the file or with the work on it.
ADVICE: dict[str, str] = {
    Fault.BLANK: (
        "The frame shows nothing. Check lamp, shutter and stage position, and whether the well"
        " holds medium and cells."
    ),
    Fault.SATURATED: "The frame is overexposed. Lower the exposure or the lamp.",
    Fault.OUT_OF_FOCUS: (
        "The frame is blurred. Focus this position again; check autofocus and condensation."
    ),
    Fault.WRONG_SCALE: (
        "The frame was taken at another magnification than the model knows. Use the objective the"
        " model was trained with, or correct the pixel size calibration (um_per_px)."
    ),
    Fault.WRONG_SHAPE: (
        "The frame is too small, too large or not one grey plane. Export whole grey camera frames."
    ),
    Fault.OUT_OF_DOMAIN: (
        "The frame is unlike all that the model was trained on. Look at it: another cell line,"
        " contamination, detached cells or another contrast method need another model."
    ),
    "unreadable": (
        "The file is damaged, incomplete or of a kind that scopewatch does not read. Open it in"
        " the acquisition software; if it is broken there too, the frame is lost."
    ),
    "failed": (
        "The work on this frame failed again and again. Look into the log for its name, and keep"
        " the file: it is worth a report."
    ),
    "refused": (
        "The name or the metadata does not say which well this is. Correct the source's pattern"
        " in config.yaml, or move files that are no frames out of the watched folder."
    ),
    "duplicate": (
        "Another file already holds the same well, site and time point. Two acquisitions write"
        " under one name: give the second its own experiment name or folder."
    ),
    "gap": (
        "The frame was due and was never taken: no efficiency holds it, and nothing can bring it"
        " back. See the reason, and mend it before the next time point."
    ),
    "contradiction": (
        "The file was scored as one frame, and what names it says another one now. The result"
        " stays where it is. Were the old settings right, put them back; otherwise give experiment"
        " and source other names: all files are then scored anew, as a run of their own."
    ),
    "replaced": (
        "The frame was scored from another file since. Nothing to do, unless you expected both."
    ),
}

OTHERWISE = "See the reason, and docs/operating.md, Quarantine."


def advise(fault: str) -> str:
    """Return what to do about a fault as the store names it."""
    return ADVICE.get(fault, OTHERWISE)
