"""Reads the planes of a z-stack one by one, and returns the sharpest as the frame."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from scopewatch.core.errors import FrameError, complaint
from scopewatch.core.imaging.frame import Frame, Pixels
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.imaging.sharpest import sharpest_plane
from scopewatch.core.tickets import FrameTicket
from scopewatch.core.z_stack import ChosenPlane, PlaneMark
from scopewatch.event_log import get_logger

log = get_logger(__name__)


def load_sharpest(ticket: FrameTicket, load: Callable[[FrameTicket], Frame]) -> Frame:
    """Read the frame of a ticket; of a stack, the sharpest plane.

    Each plane is read and dropped, and the chosen one read again: two are in memory at most. A
    plane that cannot be read is left out, and the frame's note says so. The frame has the moment of
    the lowest plane that can be read, whichever is chosen.

    Parameters
    ----------
    load
        Reads a single plane by its ticket.

    Raises
    ------
    FrameError
        When no plane can be read, or planes differ in size.
    SourceError
        When the share or disk does not answer.
    """
    if not ticket.planes:
        return load(ticket)
    read: list[PlaneMark] = []
    heights: list[float] = []
    moments: list[Moment] = []
    faults: list[FrameError] = []
    last: list[Frame] = []

    def planes() -> Iterator[Pixels]:
        for mark in ticket.planes:
            try:
                plane = load(_plane_ticket(ticket, mark))
            except FrameError as error:
                faults.append(error)
                continue
            read.append(mark)
            heights.append(mark.z)
            moments.append(plane.moment)
            last[:] = [plane]
            yield plane.pixels

    try:
        chosen = sharpest_plane(planes(), heights)
    except ValueError as error:
        if not read:
            raise faults[0] from error
        raise FrameError(
            complaint(
                "planes of the z-stack cannot be compared",
                where=ticket.locator,
                got=error,
                do="acquire all planes of a stack with one camera setting",
            )
        ) from error
    if faults:
        log.warning(
            "planes of a z-stack cannot be read and are left out",
            key=str(ticket.key),
            planes=len(faults),
            reason=str(faults[0]),
        )
    mark = read[chosen.index]
    frame = last[0] if mark is read[-1] else load(_plane_ticket(ticket, mark))
    scores = {each.z: score for each, score in zip(read, chosen.scores, strict=True)}
    choice = ChosenPlane(z=mark.z, scores=scores, unread=len(faults))
    return replace(
        frame,
        key=ticket.key,
        acquired_at=moments[0].acquired_at,
        elapsed_s=moments[0].elapsed_s,
        note="; ".join(filter(None, (frame.note, str(choice)))),
        stack=choice,
    )


def _plane_ticket(ticket: FrameTicket, plane: PlaneMark) -> FrameTicket:
    """Return the ticket of one plane of a stack."""
    return replace(
        ticket, locator=plane.locator, fingerprint=plane.fingerprint, content="", planes=()
    )
