"""What every page is made from, and the header that all pages share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from jinja2 import Environment
from prometheus_client import CollectorRegistry

from scopewatch.core.errors import complaint
from scopewatch.core.message import WellName
from scopewatch.core.ports import Clock
from scopewatch.runtime.stages import Condition
from scopewatch.store.records import AlertRow, Counts, Flag, WellRow
from scopewatch.web.door import Lock
from scopewatch.web.plate import Staleness
from scopewatch.web.reading import AlertDesk, Facts, Health, Reader, Receivers

# Time points are never quite punctual, and a frame takes a while to be taken and judged.
STALE_INTERVALS = 1.5
MAX_OPEN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The rest of the daemon, as the dashboard sees it.

    Parameters
    ----------
    waiting
        How many frames were found but neither scored nor quarantined yet.
    pausing
        Why none is scored at the moment though all is well; '' otherwise.
    receivers
        How the receivers of alerts answer.
    token
        A secret of this process that our forms carry; see `web.guard`.
    lock
        What people need to come in; None: nothing, for a dashboard on loopback.
    """

    reader: Reader
    overlay_folder: Path
    alerts: AlertDesk
    health: Health
    waiting: Callable[[], int]
    pausing: Callable[[], str]
    receivers: Receivers
    registry: CollectorRegistry
    facts: Facts
    clock: Clock
    token: str
    templates: Environment
    lock: Lock | None = None

    @property
    def guarded(self) -> bool:
        """Whether people had to sign in, and so can sign out."""
        return self.lock is not None

    @property
    def staleness(self) -> Staleness:
        """When a well counts as left behind."""
        return Staleness(after=timedelta(hours=self.facts.interval_h * STALE_INTERVALS))


async def parts_of(request: Request) -> Parts:
    """Return the parts of the dashboard that a request came to."""
    parts: Parts = request.app.state.parts
    return parts


# Routes are given their parts and enclose none: FastAPI remembers thousands of routes for as long
# as the process lives, and with them would keep each model that a reload puts away.
GivenParts = Annotated[Parts, Depends(parts_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The state of the run in one glance.

    Parameters
    ----------
    flagged
        Wells with a raised alert that nobody has acknowledged.
    answered
        How many more wells are flagged, but acknowledged.
    wider
        Standing alerts of plates and of the monitor that nobody has answered, gravest first.
    blind
        True when frames should have come by now and none has.
    """

    facts: Facts
    counts: Counts
    waiting: int
    pausing: str
    health: Condition
    flagged: tuple[WellName, ...]
    answered: int
    wider: tuple[AlertRow, ...]
    blind: bool
    now: datetime


def make_header(parts: Parts, rows: list[WellRow]) -> Header:
    """Gather what every page shows at its top."""
    now = parts.clock.now()
    counts = parts.reader.counts()
    raised = [row for row in rows if row.flags]
    flagged = [row.name for row in raised if any(not _answered(flag, now) for flag in row.flags)]
    last = counts.last_frame_at
    return Header(
        facts=parts.facts,
        counts=counts,
        waiting=parts.waiting(),
        pausing=parts.pausing(),
        health=parts.health(),
        flagged=tuple(flagged),
        answered=len(raised) - len(flagged),
        wider=_wider(parts.reader.alerts(None, MAX_OPEN, open_only=True), now),
        blind=last is not None and now - last > parts.staleness.after,
        now=now,
    )


def find_well(rows: Sequence[WellRow], name: WellName, do: str) -> WellRow:
    """Return a well's row.

    Raises
    ------
    HTTPException
        404 where there is none; `do` says where to look instead.
    """
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise HTTPException(status_code=404, detail=complaint("no such well", where=name, do=do))
    return row


def _wider(rows: Sequence[AlertRow], now: datetime) -> tuple[AlertRow, ...]:
    wider = [row for row in rows if row.well is None and not _answered(row, now)]
    return tuple(sorted(wider, key=lambda row: -row.severity.rank))


def _answered(alert: Flag | AlertRow, now: datetime) -> bool:
    """Whether somebody has seen it, or wants to hear nothing of it now."""
    snoozed = alert.snoozed_until is not None and alert.snoozed_until > now
    return snoozed or alert.acknowledged_at is not None
