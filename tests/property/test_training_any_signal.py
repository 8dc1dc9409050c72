"""Laws of histograms, thresholds and labels for any fluorescence."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.histogram import Counts, count_signal
from scopewatch.core.imaging.labels import label_tiles, positive_share
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.settings import BinariseSettings

COUNTS = st.floats(-500, 65_000, width=32)
PLANES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=4, max_side=24),
                    elements=COUNTS)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownNoise:
    id: str
    histogram: Counts
    noise: float
    run: str = "r"
    group: str = "r/P/A1"


@given(PLANES)
def test_every_known_pixel_is_counted_once(plane: NDArray[np.float32]) -> None:
    assert count_signal(plane).sum() == plane.size


@given(PLANES, st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise(plane: NDArray[np.float32], one: float, two: float) -> None:
    histogram = count_signal(plane)
    low, high = sorted((one, two))
    assert histograms.quantile(histogram, low) <= histograms.quantile(histogram, high)


@given(PLANES, st.sampled_from(["otsu", "triangle", "mad"]), st.floats(0.3, 100),
       st.sampled_from(["per-run", "per-frame", "pooled"]))  # fmt: skip
def test_no_threshold_lies_below_the_floor(
    plane: NDArray[np.float32], method: str, noise: float, scope: str
) -> None:
    settings = BinariseSettings(method=method, scope=scope)  # type: ignore[arg-type]
    pair = KnownNoise("p", count_signal(plane), noise)
    (cut,) = fit_thresholds([pair], settings).per_pair([pair]).values()
    assert cut >= settings.floor_sigmas * noise * 0.999


@given(PLANES, COUNTS, COUNTS)
def test_a_higher_threshold_never_makes_a_tile_positive(
    plane: NDArray[np.float32], one: float, two: float
) -> None:
    grid = TileGrid(height=plane.shape[0], width=plane.shape[1], tile_px=4)
    low, high = (positive_share(plane, cut, grid) for cut in sorted((one, two)))
    counted = np.isfinite(low)
    assert (low[counted] >= high[counted]).all()


@given(PLANES, COUNTS, st.floats(0.01, 1), st.floats(0, 0.5))
def test_a_band_only_takes_tiles_out(
    plane: NDArray[np.float32], cut: float, cutoff: float, band: float
) -> None:
    grid = TileGrid(height=plane.shape[0], width=plane.shape[1], tile_px=4)
    plain = label_tiles(plane, cut, grid, cutoff)
    banded = label_tiles(plane, cut, grid, cutoff, min(band, cutoff * 0.99))
    assert set(np.unique(plain)) <= {-1, 0, 1}
    assert ((banded == plain) | (banded == -1)).all()
