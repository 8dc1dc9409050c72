"""Whole plates replayed through the rules, by the same pure steps that the daemon takes.

The time points of a plate become known one after the other. After each, `schedule.due_steps` names
the steps that are due and `advance` takes them; then the plate's missing frames have been waited
for, and the clock alone moves on. What differs from the daemon is where the history comes from: it
lies in memory, and nobody acknowledges an alert.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from scopewatch.core.alerts.observation import Subject
from scopewatch.core.alerts.plate import PlateFacts, StateKey
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.alerts.state_machine import AlertState
from scopewatch.core.alerts.wells import Past, WellFacts
from scopewatch.monitoring.advance import PlateUpdate, advance
from scopewatch.monitoring.history import Plate, PlateHistory, lags, must_wait, stepped_by_all
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.schedule import DueStep, due_steps
from scopewatch.monitoring.well_facts import well_facts
from scopewatch_training.forecasting.courses import by_well, outlooks_of
from scopewatch_training.forecasting.early_warning.warning_log import WarningLog
from scopewatch_training.forecasting.early_warning.wells import Warned
from scopewatch_training.forecasting.timelapse import Moment

START: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Day 0 of every replayed run: cooldowns and quiet hours need some clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStep:
    """One step of the rules of a plate.

    Parameters
    ----------
    time_point
        What was stepped over; None where nothing but time went by.
    day
        Of the run, when it was taken.
    """

    time_point: int | None
    day: float
    update: PlateUpdate


@dataclass(slots=True)
class _Memory:
    """What is kept of a plate from one step to the next, as the store keeps it."""

    rules: tuple[AlertRule, ...]
    states: dict[StateKey, AlertState] = field(default_factory=dict)
    lasts: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """Whether an alert was raised or resolved that nobody was notified of yet."""
        return any(state.raised != (state.notified is not None) for state in self.states.values())

    def states_of(self, rules: Sequence[AlertRule]) -> dict[StateKey, AlertState]:
        """Return the states of some rules."""
        names = {rule.name for rule in rules}
        return {key: state for key, state in self.states.items() if key[0] in names}

    def keep(self, update: PlateUpdate) -> None:
        """Keep what a step changed."""
        self.states.update(update.states)
        for (name, subject), time_point in update.stepped.items():
            self.lasts[name, subject.well or ""] = time_point


class PlateReplay:
    """A plate of one run with what rules know of its wells at each time point.

    Parameters
    ----------
    moments
        Of all wells of the plate.
    policy
        Plan of the run, with the forecast table that its wells are judged by. Time points from the
        final day on are left out: a warning comes before the end.
    """

    def __init__(self, moments: Sequence[Moment], policy: RunPolicy) -> None:
        places = {moment.place[:2] for moment in moments}
        if len(places) != 1:
            raise ValueError(f"one plate is replayed at a time, not {sorted(places)}")
        ((self.run, self.plate),) = places
        self._policy = policy
        known = by_well(moment for moment in moments if moment.day < policy.final_day)
        self._frames = {
            (place[2], moment.time_point): moment.frames
            for place, members in known.items()
            for moment in members
        }
        self._known = {place[2]: self._facts(place[2], known[place]) for place in known}
        self._days: dict[int, float] = {}
        for members in known.values():
            for moment in members:
                day = self._days.get(moment.time_point, moment.day)
                self._days[moment.time_point] = max(day, moment.day)

    def warnings(self, rules: Sequence[AlertRule]) -> dict[str, Warned]:
        """Replay the plate under some rules and return of which wells they warned."""
        log = WarningLog(kinds={rule.name: rule.kind for rule in rules})
        for step in self.steps(rules):
            log.take(step.day, step.update)
        return {well: log.warned(well) for well in self._known}

    def steps(self, rules: Sequence[AlertRule]) -> Iterator[ReplayStep]:
        """Replay the plate under some rules and yield each step that they take, in order."""
        memory = _Memory(tuple(rule for rule in rules if rule.covers(self.run, self.plate)))
        for time_point, day in sorted(self._days.items()):
            plate = self._plate(memory.rules, time_point)
            now = START + timedelta(days=day)
            yield from self._take_due(plate, memory, time_point, now, quiet=False)
            # Long before the next time point the daemon no longer waits for what is missing.
            now += self._policy.patience
            if plate.joint:
                yield from self._take_due(plate, memory, time_point, now, quiet=True)
            yield from self._let_time_pass(plate, memory, now)

    def _take_due(
        self, plate: Plate, memory: _Memory, until: int, now: datetime, *, quiet: bool
    ) -> Iterator[ReplayStep]:
        """Take the steps that are due once all frames up to a time point are there."""
        history = self._history(plate, memory.lasts, until, quiet=quiet)
        due = due_steps(plate, history, sites_per_well=self._policy.sites_per_well, quiet=quiet)
        for step in due.steps:
            wells = tuple(self._facts_then(plate, step, now))
            facts = PlateFacts(
                subject=self._subject(None),
                at=now,
                day=max(well.day for well in wells if well.well in step.fresh),
                wells=wells,
                fresh=step.fresh,
                whole=step.whole,
            )
            update = advance(step.rules, memory.states_of(step.rules), facts, step)
            memory.keep(update)
            yield ReplayStep(time_point=step.time_point, day=facts.day, update=update)

    def _let_time_pass(self, plate: Plate, memory: _Memory, now: datetime) -> Iterator[ReplayStep]:
        """Let time pass where an alert waits: cooldowns and quiet hours end."""
        if not memory.waits:
            return
        wells = tuple(
            WellFacts(
                subject=self._subject(well), at=now, day=0.0, looks=(), running=None, forecast=None
            )
            for well in plate.wells
        )
        facts = PlateFacts(
            subject=self._subject(None), at=now, day=0.0, wells=wells, fresh=frozenset()
        )
        update = advance(plate.rules, memory.states_of(plate.rules), facts, None)
        memory.keep(update)
        yield ReplayStep(time_point=None, day=(now - START) / timedelta(days=1), update=update)

    def _plate(self, rules: tuple[AlertRule, ...], until: int) -> Plate:
        """Return the plate with the wells that had begun by a time point."""
        begun = [well for well, known in self._known.items() if min(known) <= until]
        wells = {well: number for number, well in enumerate(begun)}
        return Plate(run=self.run, plate=self.plate, wells=wells, rules=rules)

    def _history(
        self, plate: Plate, lasts: Mapping[tuple[str, str], int], until: int, *, quiet: bool
    ) -> PlateHistory:
        """Return what the store reads of a plate whose frames up to a time point are settled."""
        seen = {well: [at for at in self._known[well] if at <= until] for well in plate.wells}
        newest = {well: max(times) for well, times in seen.items()}
        stepped = {well: stepped_by_all(plate, lasts, well) for well in plate.wells}
        behind = lags(stepped, newest)
        waits = plate.joint and not quiet and must_wait(newest, behind)
        settled = {
            (well, at): self._frames[well, at]
            for well, last in behind.items()
            for at in seen[well]
            if at > last and not waits
        }
        return PlateHistory(
            wells=tuple(plate.wells),
            lasts=lasts,
            newest=newest,
            first=min(self._days),
            settled=settled,
            untried=frozenset(),
            until=None,
        )

    def _facts_then(self, plate: Plate, step: DueStep, now: datetime) -> Iterator[WellFacts]:
        """Yield what is known of wells at the time point of a step, and nothing later."""
        for well in plate.wells:
            if plate.joint or well in step.fresh:
                times = [at for at in self._known[well] if at <= step.time_point]
                if times:
                    yield replace(self._known[well][max(times)], at=now)

    def _facts(self, well: str, moments: Sequence[Moment]) -> dict[int, WellFacts]:
        """Return what rules know of a well at each of its time points."""
        facts: dict[int, WellFacts] = {}
        past = Past()
        for each in outlooks_of(moments, self._policy):
            look = each.moment.look()
            facts[each.moment.time_point] = well_facts(
                self._subject(well),
                START,
                (look,),
                past=past,
                running=each.running,
                forecast=each.forecast,
            )
            past = past.after((look,))
        return facts

    def _subject(self, well: str | None) -> Subject:
        return Subject(run=self.run, plate=self.plate, well=well)
