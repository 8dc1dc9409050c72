"""Facts of a run of twelve wells, which tests change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.run_facts import DaemonSeen, FrameTally, RunFacts, RunSeen, WellSeen
from scopewatch.monitoring.run_state import assess
from scopewatch.monitoring.state import State

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)
POLICY = RunPolicy(
    run="run 7", interval_h=12, final_day=10, sites_per_well=1, phase_channel="phase"
)
NAMES = tuple(f"{row}{column}" for row in "ABC" for column in range(1, 5))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def judged(name: str = "A1", **changes: Any) -> WellSeen:
    well = WellSeen(
        plate="P1", well=name, judged_at=ago(minutes=12), time_point=12, day=6.0, efficiency=0.6
    )
    return replace(well, **changes)


def unjudged(name: str = "A1", **changes: Any) -> WellSeen:
    return WellSeen(plate="P1", well=name, **changes)


def plate(*others: WellSeen, **changes: Any) -> tuple[WellSeen, ...]:
    """Return twelve judged wells, some replaced by `others` of the same names."""
    by_name = {well.well: well for well in others}
    return tuple(by_name.get(name) or judged(name, **changes) for name in NAMES)


def all_of(**changes: Any) -> tuple[WellSeen, ...]:
    """Return twelve wells without a judged frame."""
    return tuple(unjudged(name, **changes) for name in NAMES)


def facts(
    wells: tuple[WellSeen, ...] | None = None,
    frames: FrameTally | None = None,
    *,
    daemon: DaemonSeen | None = None,
    run: RunSeen | None = None,
    **changes: Any,
) -> RunFacts:
    seen = run or RunSeen(
        name="run 7",
        began_at=ago(days=6),
        wells=plate() if wells is None else wells,
        frames=frames or FrameTally(scored=12),
    )
    return RunFacts(
        now=changes.pop("now", NOW),
        policy=changes.pop("policy", POLICY),
        run=seen,
        daemon=daemon or DaemonSeen(),
        **changes,
    )


def state_of(*parts: Any, **changes: Any) -> State:
    return assess(facts(*parts, **changes))


def lines(state: State) -> list[str]:
    return [str(line) for line in state.details]
