"""Laws of the schedule: the evaluated time points, over many orders of arrival."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.monitoring.history import (
    NO_TIME_POINT,
    Plate,
    PlateHistory,
    lags,
    must_wait,
    stepped_by_all,
)
from scopewatch.monitoring.schedule import Due, DueStep, due_steps

UNHURRIED: Final = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
WELLS: Final = ("A1", "A2", "B1")
SINGLE: Final = (
    AlertRule(name="weak"),
    AlertRule(name="dark", kind=RuleKind.UNFIT_FRAMES, wells=("A*",)),
)
JOINT: Final = (
    *SINGLE,
    AlertRule(name="outlier", kind=RuleKind.OUTLIER_WELL),
    AlertRule(name="plate", kind=RuleKind.PLATE_COLLAPSE),
)
RULES: Final = st.sampled_from([SINGLE, JOINT, JOINT[:1] + JOINT[3:]])

Frame = tuple[str, int, int]


@dataclass
class Ledger:
    """The facts of a plate: frames that began, settled frames, and evaluated steps.

    Attributes
    ----------
    steps
        (rule, well, time point) in the order of evaluation; '' is the plate.
    """

    rules: tuple[AlertRule, ...]
    sites: int = 1
    begun: set[Frame] = field(default_factory=set)
    settled: set[Frame] = field(default_factory=set)
    untried: set[Frame] = field(default_factory=set)
    steps: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def plate(self) -> Plate:
        wells = {well: number for number, well in enumerate(WELLS)}
        return Plate(run="run 7", plate="p1", wells=wells, rules=self.rules)

    @property
    def lasts(self) -> dict[tuple[str, str], int]:
        return {(rule, well): time_point for rule, well, time_point in self.steps}

    def history(
        self, window: int, only: str | None = None, after: int | None = None
    ) -> PlateHistory:
        """Return the history as the database gives it, a few time points at a time."""
        wells = WELLS if self.plate.joint or only is None else (only,)
        newest = {
            well: max(at for name, at, _ in self.begun if name == well)
            for well in wells
            if any(name == well for name, *_ in self.begun)
        }
        stepped = {well: stepped_by_all(self.plate, self.lasts, well) for well in wells}
        behind = {
            well: last if after is None else max(last, after)
            for well, last in lags(stepped, newest).items()
        }
        pending = {
            (name, at): sum((name, at, site) in self.settled for site in range(self.sites))
            for name, at, _ in self.begun
            if name in behind and at > behind[name]
        }
        until = min((at for _, at in pending), default=0) + window - 1
        return PlateHistory(
            wells=wells,
            lasts=self.lasts,
            newest=newest,
            first=min((at for name, at, _ in self.begun if name in wells), default=0),
            settled={key: count for key, count in pending.items() if key[1] <= until},
            untried=frozenset(at for _, at, _ in self.untried if at <= until),
            until=until if any(at > until for _, at in pending) else None,
        )

    def take(self, step: DueStep) -> None:
        for rule in step.rules:
            wells = [""] if rule.kind.of_a_plate and step.whole else sorted(step.fresh)
            if rule.kind.of_a_plate and not step.whole:
                continue
            self.steps += [(rule.name, well, step.time_point) for well in wells]

    def due(self, window: int, *, quiet: bool, only: str | None = None) -> Iterator[DueStep]:
        """Take steps as long as any is due, as the store does."""
        after = None
        while True:
            history = self.history(window, only, after)
            due: Due = due_steps(self.plate, history, sites_per_well=self.sites, quiet=quiet)
            yield from due.steps
            if due.waiting or history.until is None:
                return
            after = history.until

    def catch_up(self, window: int, *, quiet: bool = False, most: int = 10**6) -> None:
        """Take steps until none is due, or a batch is over."""
        for _ in range(most):
            step = next(self.due(window, quiet=quiet), None)
            if step is None:
                return
            self.take(step)


def plain_steps(ledger: Ledger, *, quiet: bool) -> list[DueStep]:
    """Return the due steps by a direct search over all time points, without a window."""
    plate, lasts, sites = ledger.plate, ledger.lasts, ledger.sites
    newest = {
        well: max(at for name, at, _ in ledger.begun if name == well)
        for well in WELLS
        if any(name == well for name, *_ in ledger.begun)
    }
    first = min((at for _, at, _ in ledger.begun), default=0)
    top = max(newest.values(), default=NO_TIME_POINT)
    of_wells = [rule for rule in plate.rules if rule.kind.of_a_well]
    of_plate = tuple(rule for rule in plate.rules if rule.kind.of_a_plate)
    pending: dict[tuple[str, int], int] = {}
    for name, at, _ in ledger.begun:
        stepped = [
            lasts.get((rule.name, name), NO_TIME_POINT)
            for rule in of_wells
            if plate.covers(rule, name)
        ]
        if stepped and at > min(stepped):
            pending[name, at] = sum((name, at, site) in ledger.settled for site in range(sites))

    def complete(name: str, at: int) -> bool:
        return newest[name] > at or (newest[name] == at and pending.get((name, at), sites) >= sites)

    looked = max((lasts.get((rule.name, ""), NO_TIME_POINT) for rule in of_plate), default=-1)
    steps: list[DueStep] = []
    for at in sorted({at for _, at in pending}):
        along = [name for name in newest if newest[name] >= at - 1]
        tried = at not in {time_point for _, time_point, _ in ledger.untried}
        whole = quiet or (
            tried and (at < top or (at > first and all(complete(name, at) for name in along)))
        )
        if plate.joint and not whole:
            break
        ready = [
            name
            for (name, moment), settled in pending.items()
            if moment == at and settled > 0 and (quiet or complete(name, at))
        ]
        groups: dict[frozenset[str], list[AlertRule]] = {}
        for rule in of_wells:
            fresh = frozenset(
                name
                for name in ready
                if plate.covers(rule, name) and lasts.get((rule.name, name), -1) < at
            )
            if fresh:
                groups.setdefault(fresh, []).append(rule)
        for fresh, rules in sorted(groups.items(), key=lambda group: -len(group[0])):
            steps.append(
                DueStep(time_point=at, rules=(*rules, *of_plate), fresh=fresh, whole=looked < at)
            )
            looked = max(looked, at)
    return steps


FRAMES: Final = st.lists(
    st.tuples(st.sampled_from(WELLS), st.integers(0, 9), st.integers(0, 1)),
    unique=True,
    max_size=40,
)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Draw any state of a plate, rules that are new or behind included."""
    rules = draw(RULES)
    sites = draw(st.integers(1, 2))
    begun = {frame for frame in draw(FRAMES) if frame[2] < sites}
    settled = {frame for frame in begun if draw(st.integers(0, 5))}
    ledger = Ledger(rules=rules, sites=sites, begun=begun, settled=settled)
    for rule in rules:
        for well in ("", *WELLS):
            if draw(st.booleans()):
                ledger.steps.append((rule.name, well, draw(st.integers(0, 9))))
    ledger.untried = {
        frame for frame in begun - settled if ledger.plate.joint and draw(st.integers(0, 3)) == 0
    }
    return ledger


