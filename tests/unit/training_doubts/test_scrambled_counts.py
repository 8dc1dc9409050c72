"""Counts whose bytes are exchanged or wrapped around are refused, with what was done to them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.errors import FrameError
from scopewatch_training.dataset.checks.light import SHARED
from scopewatch_training.dataset.pairs.counts import refuse_scrambled
from scopewatch_training.dataset.pairs.shared_noise import measure_shared_noise
from tests.unit.training_data.pair_files import make_field

pytestmark = pytest.mark.training

Picture = NDArray[Any]
FIELD = make_field(5)
PHASE, GLOW = (
    np.clip(plane, 0, 65535).astype(np.uint16) for plane in (FIELD.phase, FIELD.fluorescence)
)


def stretched(pixels: Picture, tail: float) -> Picture:
    low, high = np.percentile(pixels, (tail, 100 - tail))
    scaled = np.clip((pixels - low) / (high - low), 0, 1) * 255
    return np.asarray(scaled, dtype=np.uint8)


def subtracted(pixels: Picture) -> Picture:
    return np.asarray(pixels - np.uint16(np.median(pixels)))


@pytest.mark.parametrize(
    ("pixels", "begin"),
    [
        (PHASE.byteswap(), "bytes of each count are in the wrong order: A1"),
        (GLOW.byteswap(), "bytes of each count are in the wrong order: A1"),
        (PHASE.astype(np.uint8), "counts are wrapped around at 256: A1"),
        (GLOW.astype(np.uint8), "counts are wrapped around at 256: A1"),
        (subtracted(GLOW), "counts are wrapped around at 65536: A1"),
        (subtracted(PHASE), "counts are wrapped around at 65536: A1"),
    ],
    ids=[
        "phase of the other byte order",
        "fluorescence of the other byte order",
        "lower 8 bits of phase",
        "lower 8 bits of fluorescence",
        "unsigned subtraction from fluorescence",
        "unsigned subtraction from phase",
    ],
)
def test_scrambled_counts_are_refused(pixels: Picture, begin: str) -> None:
    with pytest.raises(FrameError) as caught:
        refuse_scrambled(pixels, "A1")
    assert str(caught.value).startswith(begin)
    assert "; " in str(caught.value)


def noise_alone(level: float) -> Picture:
    return np.random.default_rng(3).normal(level, 10, (256, 256)).astype(np.uint16)


@pytest.mark.parametrize(
    "pixels",
    [
        PHASE,
        GLOW,
        stretched(PHASE, 0.35),
        stretched(GLOW, 0.35),
        stretched(noise_alone(120), 0),
        stretched(noise_alone(120), 2),
        noise_alone(250),
        np.minimum(GLOW, 4095) << 4,
        np.where(FIELD.glowing, 255, 0).astype(np.uint8),
        np.zeros((64, 64), dtype=np.uint16),
        np.full((64, 64), 255, dtype=np.uint8),
        np.clip(GLOW.astype(int) - 150, 0, None).astype(np.uint16),
    ],
    ids=[
        "phase",
        "fluorescence",
        "phase in 8 bits",
        "fluorescence in 8 bits",
        "noise in 8 bits",
        "noise in 8 bits, clipped",
        "noise about 256",
        "12 bits at the left of 16",
        "a mask",
        "black",
        "white",
        "a background cut at 0",
    ],
)
def test_other_pictures_are_not(pixels: Picture) -> None:
    refuse_scrambled(pixels, "A1")


NOISY = np.asarray(GLOW + np.random.default_rng(4).normal(0, 15, GLOW.shape), dtype=np.uint16)
MERGED = np.clip(PHASE / 32 + NOISY / 8 - 20, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("phase", "fluorescence", "shared"),
    [
        (PHASE, GLOW, False),
        (PHASE, np.rot90(GLOW), False),
        (stretched(PHASE, 0), stretched(GLOW, 0.35), False),
        (MERGED, NOISY, True),
        (MERGED, stretched(NOISY, 0), True),
        (PHASE, np.asarray(GLOW + 0.1 * PHASE, dtype=np.uint16), True),
        (PHASE, GLOW[::2, ::2], False),
        (PHASE[:6, :6], GLOW[:6, :6], False),
    ],
    ids=[
        "two exposures",
        "another field",
        "two exposures in 8 bits",
        "merged in grey",
        "both in 8 bits",
        "phase in the fluorescence",
        "another binning",
        "a few pixels",
    ],
)
def test_noise_is_shared_by_pictures_that_were_mixed_alone(
    phase: Picture, fluorescence: Picture, shared: bool
) -> None:
    measured = measure_shared_noise(phase, fluorescence)
    assert (measured >= SHARED) is shared
