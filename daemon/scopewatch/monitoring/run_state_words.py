"""What the states of a run are called, and what to do about each: message ids."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from scopewatch.core.faults import Fault
from scopewatch.core.phrases import Phrase, mark

# More names than these do not fit into a line.
MOST_NAMES: Final = 12

STARTING: Final = mark("scopewatch is starting")
NOT_WELL: Final = mark("scopewatch is not well")
DATABASE: Final = mark("The result database cannot be read")
WAITING: Final = mark("Waiting for the first frame.")
SCORING: Final = mark("Frames that wait to be scored: {count}.")

NO_FRAMES: Final = mark("No frame for {time}: is the acquisition running?")
LOOK_FOR_FRAMES: Final = mark(
    "Look at the acquisition, and whether the disk or the network share is there. `scopewatch"
    " check` says how the files are read."
)

REFUSED: Final = mark("No file became a frame ({count} refused): nothing is scored.")
REFUSED_SINCE: Final = mark(
    "No frame for {time}, and {count} refused files: is the acquisition named as before?"
)
READ_AGAIN: Final = mark(
    "Correct `pattern` of the source. `scopewatch explain` says how each file is read."
)

OTHER_CHANNEL: Final = mark(
    "{count} frames are of channel {channels}, but phase_channel is '{phase}': nothing is scored"
)
ONE_OF_OTHER_CHANNEL: Final = mark(
    "A frame is of channel {channels}, but phase_channel is '{phase}': nothing is scored"
)
SET_CHANNEL: Final = mark(
    "Set experiment.phase_channel in config.yaml to the channel of the phase contrast, and reload"
    " or restart the daemon: the frames that are there are scored then."
)

MOSTLY_UNFIT: Final = mark("{count} of {total} frames: {trouble}")
TROUBLES: Final[dict[str, str]] = {
    Fault.BLANK: mark("they show nothing"),
    Fault.SATURATED: mark("they are overexposed"),
    Fault.OUT_OF_FOCUS: mark("they are out of focus"),
    Fault.WRONG_SCALE: mark("their magnification is not that of the model"),
    Fault.WRONG_SHAPE: mark("the model does not take their size"),
    Fault.OUT_OF_DOMAIN: mark("the model does not fit this microscope"),
    Fault.UNREADABLE: mark("their files cannot be read"),
    Fault.FAILED: mark("the work on them failed"),
}
OTHER_TROUBLE: Final = mark("they cannot be judged")
REMEDIES: Final[dict[str, str]] = {
    Fault.BLANK: mark("Check lamp, shutter and stage, and that the wells hold medium and cells."),
    Fault.SATURATED: mark("Lower the exposure or the lamp."),
    Fault.OUT_OF_FOCUS: mark("Focus again; check autofocus, and condensation on the lid."),
    Fault.WRONG_SCALE: mark(
        "Use the objective that the model was trained with, or correct um_per_px of the source."
    ),
    Fault.WRONG_SHAPE: mark("Export whole, grey camera frames."),
    Fault.OUT_OF_DOMAIN: mark(
        "Look at the frames: another cell line, microscope or contrast method needs a model of"
        " its own; contamination and detached cells look so, too."
    ),
    Fault.UNREADABLE: mark(
        "Open one of the files in the acquisition software. Was the transfer cut off?"
    ),
    Fault.FAILED: mark("See the log for their names, and report it with one of the files."),
}
OTHER_REMEDY: Final = mark("See the reasons under Quarantine.")

SILENT_WELLS: Final = mark("{count} of {wells} wells: no judged frame for {time}: {names}")
NEVER_JUDGED: Final = mark("{count} of {wells} wells: no frame was ever judged: {names}")
BEHIND_WELLS: Final = mark("{count} of {wells} wells are behind their plate: {names}")
UNFIT_WELLS: Final = mark("{count} of {wells} wells: their frames cannot be judged: {names}")
OTHER_CHANNEL_WELLS: Final = mark(
    "{count} of {wells} wells: frames of channel {channels}, but none of '{phase}': {names}"
)
NAMED_WELLS: Final = mark("No frame yet of wells that experiment.well_groups names: {names}")
LOOK_AT_POSITIONS: Final = mark(
    "Are these wells among the positions of the acquisition? Are their files named as the others?"
)

FINISHED: Final = mark("The run is finished: day {day}, {count} of {wells} wells judged.")
OVER: Final = mark("The final day {final_day} has passed; the newest judged frame is of day {day}.")
REACHED: Final = mark("{count} of {wells} wells reached the target of {target}.")
BELOW: Final = mark("Below the target of {target}: {names}")
NOT_JUDGED_AT_END: Final = mark("Not judged at the last time point: {names}")
AFTER_THE_RUN: Final = mark(
    "`scopewatch export` writes the results. A new run needs another experiment.name."
)

ALL_JUDGED: Final = mark("All wells ({wells}) were judged within the last {time}.")
MARKED_DEAD: Final = mark("Marked dead, not imaged and not judged: {names}")
ALL_DEAD: Final = mark("All wells ({wells}) are marked dead: nothing is imaged or judged.")
TAKE_WELLS_IN: Final = mark(
    "If that is a mistake, take wells in again on the page Acquisition, or by"
    " `scopewatch acquisition alive`."
)
SOME_UNFIT: Final = mark("{count} of {total} frames could not be judged.")

_VALUE: Final = mark("{well} ({value})")
_MORE: Final = mark("{names} and {count} more")
_MINUTES: Final = mark("{count} min")
_HOURS: Final = mark("{count} h")
_DAYS: Final = mark("{count} days")


def plainly(text: str) -> Phrase:
    """Return a text that is in no catalogue, such as a reason from the log, as it is."""
    return Phrase("{text}", {"text": text})


def in_a_row(names: Sequence[object]) -> Phrase:
    """Write names in a row, and how many more there are.

    >>> str(in_a_row(["A1", "A2"]))
    'A1, A2'
    """
    shown = names[:MOST_NAMES]
    row = Phrase(
        ", ".join(f"{{_{number}}}" for number in range(len(shown))),
        {f"_{number}": name for number, name in enumerate(shown)},
    )
    left = len(names) - len(shown)
    return Phrase(_MORE, {"names": row, "count": left}) if left else row


def with_value(well: str, value: float) -> Phrase:
    """Write a well with its efficiency.

    >>> str(with_value("A1", 0.314))
    'A1 (31%)'
    """
    return Phrase(_VALUE, {"well": well, "value": f"{value:.0%}"})


def lasting(time: timedelta) -> Phrase:
    """Write a length of time in its largest unit.

    >>> str(lasting(timedelta(hours=20)))
    '20 h'
    """
    if time < timedelta(hours=2):
        return Phrase(_MINUTES, {"count": max(round(time / timedelta(minutes=1)), 1)})
    if time < timedelta(days=3):
        return Phrase(_HOURS, {"count": time // timedelta(hours=1)})
    return Phrase(_DAYS, {"count": time.days})
