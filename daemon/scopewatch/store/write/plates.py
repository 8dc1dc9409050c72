"""Plates: time points that rules may still step, and the states of the rules."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import PlateFacts, StateKey
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.alerts.wells import WellFacts
from scopewatch.core.estimation.smoothing import WellPoint
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.monitoring.advance import PlateUpdate
from scopewatch.monitoring.budget import Budget
from scopewatch.monitoring.estimates import PooledSites
from scopewatch.monitoring.history import Plate, PlateHistory
from scopewatch.monitoring.outlooks import Foreseen
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.schedule import DueStep
from scopewatch.store.read.stepping.plate_history import load_history, plate_of
from scopewatch.store.read.stepping.rule_states import States, open_plates, read_states
from scopewatch.store.read.stepping.silent_plates import silent_plates
from scopewatch.store.read.stepping.well_history import gather_wells
from scopewatch.store.schema.tables import Run, Well
from scopewatch.store.write import estimates
from scopewatch.store.write.rules import outlooks
from scopewatch.store.write.rules.outlooks import Sightings
from scopewatch.store.write.rules.rule_memory import recall
from scopewatch.store.write.rules.rule_states import forget_pasts, write_states


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateInput:
    """What a step of a plate's rules starts from.

    Parameters
    ----------
    states
        The states of the rules.
    facts
        What is known of the plate and its wells at the time point of the step.
    """

    states: States
    facts: PlateFacts


class Plates:
    """The plates of the database, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of(self, well: Well, rules: Sequence[AlertRule]) -> Plate:
        """Return the plate of a well with the rules of wells and plates that apply to it."""
        return plate_of(self._session, well, rules)

    def load(
        self,
        plate: Plate,
        since: int | None = None,
        *,
        only: Sequence[str] | None,
        channel: str,
        judged_under: Collection[str],
        quiet: bool,
    ) -> PlateHistory:
        """Read the next few time points that some rule has not stepped over.

        Parameters
        ----------
        since
            Only later time points than this one.
        only
            The wells to look at where each well is stepped by itself; None: all.
        judged_under
            What is judged under now. What was quarantined under anything else is still to be tried.
        quiet
            True when nothing is waited for.
        """
        return load_history(
            self._session,
            plate,
            only=only,
            channel=channel,
            judged_under=judged_under,
            quiet=quiet,
            after=since,
        )

    def load_step(
        self, plate: Plate, due: DueStep, policy: RunPolicy, now: datetime, budget: Budget
    ) -> PlateInput | None:
        """Read what one step starts from; None where the budget was spent before all was read.

        What rules remember of wells is worked out where it is not stored, and then stored.
        """
        states = read_states(
            self._session,
            plate.run,
            plate.plate,
            [rule.name for rule in due.rules],
            None if plate.joint else due.fresh,
        )
        remembered = recall(self._session, plate, due, states, policy.phase_channel, budget)
        if remembered is None:
            return None
        wells = gather_wells(
            self._session,
            plate,
            due,
            remembered,
            channel=policy.phase_channel,
            interval_h=policy.interval_h,
            now=now,
        )
        facts = PlateFacts(
            subject=Subject(run=plate.run, plate=plate.plate),
            at=now,
            day=max(well.day for well in wells if well.well in due.fresh),
            wells=tuple(wells),
            fresh=due.fresh,
            whole=due.whole,
        )
        return PlateInput(states=states, facts=facts)

    def load_without_frames(
        self, run: str, plate: str, rules: Sequence[str], now: datetime
    ) -> PlateInput:
        """Read what the clock alone can change: of the wells only their names are read."""
        names = self._session.scalars(
            select(Well.name)
            .join(Run)
            .where(Run.name == run, Well.plate == plate)
            .order_by(Well.id)
        )
        wells = tuple(
            WellFacts(
                subject=Subject(run=run, plate=plate, well=name),
                at=now,
                day=0.0,
                looks=(),
                running=None,
                forecast=None,
            )
            for name in names
        )
        facts = PlateFacts(
            subject=Subject(run=run, plate=plate),
            at=now,
            day=0.0,
            wells=wells,
            fresh=frozenset(),
        )
        states = read_states(self._session, run, plate, rules)
        return PlateInput(states=states, facts=facts)

    def load_run_states(self, run: str, rules: Iterable[str]) -> States:
        """Read the states of rules of the monitor, whose subject is the whole run."""
        return read_states(self._session, run, None, rules)

    def save(self, before: States, update: PlateUpdate, rules: Sequence[AlertRule]) -> None:
        """Write the states of rules after a step, and what they remember."""
        write_states(self._session, before, update.states, update.stepped, update.pasts, rules)

    def save_run_states(self, before: States, after: dict[StateKey, AlertState]) -> None:
        """Write the states of rules of the monitor."""
        write_states(self._session, before, after, {})

    def forget_memory(self, well: Well, time_point: int) -> None:
        """Have rules work out again what they remember of a well from a time point on."""
        forget_pasts(self._session, well, time_point)

    def silent(self, now: datetime, patience: timedelta, done_with: timedelta) -> list[int]:
        """Return a well of each plate of which no frame came for a while, but not for very long."""
        return silent_plates(self._session, now, patience, done_with)

    def behind(self) -> Sequence[Well]:
        """Return the wells whose time points a transaction had no time to step."""
        return self._session.scalars(select(Well).where(Well.behind)).all()

    def open(self, rules: Sequence[str], since: datetime) -> list[tuple[str, str]]:
        """Return run and plate of the plates of which the clock alone may change something.

        Of runs that had no frame since then it changes nothing any more.
        """
        return open_plates(self._session, rules, since)

    def well(self, number: int) -> Well:
        """Return a well by its number."""
        return self._session.get_one(Well, number)

    def names_behind(self, well: Well) -> Sequence[str]:
        """Return the wells of a plate that are behind."""
        return self._session.scalars(
            select(Well.name).where(*_on_plate_of(well), Well.behind)
        ).all()

    def caught_up(self, well: Well) -> None:
        """Record that no well of a plate is behind."""
        self._session.execute(update(Well).where(*_on_plate_of(well)).values(behind=False))

    def sites(self, well: Well, time_point: int, channel: str) -> list[tuple[float, Efficiency]]:
        """Return day and efficiency of the judged sites of a well at a time point."""
        return estimates.read_sites(self._session, well.id, time_point, channel)

    def save_estimate(self, well: Well, time_point: int, pooled: PooledSites | None) -> None:
        """Write the estimate of a well at a time point; None removes it."""
        estimates.write_estimate(self._session, well.id, time_point, pooled)

    def outlooks_due(self, run: Run | None = None) -> Sequence[Well]:
        """Return the wells (of a run) whose outlooks are due, run by run."""
        return outlooks.due_wells(self._session, None if run is None else run.id)

    def make_outlooks_due(self, run: Run) -> None:
        """Have all outlooks of a run made again."""
        self._session.execute(update(Well).where(Well.run_id == run.id).values(outlooks_due=0))

    def sightings(self, well: Well, channel: str, since: int) -> Sightings:
        """Read the next time points of a well whose outlooks are due."""
        return outlooks.load_sightings(self._session, well.id, channel, since)

    def points_before(self, well: Well, time_point: int) -> list[WellPoint]:
        """Return all judged time points of a well before one."""
        return outlooks.points_before(self._session, well.id, time_point)

    def save_outlooks(
        self, well: Well, of: Sightings, found: Iterable[Foreseen], policy: RunPolicy
    ) -> None:
        """Write the outlooks of a well over these time points."""
        outlooks.save_outlooks(self._session, well.id, of, found, policy)

    def note_outlooks_due(self, well: Well, since: int | None) -> None:
        """Record from which time point on outlooks of a well are due; None where none is."""
        well.outlooks_due = since
        self._session.flush()


def _on_plate_of(well: Well) -> tuple[ColumnElement[bool], ...]:
    return Well.run_id == well.run_id, Well.plate == well.plate
