"""Takes images beyond the plan, once the images of the time point are there, and in time.

    waits --its time point is complete, time is left--> taken --> done
      '--the next time point is due, or would be late--> refused

One at a time, between time points: the scheduler asks every second, so that a time point that is
due never waits for more than the one that is being taken. An image that is on disk is not taken
again, whatever was reported before a kill.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.acquisition.orders import EXTRAS, THIS_DAY, Act, Order, Target
from scopewatch.core.errors import SourceError
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.account import Account
from scopewatch.sources.micromanager.acts.refusal import OrderRefusedError
from scopewatch.sources.micromanager.acts.slack import act_s
from scopewatch.sources.micromanager.events import Event, HeldError
from scopewatch.sources.micromanager.images import Place, events_of
from scopewatch.sources.micromanager.schedule.grid import Grid
from scopewatch.sources.micromanager.schedule.plan_kept import KeptPlan
from scopewatch.sources.micromanager.schedule.time_lapse import TimeLapse

log = get_logger(__name__)

Spot = tuple[str, str, int, str]  # plate, well, site, channel


class WaitsError(Exception):
    """The time of an act has not come."""


class Taker(Protocol):
    """Takes an image in focus. Raises SourceError; HeldError where it was left off."""

    def __call__(self, place: Place, event: Event, *, refocus: bool) -> None:
        """Take it."""
        ...


class ExtraImages:
    """The images beyond the plan of one time-lapse. `order`: any thread, all else by the one.

    Parameters
    ----------
    spots
        The position label and preset of each image that is planned, by what its frame is.
    further
        Preset and event of each further site, by its label.
    due, now
        Return the last time point that was due, and the time of day.
    take
        Takes an image.
    report
        Receives what came of an order.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        spots: Mapping[Spot, tuple[str, str | None]],
        further: Mapping[str, tuple[str, Event]],
        plan: KeptPlan,
        lapse: TimeLapse,
        account: Account,
        *,
        due: Callable[[], int | None],
        now: Callable[[], datetime],
        take: Taker,
        report: Callable[..., None],
    ) -> None:
        self._config = config
        self._spots = dict(spots)
        self._further = further
        self._left: tuple[int, set[str]] = -1, set()
        self._plan = plan
        self._lapse = lapse
        self._account = account
        self._due = due
        self._now = now
        self._take = take
        self._report = report
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def order(self, order: Order) -> bool:
        """Take an order of these kinds; False for any other."""
        if order.act not in EXTRAS:
            return False
        with self._lock:
            if all(order.number != each.number for each in self._orders):
                self._orders.append(order)
        return True

    def work(self) -> None:
        """Take one image of those that wait, and refuse what cannot be taken any more."""
        try:
            if not self._take_order():
                self._take_site()
        except HeldError:
            return  # somebody waits for a pause

    def _take_order(self) -> bool:
        """Take one image that was asked for; True where that was tried."""
        with self._lock:
            waiting = list(self._orders)
        for order in waiting:
            try:
                outcome, target = self._carry_out(order)
            except WaitsError:
                continue
            except HeldError:
                raise
            except OrderRefusedError as error:
                self._end(order, f"refused: {error}", done=False)
            except SourceError as error:
                self._end(order, f"failed: {error}", done=False)
                return True
            except Exception as error:  # a thread boundary: the scheduler must go on
                log.exception("acquisition failed", source=self._config.name)
                self._end(order, f"failed: {type(error).__name__}: {error}", done=False)
                return True
            else:
                self._end(order, outcome, done=True, target=target)
                return True
        return False

    def _take_site(self) -> None:
        """Take one further site of the time point, each tried once."""
        grid, index = self._lapse.grid, self._due()
        if grid is None or index is None or self._lapse.over < index:
            return
        if self._left[0] != index:
            self._left = index, set(self._plan.added(index)) & set(self._further)
        left = self._left[1]
        while left:
            label = min(left)
            left.remove(label)
            preset, event = self._further[label]
            place = index, label, preset or None
            if not self._account.has(place):
                break
        else:
            return
        try:
            self._require_time(grid, index, place, event, again=True)
            axes = {**event["axes"], "time": index}
            self._take(place, {**event, "axes": axes}, refocus=False)
        except HeldError:
            left.add(label)
            raise
        except Exception as error:  # a thread boundary: the scheduler must go on
            if not isinstance(error, SourceError):
                log.exception("acquisition failed", source=self._config.name)
            log.warning(
                "further site was not taken",
                source=self._config.name,
                time_point=index,
                position=label,
                reason=str(error),
            )
        else:
            log.info(
                "further site was taken",
                source=self._config.name,
                time_point=index,
                position=label,
            )

    def _end(self, order: Order, outcome: str, *, done: bool, target: Target | None = None) -> None:
        with self._lock:
            self._orders.remove(order)
        self._report(order, order.act, outcome, done=done, target=target)

    def _carry_out(self, order: Order) -> tuple[str, Target]:
        target, grid, due = order.target, self._lapse.grid, self._due()
        if target is None:
            raise OrderRefusedError("no well is named")
        if grid is None or due is None:
            raise WaitsError
        again = order.act is Act.REIMAGE
        index = target.time_point if again and target.time_point is not None else due
        if again and index != due:
            raise OrderRefusedError(f"time point {index} is over")
        place, event = self._planned(target, index) if again else self._fluorescent(target, index)
        target = replace(target, time_point=index, channel=target.channel or place[2])
        if self._account.has(place, twice=again):
            return f"it is there already: time point {index}", target
        if place[1] in self._plan.skipped(index):
            raise OrderRefusedError("the well is marked dead")
        if not again and self._now() - order.at > THIS_DAY:
            raise OrderRefusedError("no time was left for it on the day of the flag")
        if self._lapse.over < index:
            raise WaitsError
        self._require_time(grid, index, place, event, again=again)
        self._take(place, event, refocus=again)
        return f"taken {'again ' if again else ''}at time point {index}", target

    def _require_time(
        self, grid: Grid, index: int, place: Place, event: Event, *, again: bool
    ) -> None:
        """Refuse, or put off, what could delay the next time point."""
        left_s = (grid.time_of(index + 1) - self._now()).total_seconds()
        planes, exposure_ms = len(self._plan.planes(place)), event.get("exposure", 0.0)
        needed_s = act_s(self._config, exposure_ms, refocus=again, planes=planes)
        if left_s >= needed_s:
            return
        if not again and index + 1 < self._plan.time_points:
            raise WaitsError
        raise OrderRefusedError(
            f"{left_s:.0f} s are left before the next time point, and {needed_s:.0f} s are needed"
        )

    def _planned(self, target: Target, index: int) -> tuple[Place, Event]:
        """Return an image of the plan."""
        spot = target.plate, target.well, target.site or 0, target.channel or ""
        if spot not in self._spots:
            raise OrderRefusedError(f"no image of the plan is {target.text}")
        place = (index, *self._spots[spot])
        return place, events_of(self._config, index)[place]

    def _fluorescent(self, target: Target, index: int) -> tuple[Place, Event]:
        """Return the image of a well's first site in the channel of flagged wells."""
        wanted = self._config.acts.fluorescence_of_flagged
        if wanted is None:
            raise OrderRefusedError("acts.fluorescence_of_flagged of the source is off")
        sites = [
            (site, planned)
            for (plate, well, site, _), planned in self._spots.items()
            if (plate, well) == target.whole_well
        ]
        if not sites:
            raise OrderRefusedError(f"no position of the plan is in {target.text}")
        _, (label, channel) = min(sites, key=lambda each: each[0])
        event = events_of(self._config, index)[(index, label, channel)]
        return (index, label, wanted.preset), {
            **event,
            "axes": {**event["axes"], "channel": wanted.preset},
            "config_group": [wanted.group, wanted.preset],
            "exposure": wanted.exposure_ms,
        }
