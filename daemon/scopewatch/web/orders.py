"""Orders to time-lapses that scopewatch acquires, from pages and from programs."""

from dataclasses import dataclass
from typing import Final

from fastapi import HTTPException, Request
from starlette.concurrency import run_in_threadpool

from scopewatch.core.acquisition.orders import WELL_ACTS, Act, Target
from scopewatch.core.alerts.scope import plain_well
from scopewatch.core.errors import complaint
from scopewatch.web.access.auth_middleware import address_of
from scopewatch.web.dashboard_context import DashboardContext

ASKABLE: Final = (Act.PAUSE, Act.RESUME, Act.NOW, Act.MEDIUM, *WELL_ACTS)
# Entries of the journal, the newest.
SHOWN: Final = 200
MOST_REASON: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAct:
    """What somebody wants of a time-lapse.

    Parameters
    ----------
    source
        Its source; None: the one that acquires.
    target
        The well that it is about; None where it is about the time-lapse.
    """

    act: Act
    source: str | None
    target: Target | None
    reason: str


def well_of(act: Act, plate: str, well: str | None) -> Target | None:
    """Return the well that is named; None where none is, or the act is about no well."""
    name = plain_well(well or "")
    return Target(well=name, plate=plate.strip()) if act in WELL_ACTS and name else None


async def place_order(
    context: DashboardContext, request: Request, wanted: WantedAct, way: str
) -> int:
    """Write an order down; return its number.

    Parameters
    ----------
    way
        By which it came, for the journal.

    Raises
    ------
    HTTPException
        409 where no such time-lapse is configured, or it is not clear which one is meant.
    """
    names, source = context.facts.acquires, wanted.source
    name = names[0] if source is None and len(names) == 1 else source
    if name is None or name not in names:
        line = complaint(
            "no time-lapse to steer" if not names else "several time-lapses are configured",
            where=request.url.path,
            expected=f"source: one of {', '.join(names)}" if names else None,
            got=source,
            do="acquire with scopewatch to steer it" if not names else "name its source",
        )
        raise HTTPException(status_code=409, detail=line)
    by = f"{way}, {address_of(request.scope)}"
    return await run_in_threadpool(
        context.alerts.order,
        name,
        context.facts.run,
        wanted.act,
        by,
        wanted.target,
        wanted.reason,
    )
