"""What people ask of a time-lapse while it goes on: pause, resume, a time point now, medium change.

    goes on --pause----> paused --resume--> goes on
       '-----medium----> objective away, waits --resume, or its time is over--> back, goes on

Orders come from any thread and are carried out by the one that acquires, between images. Time
points that pass meanwhile are gaps that name who paused; one that is still due is taken after it.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import HOLDS, ITSELF, WELL_ACTS, Act, Order, Report, Target
from scopewatch.core.acquisition.standing import Held
from scopewatch.core.errors import SourceError
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.acts.refusal import OrderRefusedError
from scopewatch.sources.micromanager.focus.drive import Drive

log = get_logger(__name__)

MOST_KEPT: Final = 1000
_AGAIN: Final = timedelta(minutes=1)


class TimeLapseHands(Protocol):
    """What steering needs of the time-lapse; used by the thread that acquires."""

    def drive(self) -> Drive:
        """Return the focus drive. Raises SourceError where the microscope is away."""
        ...

    def put_between(self) -> int:
        """Put a time point in between, due now; return it. Raises OrderRefusedError."""
        ...

    @property
    def is_prepared(self) -> bool:
        """Whether the plan is taken up."""
        ...

    def due_by_now(self) -> int | None:
        """Return the last time point that was due; None before the first."""
        ...

    def skip(self, act: Act, target: Target) -> tuple[str, Target]:
        """Do what is wanted of a well; return the outcome, and the well with its plate.

        Raises OrderRefusedError.
        """
        ...


class Steering:
    """The orders to one time-lapse, and what holds it. `take`, `reports`: any thread."""

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        hands: TimeLapseHands,
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._name = config.name
        self._hands = hands
        self._now = now
        self._lock = threading.Lock()
        self._orders: deque[Order] = deque()
        self._reports: deque[Report] = deque(maxlen=MOST_KEPT)
        self.hold: Held | None = None

    @property
    def why(self) -> str:
        """Why nothing is acquired; '' where it goes on."""
        hold = self.hold
        return "" if hold is None else hold.why

    def wanted(self) -> bool:
        """Tell whether somebody waits for a pause: no further image is to be begun."""
        with self._lock:
            return any(order.act in HOLDS for order in self._orders)

    def restore(self, entry: JournalEntry | None) -> None:
        """Go on being held, as it was before a restart or a reload."""
        if entry is None or entry.done_at is None:
            self.hold = None
            return
        self.hold = self._held(entry.act, entry.by, entry.done_at, entry.height_um)

    def take(self, order: Order) -> None:
        """Take an order; it is carried out by the thread that acquires."""
        with self._lock:
            if all(order.number != each.number for each in self._orders):
                self._orders.append(order)

    def reports(self) -> list[Report]:
        """Return what was not asked for yet of all that came of orders, and forget it."""
        with self._lock:
            standings = list(self._reports)
            self._reports.clear()
        return standings

    def note(self, outcome: str) -> None:
        """Enter something that happened of its own accord."""
        self.report(None, Act.NOTE, outcome, done=True)

    def work(self) -> None:
        """Carry out what was asked for; never raises."""
        while (order := self._next()) is not None:
            target = order.target
            try:
                if order.act in WELL_ACTS:
                    outcome, target = self._skip(order)
                else:
                    outcome = self._carry_out(order)
            except OrderRefusedError as error:
                self.report(order, order.act, f"refused: {error}", done=False)
            except SourceError as error:
                self.report(order, order.act, f"failed: {error}", done=False)
            else:
                height = None if self.hold is None else self.hold.height_um
                self.report(order, order.act, outcome, done=True, height_um=height, target=target)
        self._end_in_time()

    def _next(self) -> Order | None:
        with self._lock:
            for order in self._orders:
                # Before the plan is taken up it would seem that nothing has begun.
                if order.act not in WELL_ACTS or self._hands.is_prepared:
                    self._orders.remove(order)
                    return order
            return None

    def _skip(self, order: Order) -> tuple[str, Target]:
        """Do what is wanted of a well; a pause does not matter."""
        if order.target is None:
            raise OrderRefusedError("no well is named")
        return self._hands.skip(order.act, order.target)

    def _carry_out(self, order: Order) -> str:
        hold = self.hold
        if order.act is Act.RESUME:
            if hold is None:
                raise OrderRefusedError("it is not paused")
            return self._resume(hold)
        if hold is not None and (order.act is not Act.MEDIUM or hold.act is Act.MEDIUM):
            raise OrderRefusedError(hold.why)
        if order.act is Act.NOW:
            return f"time point {self._hands.put_between()}"
        height_um = self._lift() if order.act is Act.MEDIUM else None
        self.hold = self._held(order.act, order.by, self._now(), height_um)
        if height_um is None:
            return "paused"
        return f"objective moved from {height_um:g} to {self._config.medium.lift_to_um:g} um"

    def _lift(self) -> float:
        lift_to_um = self._config.medium.lift_to_um
        if lift_to_um is None:
            raise OrderRefusedError("medium.lift_to_um of the source says no height to move to")
        drive = self._hands.drive()
        height_um = drive.height_um()
        drive.go_to(lift_to_um)
        return height_um

    def _resume(self, hold: Held) -> str:
        back = "goes on"
        if hold.height_um is not None:
            self._hands.drive().go_to(hold.height_um)
            back = f"objective back at {hold.height_um:g} um, goes on"
        self.hold = None
        return back

    def _end_in_time(self) -> None:
        hold, now = self.hold, self._now()
        if hold is None or hold.until is None or now < hold.until:
            return
        try:
            outcome = self._resume(hold)
        except SourceError as error:
            self.hold = replace(hold, until=now + _AGAIN)
            self.report(None, Act.RESUME, f"failed: {error}", done=False)
        else:
            self.report(None, Act.RESUME, f"its time is over: {outcome}", done=True)

    def _held(self, act: Act, by: str, since: datetime, height_um: float | None) -> Held:
        wait_min = self._config.medium.wait_min if act is Act.MEDIUM else None
        until = None if wait_min is None else since + timedelta(minutes=wait_min)
        return Held(act=act, by=by, since=since, height_um=height_um, until=until)

    def report(
        self,
        order: Order | None,
        act: Act,
        outcome: str,
        *,
        done: bool,
        height_um: float | None = None,
        target: Target | None = None,
    ) -> None:
        """Note what came of an order, or what happened of its own accord."""
        report = Report(
            number=None if order is None else order.number,
            act=act,
            at=self._now(),
            done=done,
            outcome=outcome,
            height_um=height_um,
            time_point=self._hands.due_by_now(),
            target=target,
        )
        with self._lock:
            self._reports.append(report)
        if act is Act.NOTE:
            return  # what happened has its own event
        event = {
            "source": self._name,
            "act": act.value,
            "by": ITSELF if order is None else order.by,
            "outcome": outcome,
        }
        about = target or (None if order is None else order.target)
        if about is not None:
            event["target"] = about.text
        if order is not None and order.reason:
            event["reason"] = order.reason
        if done:
            log.info("time-lapse was steered", **event)
        else:
            log.warning("time-lapse was not steered", **event)
