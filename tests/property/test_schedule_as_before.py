"""What the pure schedule says is due is what the store's own rounds say, for any plate."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from unittest.mock import patch

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from scopewatch.core.alert import AlertRule, RuleKind
from scopewatch.monitoring.schedule import DueStep, due_steps
from scopewatch.store import plate_history
from scopewatch.store.alert_tables import RuleState
from scopewatch.store.columns import Base, FrameState
from scopewatch.store.plate_history import load_history
from scopewatch.store.rounds import Round, plate_of, rounds_of
from scopewatch.store.tables import FrameRow, Run, Well

UNHURRIED: Final = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow]
)
WELLS: Final = ("A1", "A2", "B1")
AT: Final = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW, BEFORE = "settings of now", "settings of before"
SINGLE: Final = (
    AlertRule(name="weak"),
    AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, wells=("A*",)),
)
JOINT: Final = (
    *SINGLE,
    AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL),
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE),
    AlertRule(name="all of it", kind=RuleKind.PLATE_COLLAPSE, limit=0.9),
)
PLAIN: Final = (AlertRule(name="weak"), AlertRule(name="jump", kind=RuleKind.SUDDEN_CHANGE))
RULES: Final = st.sampled_from([SINGLE, JOINT, PLAIN, JOINT[:1] + JOINT[3:4], JOINT[3:4], ()])
# Most frames are settled: otherwise little is ever due.
STATES: Final = st.sampled_from(
    [
        *[(FrameState.DONE, NOW)] * 8,
        (FrameState.CLAIMED, NOW),
        (FrameState.QUARANTINED, NOW),
        (FrameState.QUARANTINED, BEFORE),
        (FrameState.SKIPPED, NOW),
        (FrameState.MISSED, NOW),
    ]
)


@dataclass(frozen=True)
class Plate:
    """Rows of a plate: frames by (well, time point, site, channel), and where rules stand."""

    rules: tuple[AlertRule, ...]
    sites: int
    frames: dict[tuple[str, int, int, str], tuple[FrameState, str]]
    lasts: dict[tuple[str, str], int]


@st.composite
def plates(draw: st.DrawFn) -> Plate:
    rules, sites = draw(RULES), draw(st.integers(1, 2))
    begins = draw(st.integers(0, 2))
    frames = {
        (well, time_point, site, "phase"): draw(STATES)
        for well in WELLS
        for time_point in range(begins, begins + draw(st.integers(0, 9)))
        for site in range(sites)
        if draw(st.integers(0, 9))
    }
    frames |= {(well, 12, 0, "gfp"): (FrameState.MEASURED, NOW) for well in WELLS[:1]}
    newest = max((at for _, at, _, channel in frames if channel == "phase"), default=0)
    lasts = {}
    for rule in rules:
        common = draw(st.integers(-1, newest))
        for well in ("", *WELLS):
            if draw(st.integers(0, 4)):
                lasts[rule.name, well] = common if draw(st.integers(0, 3)) else draw(MOMENTS)
    return Plate(rules=rules, sites=sites, frames=frames, lasts=lasts)


MOMENTS: Final = st.integers(-1, 11)


def write(session: Session, plate: Plate) -> dict[str, Well]:
    run = Run(name="run 7", started_at=AT, first_frame_at=AT, first_seen_at=AT, simulated=True)
    wells = {name: Well(run=run, plate="p1", name=name) for name in WELLS}
    session.add_all([run, *wells.values(), Well(run=run, plate="p2", name="A1")])
    session.flush()
    for (well, time_point, site, channel), (state, under) in plate.frames.items():
        session.execute(
            insert(FrameRow).values(
                well_id=wells[well].id,
                site=site,
                time_point=time_point,
                channel=channel,
                source="folder",
                locator=f"{well} {time_point} {site} {channel}",
                fingerprint="1",
                content="",
                state=state,
                attempts=1,
                seen_at=AT,
                claimed_at=AT,
                settled_at=AT,
                judged_under=under,
                retried=False,
            )
        )
    for (rule, well), last in plate.lasts.items():
        session.execute(
            insert(RuleState).values(
                rule=rule,
                experiment="run 7",
                plate="p1",
                well=well,
                last_time_point=last,
                open=False,
                state={},
            )
        )
    session.flush()
    return wells


def due(
    session: Session, well: Well, plate: Plate, *, only: str | None, quiet: bool
) -> Iterator[DueStep]:
    """Read a few time points at a time, as long as there are more."""
    of = plate_history.plate_of(session, well, plate.rules)
    after = None
    while True:
        history = load_history(
            session,
            of,
            only=None if only is None else (only,),
            channel="phase",
            judged_under=[NOW],
            quiet=quiet,
            after=after,
        )
        found = due_steps(of, history, sites_per_well=plate.sites, quiet=quiet)
        yield from found.steps
        if found.waiting or history.until is None:
            return
        after = history.until


def said(step: DueStep | Round) -> tuple[int, list[str], list[str], bool]:
    return step.time_point, [rule.name for rule in step.rules], sorted(step.fresh), step.whole


@UNHURRIED
@given(plate=plates(), window=st.integers(1, 5), quiet=st.booleans())
def test_what_is_due_is_what_it_was_before(plate: Plate, window: int, quiet: bool) -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session, patch.object(plate_history, "WINDOW", window):
        wells = write(session, plate)
        of = plate_of(session, wells["A1"], plate.rules)
        # Wells that go by themselves are looked at one by one, as their frames are settled.
        for only in (None,) if of.joint else WELLS:
            before = rounds_of(
                session,
                of,
                only=only,
                channel="phase",
                sites_per_well=plate.sites,
                judged_under=[NOW],
                quiet=quiet,
            )
            expected = [said(step) for step in before]
            found = [
                said(step) for step in due(session, wells["A1"], plate, only=only, quiet=quiet)
            ]
            event(f"{'joint' if of.joint else 'single'}, {min(len(expected), 3)} or more steps")
            assert found == expected
    engine.dispose()
