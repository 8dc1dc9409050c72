"""Fakes of the worker's collaborators, each with a switch for its failures."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

import numpy as np

from scopewatch.core.errors import SourceError, StoreError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.fluorescence import FluorescenceReading
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.moment import Moment
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.core.source import Inbox, KnownFolder, Ledger, SourceHealth
from scopewatch.core.tickets import FrameTicket, Mark, Refusal, RetryRequest
from scopewatch.messages.settled import Settled
from scopewatch.runtime.pipeline.outcome import FrameReport

SEEN_AT = datetime(2026, 3, 1, 8, 59, 58, tzinfo=UTC)


def make_key(well: str = "A1", time_point: int = 0, channel: str = "phase") -> FrameKey:
    return FrameKey(
        run="run 1",
        plate="p1",
        well=well,
        site=0,
        time_point=time_point,
        channel=channel,
    )


def make_ticket(
    locator: str = "a.tif",
    *,
    fingerprint: str = "1",
    channel: str = "phase",
    time_point: int = 0,
) -> FrameTicket:
    return FrameTicket(
        key=make_key(time_point=time_point, channel=channel),
        source="folder",
        locator=locator,
        fingerprint=fingerprint,
        seen_at=SEEN_AT,
    )


def make_refusal(locator: str = "notes.tif") -> Refusal:
    return Refusal(
        source="folder",
        locator=locator,
        fingerprint="1",
        reason="file name does not match",
        seen_at=SEEN_AT,
    )


def make_frame(ticket: FrameTicket) -> Frame:
    pixels = np.full((64, 64), 1000, dtype=np.uint16)
    return Frame(key=ticket.key, pixels=pixels, pixel_size_um=1.0, acquired_at=None)


def make_result(frame: Frame, fault: Fault | None = None) -> FrameResult:
    grid = TileGrid(height=64, width=64, tile_px=32)
    scores = TileScores(
        grid=grid,
        probability=np.full((2, 2), 0.5, dtype=np.float32),
        valid=np.ones((2, 2), dtype=bool),
    )
    judged = fault is None
    return FrameResult(
        key=frame.key,
        model_id="0" * 12,
        verdict=Verdict(fault=fault, reason="" if judged else "frame is blank", measures={}),
        scores=scores if judged else None,
        positive_fraction=0.5 if judged else None,
        efficiency=Efficiency(value=0.6, low=0.5, high=0.7, corrected=True) if judged else None,
        view=None,
        timings=Timings(normalise_ms=1, score_ms=2, total_ms=3),
    )


class FakeSource:
    """A source of given frames; raises the errors in `failures` for a locator, one by one."""

    def __init__(self, name: str = "folder") -> None:
        self.name = name
        self.failures: dict[str, list[Exception]] = {}
        self.start_failures: list[SourceError] = []
        self.alive = True
        self.failing = ""
        self.started = self.stopped = self.scans = 0
        self.on_scan: Callable[[Inbox, Ledger], None] | None = None
        self.asked: list[RetryRequest] = []
        self.room = 100

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        if self.start_failures:
            raise self.start_failures.pop(0)
        self.started += 1
        self.alive = True
        self._inbox, self._ledger = inbox, ledger

    def scan(self) -> None:
        self.scans += 1
        if self.on_scan is not None:
            self.on_scan(self._inbox, self._ledger)

    def load(self, ticket: FrameTicket) -> Frame:
        waiting = self.failures.get(ticket.locator)
        if waiting:
            raise waiting.pop(0)
        return make_frame(ticket)

    def retry(self, asked: Sequence[RetryRequest]) -> int:
        taken = asked[: self.room]
        self.asked += taken
        return len(taken)

    def health(self) -> SourceHealth:
        return SourceHealth(
            name=self.name,
            alive=self.alive,
            detail="watching" if self.alive else "observer died",
            found=7,
            waiting=2,
            failing=self.failing,
        )

    def stop(self) -> None:
        self.stopped += 1


class FakeStore:
    """A store that keeps lists. `failures` maps a method's name to errors raised one by one."""

    def __init__(self) -> None:
        self.claims: list[FrameTicket] = []
        self.commits: list[FrameTicket] = []
        self.quarantined: list[tuple[str, str, str]] = []
        self.skipped: list[tuple[str, str]] = []
        self.refused: list[Refusal] = []
        self.measured: list[str] = []
        self.shape: tuple[int, int] | None = None
        self.done: set[tuple[str, str]] = set()
        self.acquisitions: dict[tuple[str, str], list[str]] = {}
        self.folders: dict[tuple[str, str], KnownFolder] = {}
        self.retimed: dict[str, Moment] = {}
        self.renamed = False
        self.given_up: list[FrameTicket] = []
        self.asked_for_given_up = 0
        self.failures: dict[str, list[StoreError]] = {}
        self.broken: StoreError | None = None

    def acquisition(self, source: str, label: str, identity: str) -> int:
        seen = self.acquisitions.setdefault((source, label), [])
        if identity not in seen:
            seen.append(identity)
        return seen.index(identity) + 1

    def known_folder(self, source: str, path: str) -> KnownFolder | None:
        self._fail("known_folder")
        return self.folders.get((source, path))

    def record_folder(self, source: str, path: str, folder: KnownFolder) -> None:
        self._fail("record_folder")
        self.folders[source, path] = folder

    def names_changed(self, source: str) -> bool:
        self._fail("names_changed")
        return bool(source) and self.renamed

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        return {mark.locator for mark in found if (mark.locator, mark.fingerprint) in self.done}

    def claim(self, ticket: FrameTicket) -> bool:
        self._fail("claim")
        if (ticket.locator, ticket.fingerprint) in self.done:
            return False
        self.claims.append(ticket)
        return True

    def second_try(self, sources: Collection[str]) -> FrameTicket | None:
        self._fail("second_try")
        self.asked_for_given_up += 1
        if not self.given_up or self.given_up[0].source not in sources:
            return None
        return self.given_up.pop(0)

    def retime(self, ticket: FrameTicket) -> bool:
        self._fail("retime")
        better = ticket.moment.updates(self.retimed.get(ticket.locator, Moment()))
        self.retimed[ticket.locator] = ticket.moment
        return better

    def commit(
        self, ticket: FrameTicket, frame: Frame, result: FrameResult, files: OverlayFiles
    ) -> Settled:
        self._fail("commit")
        self.commits.append(ticket)
        self.done.add((ticket.locator, ticket.fingerprint))
        return Settled(key=ticket.key, quarantined=None, alerts=())

    def quarantine(self, ticket: FrameTicket, fault: str, reason: str) -> Settled:
        self._fail("quarantine")
        self.quarantined.append((ticket.locator, str(fault), reason))
        self.done.add((ticket.locator, ticket.fingerprint))
        return Settled(key=ticket.key, quarantined=reason, alerts=())

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        self._fail("phase_shape")
        return self.shape

    def measure(self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading) -> Settled:
        self._fail("measure")
        self.measured.append(ticket.locator)
        self.done.add((ticket.locator, ticket.fingerprint))
        return Settled(key=ticket.key, quarantined=None, alerts=())

    def skip(self, ticket: FrameTicket, reason: str) -> None:
        self._fail("skip")
        self.skipped.append((ticket.locator, reason))

    def refuse(self, refusal: Refusal) -> None:
        self._fail("refuse")
        self.refused.append(refusal)

    def _fail(self, method: str) -> None:
        if self.broken is not None:
            raise self.broken
        waiting = self.failures.get(method)
        if waiting:
            raise waiting.pop(0)


class FakeOverlays:
    """Unwritten overlays; raises the errors in `failures` for a time point, one by one."""

    def __init__(self) -> None:
        self.failures: dict[int, list[StoreError]] = {}
        self.stuck: StoreError | None = None
        self.drawn: list[FrameTicket] = []
        self.discarded: list[FrameKey] = []
        self.named: list[OverlayFiles | None] = []

    def discard(self, key: FrameKey, named: OverlayFiles | None = None) -> int:
        if self.stuck is not None:
            raise self.stuck
        self.discarded.append(key)
        self.named.append(named)
        return 1

    def write(self, ticket: FrameTicket, frame: Frame, result: FrameResult) -> OverlayFiles:
        waiting = self.failures.get(frame.key.time_point)
        if waiting:
            raise waiting.pop(0)
        self.drawn.append(ticket)
        return OverlayFiles(overlay="run/A1/x.jpg", stain=None)


class Listener:
    """A listener that keeps reports and failed steps."""

    def __init__(self) -> None:
        self.reports: list[FrameReport] = []
        self.failures: list[str] = []

    def ended(self, report: FrameReport) -> None:
        self.reports.append(report)

    def failed(self, step: str) -> None:
        self.failures.append(step)
