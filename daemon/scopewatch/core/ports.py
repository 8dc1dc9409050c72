"""What the layers above the core expect of each other.

Siblings (sources, inference, store, notify, runtime, web) never import one another; they meet
here, and `app.py` plugs them together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.alert import AlertRule
from scopewatch.core.card import ModelCard
from scopewatch.core.fluorescence import FluorescenceReading
from scopewatch.core.frame import Frame, FrameKey, FrameTicket, LookAgain, Mark, Refusal
from scopewatch.core.message import Message
from scopewatch.core.result import FrameResult


class Clock(Protocol):
    """Time comes in through here, so that tests own it."""

    def now(self) -> datetime:
        """Return the time of day, aware UTC: for records."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump: for durations."""
        ...

    def steady(self) -> float:
        """Return seconds that never jump and go on while the machine sleeps: for the experiment's.

        Cells and cameras go on meanwhile, the daemon's own waits do not.
        """
        ...


class Scorer(Protocol):
    """Scores a normalised frame; the one owner of an interpreter, used by one thread."""

    @property
    def card(self) -> ModelCard:
        """The card of the bundle that scores."""
        ...

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map a (H, W) normalised frame to (rows, cols) float32 probabilities.

        rows and cols count partial tiles: ceil(H / tile_px), ceil(W / tile_px).
        """
        ...

    def close(self) -> None:
        """Give back the memory and threads of the interpreter; nothing is scored afterwards."""
        ...


class Inbox(Protocol):
    """Where sources put what they found. Neither method blocks or raises."""

    def offer(self, ticket: FrameTicket) -> bool:
        """Take a ticket; False when full (a file waits on disk and is offered again)."""
        ...

    def refuse(self, refusal: Refusal) -> bool:
        """Take note of something that cannot become a frame; False when full."""
        ...


class Arrivals(Protocol):
    """Told of images as the microscope saves them. No method blocks or raises; any thread."""

    def begins(self, source: str) -> None:
        """Note that something is being written, nobody knows yet how much and how fast."""
        ...

    def came(self, source: str, images: int, over_s: float) -> None:
        """Note that a source saw so many images saved within the last `over_s` seconds.

        What was there already when the source began to look is no arrival. 0 for `over_s` is an
        image just now.
        """
        ...

    def goes_on(self, source: str) -> None:
        """Note that images still come as they did when they were counted last."""
        ...

    def over(self, source: str) -> None:
        """Note that nothing more comes of a source for now."""
        ...

    def bursting(self, source: str) -> bool:
        """Whether they come so fast that scoring waits: the source then spares the machine too."""
        ...


class Ledger(Protocol):
    """What already happened, so that nothing is offered twice over restarts."""

    def settled(self, source: str, found: Sequence[Mark]) -> set[str]:
        """Of what a source found, return the locators that need no more work.

        A frame needs work again where its content changed, where `found` says when it was taken
        and that was not known, or known otherwise, and where it was refused or could not be judged
        under other settings, or by another model, than there are now.
        """
        ...

    def names_changed(self, source: str) -> bool:
        """Tell whether results of a source were named by other settings than there are now.

        Then `settled` calls them open where `Mark.named`. Raises StoreError.
        """
        ...

    def acquisition(self, source: str, label: str, identity: str) -> int:
        """Return the number, from 1, of an acquisition among those at the same place.

        An identity that was seen before keeps its number for ever. Raises StoreError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """Whether a source still watches.

    Parameters
    ----------
    alive
        False when the source can no longer notice a new frame by itself.
    detail
        One line: what it watches, or why it does not.
    found, waiting
        Frames found so far, and those seen but not yet whole or not yet taken.
    ended
        True when the acquisition itself says that nothing more will come; a folder of files
        never does.
    failing
        Why no image can be had at the moment though it watches (the camera or the core that it
        acquires with gives none); '' when all is well.
    shortfall
        Where it has ended and failed to the end: how many images are missing, and why; else ''.
    """

    name: str
    alive: bool
    detail: str
    found: int
    waiting: int
    ended: bool = False
    failing: str = ""
    shortfall: str = ""


