"""Scoring without a daemon: one line per frame, read, scored and drawn side by side.

    list -> [reading: one ahead] -> score -> [drawing: one behind] -> line

Reading and drawing have a thread each; the model stays with the caller's. At most three frames
are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Protocol

from scopewatch.app.oneshot.listing import Listed, Unlisted
from scopewatch.config import RunConfig
from scopewatch.core.errors import FrameError, ModelError, SourceError
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult
from scopewatch.core.public_names import public_fields, public_name

SKIPPED = "not-scored"

Line = dict[str, Any]

_KEY_PARTS = tuple(public_name(part) for part in fields(FrameKey))


class Pictures(Protocol):
    """Writes the pictures of judged frames."""

    def write(self, frame: Frame, result: FrameResult, day: float) -> OverlayFiles:
        """Write the overlay (and the stain) of a judged frame. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A frame as it was read, or why it was not."""

    frame: Frame | None
    reason: str
    took_ms: float


class Scoring:
    """Scores what was listed.

    Parameters
    ----------
    analyse
        Judges a frame, in the thread that iterates.
    pictures
        Where pictures go; None draws none.
    """

    def __init__(
        self,
        *,
        analyse: Callable[[Frame], FrameResult],
        pictures: Pictures | None,
        run: RunConfig,
        monotonic: Callable[[], float],
    ) -> None:
        self._analyse = analyse
        self._pictures = pictures
        self._run = run
        self._monotonic = monotonic
        self._places: dict[str, str] = {}

    def run(self, items: Iterable[Listed | Unlisted]) -> Iterator[Line]:
        """Yield one line per item, in their order.

        Raises
        ------
        StoreError
            When a picture cannot be written.
        """
        with (
            ThreadPoolExecutor(1, "read") as reader,
            ThreadPoolExecutor(1, "draw") as drawer,
        ):
            drawing: deque[Callable[[], Line]] = deque()
            for item, read in self._read_ahead(items, reader):
                drawing.append(self._judge(item, read, drawer))
                if len(drawing) > 1:
                    yield drawing.popleft()()
            while drawing:
                yield drawing.popleft()()

    def _read_ahead(
        self, items: Iterable[Listed | Unlisted], reader: ThreadPoolExecutor
    ) -> Iterator[tuple[Listed | Unlisted, Future[_Read] | None]]:
        ahead: deque[tuple[Listed | Unlisted, Future[_Read] | None]] = deque()
        for item in items:
            if isinstance(item, Listed) and self._refuse(item) is None:
                ahead.append((item, reader.submit(self._read, item)))
            else:
                ahead.append((item, None))
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _refuse(self, item: Listed) -> tuple[str, str] | None:
        """Return fault and reason of a frame that is not to be read."""
        if item.key.channel != self._run.phase_channel:
            return SKIPPED, f"not scored: channel {item.key.channel}"
        first = self._places.setdefault(str(item.key), item.place)
        if first != item.place:
            return Fault.DUPLICATE, f"duplicate of {first}: both are {item.key}"
        return None

    def _read(self, item: Listed) -> _Read:
        started = self._monotonic()
        try:
            frame, reason = item.load(), ""
        except (FrameError, SourceError) as error:
            frame, reason = None, str(error)
        return _Read(frame=frame, reason=reason, took_ms=1e3 * (self._monotonic() - started))

    def _judge(
        self, item: Listed | Unlisted, reading: Future[_Read] | None, drawer: ThreadPoolExecutor
    ) -> Callable[[], Line]:
        """Score a frame; return what gives its line once its picture is drawn."""
        if isinstance(item, Unlisted):
            unlisted = _name(item) | _refused(Fault.UNREADABLE, item.reason)
            return lambda: unlisted
        line = _name(item)
        if reading is None:
            refused = line | _refused(*(self._refuse(item) or (SKIPPED, "")))
            return lambda: refused
        read = reading.result()
        line["timings_ms"] = {"load": read.took_ms}
        if read.frame is None:
            unread = line | _refused(Fault.UNREADABLE, read.reason)
            return lambda: unread
        try:
            result = self._analyse(read.frame)
        except ModelError as error:
            # For example a frame too wide for the memory budget: the others may fit.
            failed = line | _refused(Fault.FAILED, str(error))
            return lambda: failed
        line |= _result(result, read.frame)
        line["timings_ms"] = {"load": read.took_ms} | _timings(result)
        if self._pictures is None or not result.verdict.judged:
            return lambda: _rounded(line)
        drawing = drawer.submit(self._draw, self._pictures, read.frame, result)

        def finish() -> Line:
            files, took_ms = drawing.result()
            line["overlay"], line["stain"] = files.overlay, files.stain
            line["timings_ms"]["draw"] = took_ms
            return _rounded(line)

        return finish

    def _draw(
        self, pictures: Pictures, frame: Frame, result: FrameResult
    ) -> tuple[OverlayFiles, float]:
        started = self._monotonic()
        day = frame.key.time_point * self._run.interval_h / 24
        files = pictures.write(frame, result, day)
        return files, 1e3 * (self._monotonic() - started)


def _name(item: Listed | Unlisted) -> Line:
    key = item.key
    parts = dict.fromkeys(_KEY_PARTS) if key is None else dict(public_fields(key))
    return {"path": item.place, "key": None if key is None else str(key), **parts}


def _refused(verdict: str, reason: str) -> Line:
    nothing = dict.fromkeys(("positive_fraction", "efficiency", "low", "high", "corrected"))
    return {"verdict": verdict, "reason": reason, **nothing, "overlay": None, "stain": None}


def _result(result: FrameResult, frame: Frame) -> Line:
    if result.efficiency is None:
        line = _refused(str(result.verdict.fault), result.verdict.reason)
    else:
        line = {
            "verdict": "judged",
            "reason": "",
            "positive_fraction": result.positive_fraction,
            "efficiency": result.efficiency.value,
            "low": result.efficiency.low,
            "high": result.efficiency.high,
            "corrected": result.efficiency.corrected,
            "overlay": None,
            "stain": None,
        }
    height, width = frame.pixels.shape
    return line | {
        "height_px": height,
        "width_px": width,
        "um_per_px": frame.pixel_size_um,
        "model_id": result.model_id,
        "measures": dict(result.verdict.measures),
    }


def _timings(result: FrameResult) -> dict[str, float]:
    seen = result.timings
    return {
        "normalise": seen.normalise_ms,
        "score": seen.score_ms,
        "analyse": seen.total_ms,
    }


def _rounded(line: Line) -> Line:
    """Round to six significant digits: more than any of the figures carries."""
    rounded: Line = {}
    for name, value in line.items():
        if isinstance(value, float):
            rounded[name] = float(f"{value:.6g}")
        else:
            rounded[name] = _rounded(value) if isinstance(value, dict) else value
    return rounded
