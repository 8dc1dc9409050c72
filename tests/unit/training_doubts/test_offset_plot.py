"""The plot of offsets: stray pairs are numbered in it and named beside it."""

from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image

from scopewatch.core.imaging.histogram import BINS
from scopewatch_training.dataset.offset_plot import draw_offsets, find_stray, name_stray
from scopewatch_training.dataset.pairs.record import Pair


def pairs(run: str, *down: float) -> list[Pair]:
    return [
        Pair(
            id=f"{run}{site}", run=run, plate="P1", well="A1", site=site, time_point=0, day=None,
            phase=f"{run}{site}.tif", fluorescence="f.tif", offset_px=(offset, 1.0),
            registration_confidence=0.9, histogram=np.zeros(BINS, dtype=np.int64),
        )
        for site, offset in enumerate(down)
    ]  # fmt: skip


def test_stray_pairs_are_numbered_and_named() -> None:
    both = [*pairs("a", 0, 0, 9, 0.2, 0.1), *pairs("b", 5, 5, 5, 5.2, -6)]
    assert [pair.id for pair in find_stray(both)] == ["a2", "b4"]
    assert name_stray(both) == ("Far from their runs: 1: a/P1/A1/s2/t0000; 2: b/P1/A1/s4/t0000.",)
    near = [replace(pair, offset_px=(0.0, 1.0)) for pair in both]
    assert name_stray(near) == ()
    marked, plain = (np.asarray(Image.open(BytesIO(draw_offsets(each)))) for each in (both, near))
    assert marked.shape == plain.shape


def test_of_many_stray_pairs_the_first_twenty_are_named() -> None:
    many = pairs("a", *([0.0] * 60 + [30.0] * 25))
    assert len(find_stray(many)) == 20
