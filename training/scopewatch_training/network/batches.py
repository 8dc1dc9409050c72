"""Batches of crops, read from disk while the network works.

Every batch follows from (seed, step) alone: a fit that was killed goes on with the very batches
it would have had, and nothing needs to be kept of the generator.
"""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.labels import ALWAYS_POSITIVE, positive_mask
from scopewatch_training.dataset.planes import Plane
from scopewatch_training.network.augment import Augmentation

FULLY_BRIGHT = 8.0
"""Brightness in thresholds above which the target is constant: more light is no more marker."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingFrame:
    """A registered pair with the threshold that makes its signal positive.

    Parameters
    ----------
    view
        (H, W) float, normalised; may lie on disk.
    signal
        (H, W) float counts above background, NaN where unknown; may lie on disk.
    threshold
        Counts above which a pixel is positive; inf where the run shows no signal.
    """

    id: str
    run: str
    view: Plane
    signal: Plane
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Crops and what is known of their pixels; all (N, S, S, 1) float32.

    `marker` is 1 where the marker is, or its brightness from 0 to 1; `known` is 0 where the
    fluorescence is not known.
    """

    view: NDArray[np.float32]
    marker: NDArray[np.float32]
    known: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BatchPlan:
    """Draws the batch of any step.

    Every frame is drawn once before one is drawn twice. A crop lies anywhere in its frame, not
    only on the tile grid: labels are taken from the pixels, so that each offset is new data.
    With `graded` the marker is given by `brightness`, otherwise by where it is positive.
    """

    frames: Sequence[TrainingFrame]
    batch: int
    crop_px: int
    augmentation: Augmentation
    seed: int
    graded: bool = False

    def draw(self, step: int) -> Batch:
        """Return the batch of a step; the same for the same plan and step, always."""
        rng = np.random.default_rng([self.seed, step])
        crops = [self._crop(self._frame(step * self.batch + i), rng) for i in range(self.batch)]
        view, marker, known = (np.stack(planes)[..., None] for planes in zip(*crops, strict=True))
        return Batch(view=view, marker=marker, known=known)

    def _frame(self, index: int) -> TrainingFrame:
        lap, place = divmod(index, len(self.frames))
        # A second key keeps the order of frames apart from what is drawn for a step.
        order = np.random.default_rng([self.seed, lap, 1]).permutation(len(self.frames))
        return self.frames[int(order[place])]

    def _crop(
        self, frame: TrainingFrame, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        side = self.crop_px
        top, left = (int(rng.integers(max(1, full - side + 1))) for full in frame.view.shape)
        window = slice(top, top + side), slice(left, left + side)
        signal = np.asarray(frame.signal[window], dtype=np.float32)
        view = _fill(np.asarray(frame.view[window], dtype=np.float32), side, 0.0)
        grade = brightness if self.graded else positive_mask
        marker = grade(signal, frame.threshold).astype(np.float32)
        known = np.isfinite(signal).astype(np.float32)
        planes = np.stack([_fill(marker, side, 0.0), _fill(known, side, 0.0)])
        view, planes = self.augmentation.vary(view, planes, rng)
        return view, planes[0], planes[1]


def brightness(signal: NDArray[np.floating], threshold: float) -> NDArray[np.float32]:
    """Return the brightness of the pixels of a (H, W) signal from 0 to 1; unknown (NaN) ones are 0.

    Counts are taken in units of the run's threshold, so that runs of other exposures or other cells
    agree, and then on the inverse hyperbolic sine: dim and bright cells are to differ alike. Pixels
    that a person called positive are 1.
    """
    called = signal == np.float32(ALWAYS_POSITIVE)
    measured = np.where(called, 0, signal) if called.any() else signal
    units = np.nan_to_num(np.maximum(measured, 0) / threshold)
    graded = np.arcsinh(units) / np.arcsinh(FULLY_BRIGHT)
    graded[called] = 1
    return np.asarray(np.minimum(graded, 1), dtype=np.float32)


@contextmanager
def prefetch(plan: BatchPlan, first: int, stop: int, ahead: int = 3) -> Iterator[Iterator[Batch]]:
    """Draw the batches of steps first..stop-1 in a second thread, at most `ahead` in advance."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(maxsize=ahead)
    closing = threading.Event()

    def put(item: Batch | BaseException) -> None:
        while not closing.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def draw() -> None:
        try:
            for step in range(first, stop):
                if closing.is_set():
                    return
                put(plan.draw(step))
        except Exception as error:  # noqa: BLE001  (a thread's boundary: raised again in `take`)
            put(error)

    def take() -> Iterator[Batch]:
        for _ in range(first, stop):
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=draw, name="batches", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        closing.set()
        thread.join()


def _fill(plane: NDArray[np.float32], side: int, value: float) -> NDArray[np.float32]:
    """Fill a crop of a frame smaller than the crop up to (side, side)."""
    if plane.shape == (side, side):
        return plane
    edges = ((0, side - plane.shape[0]), (0, side - plane.shape[1]))
    return np.pad(plane, edges, constant_values=value)
