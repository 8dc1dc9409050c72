"""Reads, scores and draws one frame: its line of `scopewatch score`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scopewatch.app.oneshot.items import Listed
from scopewatch.app.oneshot.lines import UNCHANGED, Line, analysed, finish, named, refused
from scopewatch.config import RunConfig
from scopewatch.core.errors import FrameError, ModelError, SourceError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.sources.readers.content import content_of


class Pictures(Protocol):
    """Writes the pictures of judged frames."""

    def write(self, frame: Frame, result: FrameResult, day: float) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A frame as it was read, or why it was not."""

    frame: Frame | None
    reason: str
    took_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A line so far, and what is to be drawn for it."""

    line: Line
    drawable: tuple[Frame, FrameResult] | None = None


class FrameScoring:
    """Scores single frames.

    Parameters
    ----------
    analyse
        Judges a frame; called by one thread.
    pictures
        Where pictures go; None draws none.
    identify
        Whether lines name pixels and file (`content`, `fingerprint`), and a frame whose pixels
        have a result already is not scored.
    """

    def __init__(
        self,
        *,
        analyse: Callable[[Frame], FrameResult],
        pictures: Pictures | None,
        run: RunConfig,
        monotonic: Callable[[], float],
        identify: bool = False,
    ) -> None:
        self._identify = identify
        self._analyse = analyse
        self._pictures = pictures
        self._run = run
        self._monotonic = monotonic

    def score(self, item: Listed) -> Line:
        """Read, judge and draw a frame, one after the other. Raises StoreError."""
        return finish(self.draw(self.judge(item, self.read(item))))

    def read(self, item: Listed) -> Read:
        """Read the pixels of a frame."""
        started = self._monotonic()
        try:
            frame, reason = item.load(), ""
        except (FrameError, SourceError) as error:
            frame, reason = None, str(error)
        return Read(frame=frame, reason=reason, took_ms=1e3 * (self._monotonic() - started))

    def judge(self, item: Listed, read: Read) -> Judged:
        """Score a frame that was read."""
        line = named(item)
        line["timings_ms"] = {"load": read.took_ms}
        if read.frame is None:
            return Judged(line=line | refused(Fault.UNREADABLE, read.reason))
        if self._identify:
            content = f"{content_of(read.frame.pixels)}|{read.frame.pixel_size_um}"
            line |= {"content": content, "fingerprint": item.fingerprint}
            if content == item.content:
                return Judged(line=line | {"verdict": UNCHANGED})
        try:
            result = self._analyse(read.frame)
        except ModelError as error:
            # For example a frame too wide for the memory budget: the others may fit, and with more
            # memory this one, which therefore has no result yet.
            line.pop("content", None)
            return Judged(line=line | refused(Fault.FAILED, str(error)))
        line |= analysed(result, read.frame)
        line["timings_ms"] = {"load": read.took_ms} | _timings(result)
        wanted = self._pictures is not None and result.verdict.judged
        return Judged(line=line, drawable=(read.frame, result) if wanted else None)

    def draw(self, judged: Judged) -> Line:
        """Draw the pictures of a judged frame, if there are any. Raises StoreError."""
        line = judged.line
        if self._pictures is None or judged.drawable is None:
            return line
        frame, result = judged.drawable
        started = self._monotonic()
        day = frame.key.time_point * self._run.interval_h / 24
        files = self._pictures.write(frame, result, day)
        line["overlay"], line["stain"] = files.overlay, files.stain
        line["timings_ms"]["draw"] = 1e3 * (self._monotonic() - started)
        return line


def _timings(result: FrameResult) -> dict[str, float]:
    seen = result.timings
    return {
        "normalise": seen.normalise_ms,
        "score": seen.score_ms,
        "analyse": seen.total_ms,
    }
