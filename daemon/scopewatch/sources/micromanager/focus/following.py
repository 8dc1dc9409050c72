"""The focus follows the sharpest planes of z-stacks: no device finds it.

The planes that are chosen at a time point move all positions of the next one by the median of how
far they lie from the planned heights, so that one empty well, or one speck of dust, moves nothing.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from statistics import median
from types import MappingProxyType

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.focus.kept import FocusKept, FocusPass

log = get_logger(__name__)

# Those of a plate of 1536 wells; what comes beyond it is not followed.
_MOST_SEEN = 10_000


class Following:
    """Planes that were chosen, and what the focus makes of them.

    `saw`: any thread; `follow`: the one that acquires.
    """

    def __init__(self, config: MicroManagerSourceConfig) -> None:
        self._config = config
        self._positions = {each.label: each for each in config.positions}
        self._above_um = next((each.z_offset_um for each in config.channels if each.in_z_stack), 0)
        self._follows = config.focus.method == "z-stack"
        self._lock = threading.Lock()
        self._seen: list[tuple[int, str, float]] = []
        self._time_point = -1
        self._heights_um: dict[str, float] = {}

    def saw(self, time_point: int, label: str, height_um: float) -> None:
        """Note the height of the plane that was chosen at a position."""
        with self._lock:
            if self._follows and label in self._positions and len(self._seen) < _MOST_SEEN:
                self._seen.append((time_point, label, height_um))

    def follow(
        self,
        kept: FocusKept,
        over: int,
        now: Callable[[], datetime],
        notify: Callable[[str], None],
    ) -> FocusKept:
        """Return what is known of the focus once the planes of time points that are over count.

        A time point that is being taken is not moved.

        Parameters
        ----------
        over
            The last time point that is over.
        notify
            Receives why the focus does not follow.
        """
        with self._lock:
            ready = [each for each in self._seen if each[0] <= over]
            self._seen = [each for each in self._seen if each[0] > over]
        newest = max((each[0] for each in ready), default=-1)
        done = max((each.time_point for each in kept.passes), default=-1)
        if newest < max(done, 0) or not kept.knows_planned_um(self._positions.values()):
            # Frames of earlier time points, which are loaded again; or of another program's plan.
            return kept
        if newest != self._time_point:
            self._time_point, self._heights_um = newest, {}
        self._heights_um |= {label: at for time_point, label, at in ready if time_point == newest}
        return self._moved(kept, newest, now(), notify)

    def _moved(
        self, kept: FocusKept, time_point: int, now: datetime, notify: Callable[[str], None]
    ) -> FocusKept:
        focus, kept = self._config.focus, kept.without_pass(time_point)
        before = kept.drift_um or 0.0
        drift_um = median(
            at - self._above_um - kept.planned_um(self._positions[label])
            for label, at in self._heights_um.items()
        )
        failed: Mapping[str, str] = {}
        if abs(drift_um - before) > focus.max_step_um or abs(drift_um) > focus.max_drift_um:
            why = (
                f"sharpest planes lie {drift_um:+.2f} um from the plan, {drift_um - before:+.2f} um"
                " from the last ones, beyond what the focus may: max_step_um, max_drift_um"
            )
            failed = {next(iter(self._heights_um)): why}
            notify(f"focus does not follow time point {time_point}: {why}")
        else:
            kept = kept.with_found(list(self._positions.values()), drift_um, time_point)
        done = FocusPass(
            time_point=time_point,
            at=now,
            focused=0 if failed else len(self._heights_um),
            drift_um=None if failed else drift_um,
            failed=MappingProxyType(failed),
        )
        log.info(
            "focus follows the sharpest planes",
            source=self._config.name,
            time_point=time_point,
            drift_um=round(drift_um, 2),
            found=done.focused,
        )
        return kept.passed(done)
