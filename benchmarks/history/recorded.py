"""A run recorded frame by frame through the store, as the daemon records it.

Time points come one after the other on a clock that is set: each frame is claimed and committed (or
quarantined), rules step, messages are delivered, time passes for plates. Some files are no frames,
a time-lapse writes its journal, and on the final day fluorescence measures the wells.
"""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Final

import numpy as np
from sqlalchemy import event

from benchmarks.history.made_up import GRID, course_of, measures_of, tiles_of
from benchmarks.history.script import MARKER, SOURCE, Script
from benchmarks.set_clock import SetClock
from scopewatch.app.model import mark_simulated
from scopewatch.app.recording.store import Store
from scopewatch.app.results import open_store
from scopewatch.config import Config
from scopewatch.core.acquisition.orders import Act, Report
from scopewatch.core.imaging.efficiency import correct
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.histogram import BINS
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.store.read.liveness import PICTURES_REMOVED

PLATE: Final = "p1"
PHASE: Final = "phase"
UNFIT: Final = 0.01
# Every so many time points something else happens, too.
TIME_PASSES_EVERY: Final = 4
REFUSED_EVERY: Final = 25
NOTED_EVERY: Final = 20


class Recording:
    """Records a script through the store of a configuration.

    Parameters
    ----------
    held
        Closes the store.
    durable
        Whether each commit waits for the disk; nobody needs that of a history that is made up.
    """

    def __init__(
        self,
        config: Config,
        card: ModelCard,
        script: Script,
        held: ExitStack,
        *,
        durable: bool = True,
    ) -> None:
        self.script = script
        self.clock = SetClock(script.began_at)
        self._card = card
        self.store: Store = open_store(mark_simulated(config, card), card, self.clock, held)
        if not durable:
            event.listen(
                self.store._writer, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF")
            )
            self.store._writer.dispose()
        random = np.random.default_rng(script.seed)
        self._courses = [course_of(random, script.time_points, script.days) for _ in script.names]
        self._random = random

    def take(self, time_point: int) -> None:
        """Record the frames of a time point, and what else happens then."""
        script = self.script
        for number, well in enumerate(script.names):
            self.clock.wall = script.taken_at(time_point) + timedelta(seconds=2 * number)
            ticket = self.ticket(well, time_point)
            self.store.claim(ticket)
            if self._random.random() < UNFIT:
                self.store.quarantine(ticket, "blank", f"frame is blank: contrast (got {number})")
            else:
                frame, result, files = self.judged(ticket, self._level(number, time_point))
                self.store.commit(ticket, frame, result, files)
        if time_point % TIME_PASSES_EVERY == 0:
            self.store.let_time_pass()
        if time_point % REFUSED_EVERY == 0:
            self._refuse(time_point)
        if time_point % NOTED_EVERY == 0:
            self._note(time_point)
        self._deliver()
        self.store.record_liveness(PICTURES_REMOVED, self.clock.wall)

    def measure(self, time_point: int) -> None:
        """Record a fluorescence frame of each well, taken with a time point of the final day."""
        for number, well in enumerate(self.script.names):
            ticket = self.ticket(well, time_point, MARKER)
            self.store.claim(ticket)
            self.store.measure(ticket, self._frame(ticket), self._reading(number))

    def ticket(self, well: str, time_point: int, channel: str = PHASE) -> FrameTicket:
        """Return the ticket of a frame that is seen now."""
        run = self.script.run
        key = FrameKey(
            run=run, plate=PLATE, well=well, site=0, time_point=time_point, channel=channel
        )
        name = f"{PLATE}_{well}_s0_t{time_point:04d}_{channel}.tif"
        return FrameTicket(
            key=key,
            source=SOURCE,
            locator=f"/data/microscope/{run}/t{time_point:04d}/{name}",
            fingerprint=f"{8_389_608 + time_point}-{1_700_000_000 + time_point}",
            seen_at=self.clock.wall,
        )

    def judged(self, ticket: FrameTicket, level: float) -> tuple[Frame, FrameResult, OverlayFiles]:
        """Return a frame with its result, and the names of its pictures."""
        random, key, card = self._random, ticket.key, self._card
        raw = float(np.clip(level + random.normal(0, 0.02), 0, 1))
        scores = tiles_of(random)
        result = FrameResult(
            key=key,
            model_id=card.model_id,
            verdict=Verdict(fault=None, reason="", measures=measures_of(raw, random)),
            scores=scores,
            positive_fraction=raw,
            efficiency=correct(raw, card.errors.rates() if card.errors else None),
            view=np.zeros((GRID.height, GRID.width), dtype=np.float32),
            timings=Timings(normalise_ms=31.5, score_ms=124.25, total_ms=160.125),
            view_um_per_px=1.3,
        )
        stem = f"{key.run}/{key.well}/{key.plate}_t{key.time_point:04d}_s0"
        files = OverlayFiles(overlay=f"{stem}.jpg", stain=f"{stem}_stain.ome.tif")
        return self._frame(ticket), result, files

    def _level(self, number: int, time_point: int) -> float:
        """Return the share of positive tiles of a well; it stays after the last time point."""
        course = self._courses[number]
        return course[min(time_point, len(course) - 1)]

    def _frame(self, ticket: FrameTicket) -> Frame:
        pixels = np.zeros((GRID.height, GRID.width), dtype=np.uint16)
        return Frame(key=ticket.key, pixels=pixels, pixel_size_um=1.3, acquired_at=self.clock.wall)

    def _reading(self, number: int) -> FluorescenceReading:
        random = self._random
        share = self._level(number, self.script.time_points)
        bright = random.random(GRID.shape) < share
        levels = np.where(bright, 800.0, 20.0) + random.normal(0, 5, GRID.shape)
        counts = np.zeros(BINS, dtype=np.int64)
        counts[200:300] = random.integers(100, 10_000, 100)
        return FluorescenceReading(
            grid=GRID,
            maybe=(levels + 1).astype(np.float32),
            positive=levels.astype(np.float32),
            histogram=counts,
            noise=4.5,
        )

    def _deliver(self) -> None:
        now = self.clock.wall
        for message in self.store.due(now, 100):
            self.store.delivered(message.row, now)

    def _refuse(self, time_point: int) -> None:
        run = self.script.run
        self.store.refuse(
            Refusal(
                source=SOURCE,
                locator=f"/data/microscope/{run}/t{time_point:04d}/overview.tif",
                fingerprint="1-1",
                reason="file name does not say which well it is of",
                seen_at=self.clock.wall,
            )
        )

    def _note(self, time_point: int) -> None:
        run, now = self.script.run, self.clock.wall
        number = self.store.order(SOURCE, run, Act.PAUSE, "dashboard, 127.0.0.1", reason="feeding")
        self.store.begin_order(number)
        reports = [
            Report(number=given, act=act, at=now, done=True, outcome="", time_point=time_point)
            for given, act in ((number, Act.PAUSE), (None, Act.RESUME))
        ]
        self.store.report(SOURCE, run, reports)


def record(
    config: Config,
    card: ModelCard,
    script: Script,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Record a run and the fluorescence of its last day.

    Parameters
    ----------
    progress
        Called with the number of time points after each.
    """
    with ExitStack() as held:
        recording = Recording(config, card, script, held, durable=False)
        for time_point in range(script.time_points):
            recording.take(time_point)
            progress(time_point + 1)
        recording.measure(script.time_points - 1)