@UNHURRIED
@given(ledger=ledgers(), window=st.integers(1, 4), quiet=st.booleans())
def test_what_is_due_is_the_same_however_few_time_points_are_read_at_once(
    ledger: Ledger, window: int, quiet: bool
) -> None:
    plain = replace(ledger, steps=list(ledger.steps))
    for step in plain_steps(plain, quiet=quiet):
        plain.take(step)
    ledger.catch_up(window, quiet=quiet)
    assert ledger.steps == plain.steps


@UNHURRIED
@given(
    rules=RULES,
    sites=st.integers(1, 2),
    frames=FRAMES,
    window=st.integers(1, 4),
    data=st.data(),
)
def test_each_complete_time_point_is_stepped_exactly_once_in_order_whatever_the_order_of_arrival(
    rules: tuple[AlertRule, ...],
    sites: int,
    frames: list[Frame],
    window: int,
    data: st.DataObject,
) -> None:
    ledger = Ledger(rules=rules, sites=sites)
    # The number of steps before a time point of a well could be evaluated.
    settled_at: dict[tuple[str, int], int] = {}
    for well, at, site in frames:
        if site >= sites:
            continue
        ledger.begun.add((well, at, site))
        if data.draw(st.integers(0, 7)):
            ledger.settled.add((well, at, site))
            settled_at.setdefault((well, at), len(ledger.steps))
        # Sometimes a batch ends before all due steps were taken.
        ledger.catch_up(window, most=data.draw(st.sampled_from([0, 1, 10**6])))
    ledger.catch_up(window, quiet=True)
    for rule in rules:
        for well in ("", *WELLS):
            stepped = [at for name, where, at in ledger.steps if (name, where) == (rule.name, well)]
            assert stepped == sorted(set(stepped)), "once, and in order"
    for rule in rules:
        for well in WELLS:
            if not ledger.plate.covers(rule, well):
                continue
            taken = [
                (place, at)
                for place, (name, where, at) in enumerate(ledger.steps)
                if (name, where) == (rule.name, well)
            ]
            for (where, at), known in settled_at.items():
                missing = where == well and at not in [each for _, each in taken]
                if missing:
                    # It came after a later time point was evaluated: it is not evaluated any more.
                    assert any(place < known and later > at for place, later in taken)


@UNHURRIED
@given(ledger=ledgers())
def test_a_plate_that_must_wait_waits_for_any_settled_frames(ledger: Ledger) -> None:
    plate = ledger.plate
    newest = {
        well: max(at for name, at, _ in ledger.begun if name == well)
        for well in WELLS
        if any(name == well for name, *_ in ledger.begun)
    }
    stepped = {well: stepped_by_all(plate, ledger.lasts, well) for well in WELLS}
    behind = lags(stepped, newest)
    if plate.joint and behind and must_wait(newest, behind):
        for settled in (ledger.settled, ledger.begun, set()):
            history = replace(ledger, settled=settled).history(10)
            due = due_steps(plate, history, sites_per_well=ledger.sites, quiet=False)
            assert due == Due(steps=(), waiting=True)
