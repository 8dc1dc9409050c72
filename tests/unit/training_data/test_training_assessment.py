import json

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.efficiency import ErrorRates
from scopewatch_training.evaluation.assessment import ScoredField, assess

RATES = ErrorRates(tpr=0.8, fpr=0.1, half_width=0.05)


def field(seed: int, run: str, share: float, rates: ErrorRates | None = None) -> ScoredField:
    """A field whose model errs at exactly the rates 0.8 and 0.1 on average."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((20, 20)) < share).astype(np.int8)
    called = np.where(labels == 1, rng.random((20, 20)) < 0.8, rng.random((20, 20)) < 0.1)
    probability = np.where(called, 0.9, 0.1).astype(np.float32)
    labels[0] = -1
    return ScoredField(
        id=f"{run}-{seed}", run=run, labels=labels, probability=probability, threshold=0.5,
        rates=rates,
    )  # fmt: skip


def fields(rates: ErrorRates | None = None) -> list[ScoredField]:
    shares = np.linspace(0.05, 0.9, 12)
    return [field(i, f"run{i % 3}", float(share), rates) for i, share in enumerate(shares)]


def test_correction_takes_out_the_bias_that_the_raw_share_has() -> None:
    assessment = assess(fields(RATES), np.random.default_rng(0), repeats=0)
    assert assessment.corrected
    assert abs(assessment.pooled.image.bias) < 1.5
    assert assessment.pooled.image_raw.bias < -3
    assert assessment.pooled.image.mae < assessment.pooled.image_raw.mae


def test_without_error_rates_the_estimate_is_the_raw_share() -> None:
    assessment = assess(fields(), np.random.default_rng(0), repeats=0)
    assert not assessment.corrected
    assert assessment.pooled.image == assessment.pooled.image_raw


def test_correction_is_suppressed_where_the_rates_do_not_part() -> None:
    blunt = ErrorRates(tpr=0.3, fpr=0.2, half_width=0.3)
    assert not assess(fields(blunt), np.random.default_rng(0), repeats=0).corrected


def test_json_has_the_promised_keys_pooled_and_per_run() -> None:
    model = assess(fields(RATES), np.random.default_rng(0), repeats=20)
    baseline = assess(fields(), np.random.default_rng(0), repeats=0)
    values = json.loads(json.dumps(model.to_json({"local_std": baseline}), allow_nan=False))
    tile = {"roc_auc", "pr_auc", "f1", "precision", "recall", "mcc", "prevalence"}
    for part in (values, *values["per_run"].values()):
        assert tile <= set(part["tile"])
        assert {"r", "bias", "mae"} <= set(part["image"])
        assert set(part["baselines"]) == {"local_std"}
        assert {"tile", "image"} <= set(part["baselines"]["local_std"])
    assert set(values["per_run"]) == {"run0", "run1", "run2"}
    interval = values["intervals"]["tile.f1"]
    assert interval["low"] <= values["tile"]["f1"] <= interval["high"]


def test_pooled_and_per_run_figures_come_from_the_same_tiles() -> None:
    assessment = assess(fields(), np.random.default_rng(0), repeats=0)
    tiles = [figures.tile.tiles for figures in assessment.per_run.values()]
    assert sum(tiles) == assessment.pooled.tile.tiles == 12 * 380


def test_fields_without_a_countable_tile_are_left_out() -> None:
    empty = field(99, "run9", 0.5)
    hidden = ScoredField(
        id="x", run="run9", labels=np.full_like(empty.labels, -1), probability=empty.probability,
        threshold=0.5,
    )  # fmt: skip
    assessment = assess([*fields(), hidden], np.random.default_rng(0), repeats=0)
    assert "run9" not in assessment.per_run
    with pytest.raises(ConfigError, match="no tile to judge by"):
        assess([hidden], np.random.default_rng(0))


def test_labels_that_do_not_fit_the_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="labels and scores of x differ in shape"):
        ScoredField(
            id="x", run="r", labels=np.zeros((2, 2), dtype=np.int8),
            probability=np.zeros((2, 3), dtype=np.float32), threshold=0.5,
        )  # fmt: skip
