"""Suggestions as a table and notes for the console."""

from typing import Final

from scopewatch_training.bundle.training_copies import describe_copies
from scopewatch_training.suggestion.choose import Suggestion
from scopewatch_training.suggestion.suggest import Suggestions

COLUMNS: Final = ("stain", "day", "efficiency", "gain", "why")


def list_rows(found: Suggestions) -> list[tuple[str, ...]]:
    """Return a row for each suggestion, in the order of `COLUMNS`."""
    return [_row(each) for each in found.chosen]


def list_notes(found: Suggestions, *, simulated: bool) -> list[str]:
    """Return what was left out and what limits the suggestions, a line each."""
    notes = []
    if found.left_out:
        reasons = ", ".join(f"{count} {fault}" for fault, count in found.left_out.items())
        notes.append(f"left out, since no model could learn from them: {reasons}")
    if found.familiar:
        notes.append(
            f"the bundle was trained on {', '.join(found.familiar)}; --stained DATASET leaves"
            " out wells that have a stain already"
        )
    notes += describe_copies(
        found.stained_copies.copies,
        sizes=found.sizes,
        known="frames of the stained data set",
        expected="wells that have no stain yet",
        do="their wells are left out",
        frames="frames",
    )
    notes += describe_copies(
        found.training_copies.copies,
        sizes=found.sizes,
        known="training frames of the bundle",
        expected="wells that the bundle has not seen",
        do="give their data set with --stained, which leaves them out",
        frames="frames",
    )
    notes += (*found.stained_copies.unchecked, *found.training_copies.unchecked)
    notes.append(
        "gain: share of tiles in doubt and in dispute, more where frames are unlike the training;"
        " it ranks wells and promises nothing"
    )
    if simulated:
        notes.append("the bundle was trained on simulated frames")
    return notes


def _row(each: Suggestion) -> tuple[str, ...]:
    candidate = each.candidate
    return (
        str(candidate.place),
        f"{candidate.place.day:g}",
        f"{candidate.efficiency:.0%}",
        f"{candidate.gain:.2f}",
        "; ".join(each.reasons),
    )