class FrameSource(Protocol):
    """Something that frames come from."""

    @property
    def name(self) -> str:
        """Unique name from the configuration."""
        ...

    def start(self, inbox: Inbox, ledger: Ledger) -> None:
        """Begin to offer tickets. Raises SourceError when there is nothing to watch."""
        ...

    def scan(self) -> None:
        """Look for frames now; called periodically, since events get lost. Never raises."""
        ...

    def load(self, ticket: FrameTicket) -> Frame:
        """Read the pixels of a ticket of this source. Raises FrameError."""
        ...

    def look_again(self, asked: Sequence[LookAgain]) -> int:
        """Take things that a person wants tried again; return how many, from the first on.

        Each is soon offered as it is read now, or refused as gone, though it did not change; the
        ledger has it open meanwhile. Never raises.
        """
        ...

    def health(self) -> SourceHealth:
        """Say whether it still watches. Never raises."""
        ...

    def stop(self) -> None:
        """Stop watching and release everything; idempotent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayFiles:
    """Where the pictures of a frame were written, relative to the overlay folder."""

    overlay: str
    stain: str | None


class Overlays(Protocol):
    """Writes pictures, each to a temporary file that is synced and renamed."""

    def write(self, frame: Frame, result: FrameResult, day: float) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        ...

    def discard(self, key: FrameKey, named: OverlayFiles | None = None) -> int:
        """Remove the pictures of a frame that no result names; return how many.

        Those in `named` are known to be named: where they are all there can be, nothing is asked.
        Only the thread that writes them may call it. Raises StoreError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a commit recorded: for logs, metrics and the progress display."""

    key: FrameKey
    quarantined: str | None
    alerts: tuple[Message, ...]


class ResultStore(Ledger, Protocol):
    """The result database, as the worker uses it. All methods raise StoreError."""

    def claim(self, ticket: FrameTicket, rules: Sequence[AlertRule]) -> bool:
        """Count an attempt at a frame; False when it is settled already.

        A frame that has used up its attempts is quarantined here, which may step `rules`.
        """
        ...

    def second_try(self, sources: Collection[str]) -> FrameTicket | None:
        """Begin one more attempt at a frame of `sources` that was given up; None: none is due.

        What it returns is claimed. A frame has one such attempt, after others have gone well.
        """
        ...

    def day_of(self, ticket: FrameTicket, frame: Frame) -> float:
        """Day of the differentiation run (fractional) on which a claimed frame was taken.

        By `acquired_at`, else by `elapsed_s`, of the frame or else of the ticket; where nothing
        says either, by when the ledger first saw it.
        """
        ...

    def retime(self, ticket: FrameTicket) -> bool:
        """Take up when a settled frame was taken, where the ticket says it better than was known.

        Its day, day 0 and all that follows from days are brought up to date; nothing is scored,
        and no time point is stepped again. False where nothing changed.
        """
        ...

    def commit(
        self,
        ticket: FrameTicket,
        frame: Frame,
        result: FrameResult,
        files: OverlayFiles,
        day: float,
        rules: Sequence[AlertRule],
    ) -> Settled:
        """Record a judged frame, step its well's rules, fill the outbox: one transaction."""
        ...

    def quarantine(
        self, ticket: FrameTicket, fault: str, reason: str, rules: Sequence[AlertRule]
    ) -> Settled:
        """Record that a frame cannot be judged, and why; it may complete its time point."""
        ...

    def phase_shape(self, key: FrameKey) -> tuple[int, int] | None:
        """Return (H, W) of a site's newest phase frame as it was scored, for its fluorescence."""
        ...

    def measure(
        self, ticket: FrameTicket, frame: Frame, reading: FluorescenceReading, day: float
    ) -> Settled:
        """Record a fluorescence frame and measure its run anew, as far as it is known."""
        ...

    def skip(self, ticket: FrameTicket, reason: str, rules: Sequence[AlertRule]) -> None:
        """Record that a frame is not to be scored (another channel), so that it is known."""
        ...

    def refuse(self, refusal: Refusal) -> None:
        """Record something that cannot become a frame, and why."""
        ...


class Wishes(Protocol):
    """What people want to be tried again. All methods raise StoreError."""

    def wished(self, source: str, after: int, at_most: int) -> list[LookAgain]:
        """Return what of a source was asked for and has no outcome yet, by number, after one."""
        ...

    def close_wishes(self) -> int:
        """Forget what has its outcome; return how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One message on its way to one channel."""

    row: int
    channel: str
    message: Message
    attempts: int


class Outbox(Protocol):
    """Messages that wait in the database until their channel has taken them."""

    def due(
        self, now: datetime, limit: int, *, longest: timedelta | None = None
    ) -> list[OutboxItem]:
        """Return the messages to try now, oldest first.

        One that was put off for more than `longest` is due: the clock was set back since.
        """
        ...

    def delivered(self, row: int, now: datetime) -> None:
        """Mark a message as taken."""
        ...

    def postponed(self, row: int, until: datetime, why: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    def abandoned(self, row: int, why: str) -> None:
        """Give a message up for good: its channel refused it permanently."""
        ...


class Notifier(Protocol):
    """Hands one message to one channel."""

    def send(self, channel: str, message: Message) -> None:
        """Deliver, or raise DeliveryError."""
        ...

    def leave(self) -> None:
        """End the wait of a `send` under way, which then raises; any thread may call it."""
        ...
