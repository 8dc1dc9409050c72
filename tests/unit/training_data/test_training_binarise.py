from dataclasses import dataclass
from math import inf, isinf
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging import histogram as histograms
from scopewatch.core.imaging.binarise import Thresholds, fit_thresholds, has_signal
from scopewatch.core.imaging.fluorescence_signal import estimate_noise, smooth, subtract_background
from scopewatch.core.imaging.histogram import Counts, asinh, count_signal
from scopewatch_training.dataset.settings import BinariseSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FakePair:
    id: str
    run: str
    histogram: Counts
    noise: float = 5.0
    well: str = "A1"

    @property
    def group(self) -> str:
        return f"{self.run}/P1/{self.well}"


def signal(seed: int, *, bright: float, share: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    plane = rng.normal(0, 5, 40_000)
    count = int(share * plane.size)
    plane[:count] += bright * rng.lognormal(0, 0.4, count)
    return plane.astype(np.float32)


def make_pair(
    run: str,
    seed: int = 0,
    *,
    bright: float = 1000,
    share: float = 0.3,
    well: str = "A1",
    name: str = "",
) -> FakePair:
    histogram = count_signal(signal(seed, bright=bright, share=share))
    return FakePair(id=name or f"{run}{seed}", run=run, histogram=histogram, well=well)


def test_a_histogram_keeps_quantiles_over_five_decades() -> None:
    plane = np.concatenate([np.arange(-50, 50), np.geomspace(50, 60_000, 900)])
    histogram = count_signal(plane.astype(np.float32))
    for share in (0.02, 0.3, 0.7, 0.99):
        assert histograms.quantile(histogram, share) == pytest.approx(
            np.quantile(plane, share), rel=0.06, abs=1.0
        )


def test_unknown_pixels_are_not_counted() -> None:
    plane = np.array([1.0, np.nan, 5.0, np.nan], dtype=np.float32)
    assert count_signal(plane).sum() == 2


def test_the_scale_of_histograms_is_the_inverse_hyperbolic_sine() -> None:
    values = np.concatenate([np.linspace(-2, 2, 4001), np.geomspace(1e-3, 7e4, 999), [0.0]])
    single = values.astype(np.float32)
    assert asinh(single).dtype == np.float32
    np.testing.assert_allclose(asinh(single), np.arcsinh(single.astype(np.float64)), atol=2e-6)
    np.testing.assert_allclose(asinh(-single), -asinh(single))


def test_counts_beyond_the_scale_stand_in_its_last_bins() -> None:
    plane = np.array([[-1e30, -71_000, 0.0, 71_000, 1e30, np.inf]], dtype=np.float32)
    histogram = count_signal(plane)
    assert histogram[0] == histogram[-1] == 2
    assert histogram.sum() == 5


@pytest.mark.parametrize("method", ["otsu", "triangle", "mad"])
def test_each_method_parts_cells_from_background(method: str) -> None:
    settings = BinariseSettings(method=method)  # type: ignore[arg-type]
    pair = make_pair("r", share=0.05)
    (cut,) = fit_thresholds([pair], settings).per_pair([pair]).values()
    assert 25 <= cut < 600


def test_runs_that_differ_fiftyfold_in_brightness_get_the_same_share_of_positive_pixels() -> None:
    pairs = [make_pair("dim", bright=300, share=0.2), make_pair("bright", bright=15_000, share=0.2)]
    cuts = fit_thresholds(pairs, BinariseSettings()).per_pair(pairs)
    shares = [
        float(np.mean(signal(0, bright=bright, share=0.2) > cuts[pair.id]))
        for pair, bright in zip(pairs, (300, 15_000), strict=True)
    ]
    assert shares == pytest.approx([0.2, 0.2], abs=0.02)


def test_a_run_without_reporter_has_no_positive_pixel() -> None:
    pair = make_pair("auto", share=0.0)
    assert not has_signal([pair], BinariseSettings())
    fitted = fit_thresholds([pair], BinariseSettings())
    assert isinf(fitted.per_pair([pair])[pair.id])
    assert fitted.by_run == {"auto": None}
    assert "auto no signal" in fitted.describe()


def test_a_threshold_never_lies_in_the_noise() -> None:
    pair = make_pair("r", share=0.3)
    low = BinariseSettings(method="fixed", fixed_counts=1.0)
    assert fit_thresholds([pair], low).per_pair([pair])[pair.id] == pytest.approx(25.0)


def test_a_pooled_threshold_is_that_of_the_training_runs() -> None:
    training = [make_pair("a", 1), make_pair("b", 2)]
    fitted = fit_thresholds(training, BinariseSettings(scope="pooled"))
    held_out = make_pair("c", 3, bright=30_000)
    assert fitted.per_pair([held_out]) == {held_out.id: fitted.pooled}


def test_a_threshold_per_frame_follows_each_frame() -> None:
    pairs = [make_pair("a", 1, bright=300), make_pair("a", 2, bright=20_000)]
    fitted = fit_thresholds(pairs, BinariseSettings(scope="per-frame"))
    dim, bright = fitted.per_pair(pairs).values()
    assert dim < 150 < bright


def test_controls_set_the_threshold_that_hardly_any_of_their_pixels_passes() -> None:
    control = make_pair("a", 1, bright=60, share=0.5, well="H12")
    sample = make_pair("a", 2, bright=5000)
    settings = BinariseSettings(method="control", controls=("a/P1/H*",))
    fitted = fit_thresholds([control, sample], settings)
    assert fitted.pooled == pytest.approx(histograms.quantile(control.histogram, 0.999))
    assert "reporter-free controls" in fitted.describe()


def test_missing_controls_are_named() -> None:
    settings = BinariseSettings(method="control", controls=("H12",))
    with pytest.raises(ConfigError, match=r"no reporter-free pair.*like H12"):
        fit_thresholds([make_pair("a")], settings)


def test_thresholds_need_a_training_pair() -> None:
    with pytest.raises(ConfigError, match="no pair to fit a threshold on"):
        fit_thresholds([], BinariseSettings())


def test_thresholds_come_back_from_json_as_they_were() -> None:
    pairs = [make_pair("a", 1), make_pair("auto", 2, share=0.0)]
    fitted = fit_thresholds(pairs, BinariseSettings(method="mad", scope="pooled"))
    again = Thresholds.from_json(fitted.to_json())
    assert again == fitted
    assert again.per_pair(pairs) == fitted.per_pair(pairs)
    assert again.per_pair(pairs)["auto2"] == inf


def test_impossible_settings_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="setting is wrong: method"):
        BinariseSettings(method="guess")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="setting is wrong: fixed_counts"):
        BinariseSettings(method="fixed")
    with pytest.raises(ConfigError, match="setting is wrong: controls"):
        BinariseSettings(controls=("a",))


def test_real_strains_are_parted_and_the_strain_without_reporter_stays_empty(
    real_data: Path,
) -> None:
    shares: dict[str, list[float]] = {}
    pairs, planes = [], {}
    for strain in ("delta", "R22", "R60", "auto"):
        for field in (0, 5):
            raw = tifffile.imread(real_data / "ecoli-yfp" / strain / f"field{field:02d}_yfp.tif")
            plane = smooth(subtract_background(raw.astype(np.float32)), 1.0)
            name = f"{strain}{field}"
            planes[name] = plane
            pairs.append(
                FakePair(
                    id=name, run=strain, histogram=count_signal(plane), noise=estimate_noise(plane)
                )
            )
    cuts = fit_thresholds(pairs, BinariseSettings()).per_pair(pairs)
    for pair in pairs:
        share = float(np.mean(planes[pair.id] > cuts[pair.id]))
        shares.setdefault(pair.run, []).append(share)
    assert shares.pop("auto") == [0.0, 0.0]
    for strain, values in shares.items():
        assert min(values) > 0.01, strain
        assert max(values) < 0.15, strain
