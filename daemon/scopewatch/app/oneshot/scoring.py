"""Scoring without a daemon: one line per frame, read, scored and drawn side by side.

    list -> [reading: one ahead] -> score -> [drawing: one behind] -> line

Reading and drawing have a thread each; the model stays with the caller's. At most three frames
are in memory.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from scopewatch.app.oneshot.frame_scoring import FrameScoring, Read
from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.lines import Line, Screening, finish

# A frame that is being read, or the line of one that is not read.
_Ahead = tuple[Listed, Future[Read]] | Line


class Scoring:
    """Scores what was listed, in this process.

    Parameters
    ----------
    frames
        Scores one frame, in the thread that iterates.
    screening
        Decides which frames are read.
    """

    def __init__(self, *, frames: FrameScoring, screening: Screening) -> None:
        self._frames = frames
        self._screening = screening

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
            for ahead in self._read_ahead(items, reader):
                drawing.append(self._judge(ahead, drawer))
                if len(drawing) > 1:
                    yield drawing.popleft()()
            while drawing:
                yield drawing.popleft()()

    def _read_ahead(
        self, items: Iterable[Listed | Unlisted], reader: ThreadPoolExecutor
    ) -> Iterator[_Ahead]:
        ahead: deque[_Ahead] = deque()
        for item in items:
            screened = self._screening.screen(item)
            if isinstance(screened, Listed):
                ahead.append((screened, reader.submit(self._frames.read, screened)))
            else:
                ahead.append(screened)
            if len(ahead) > 1:
                yield ahead.popleft()
        yield from ahead

    def _judge(self, ahead: _Ahead, drawer: ThreadPoolExecutor) -> Callable[[], Line]:
        """Score a frame; return what gives its line once its picture is drawn."""
        if isinstance(ahead, dict):
            return lambda: ahead
        item, reading = ahead
        judged = self._frames.judge(item, reading.result())
        if judged.drawable is None:
            return lambda: finish(judged.line)
        drawing = drawer.submit(self._frames.draw, judged)
        return lambda: finish(drawing.result())
