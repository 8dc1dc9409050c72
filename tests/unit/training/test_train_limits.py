"""Quality limits learnt from training frames."""

from pathlib import Path

import pytest

from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch.core.imaging.verdict import judge
from scopewatch_training.bundle.limits import TOLERANCES, learn_limits, refuses
from scopewatch_training.dataset.pairs.record import Pair
from tests.unit.core.samples import make_card, make_cells, view_of
from tests.unit.training.tiny_data import make_measures


def pair(run: str, well: str = "A1", **measures: float) -> Pair:
    return Pair(
        id=f"{run}{well}{measures}",
        run=run,
        plate="P1",
        well=well,
        site=0,
        time_point=0,
        day=None,
        phase="p.tif",
        fluorescence="f.tif",
        measures=make_measures(**measures),
    )


def test_limits_span_the_training_frames_and_a_tolerance() -> None:
    limits = learn_limits([pair("a", contrast=0.1), pair("b", contrast=0.2, skewness=0.0)])

    assert limits.min_contrast == pytest.approx(0.05)
    assert limits.max_contrast == pytest.approx(0.4)
    assert limits.domain["skewness"] == pytest.approx((-2.2, 1.2))
    assert limits.false_refusal_rate == 0


def test_a_run_unlike_the_others_shows_in_the_false_refusal_rate() -> None:
    pairs = [pair("a"), pair("b"), pair("c", contrast=0.9), pair("c", well="A2")]

    limits = learn_limits(pairs)

    # Only one of run c's two frames lies outside, and run c is one of three.
    assert limits.false_refusal_rate == pytest.approx(1 / 6, abs=1e-4)


def test_a_single_run_is_judged_over_its_wells() -> None:
    pairs = [pair("a"), pair("a", well="A2", contrast=0.9)]

    assert learn_limits(pairs).false_refusal_rate == 1


def test_the_texture_measures_together_are_limited_too() -> None:
    limits = learn_limits([pair("a"), pair("b"), pair("c")])
    usual = make_measures()

    assert limits.distance is not None
    # Contrast is of the frame before it was normalised.
    assert set(limits.distance.measures) == set(TOLERANCES) - {"contrast"}
    assert not refuses(limits, usual)
    # Each within its own limits, but never seen together.
    odd = {
        name: usual[name] + sign * 0.9 * TOLERANCES[name]
        for sign, name in zip((1, -1) * 4, sorted(limits.domain), strict=False)
    }
    single = limits.model_copy(update={"distance": None})
    assert not refuses(single, usual | odd)
    assert refuses(limits, usual | odd | {"entropy": usual["entropy"] + 0.39, "tails": 0.019})


def test_every_limit_is_on_a_measure_that_the_daemon_takes(tmp_path: Path) -> None:
    pixels = make_cells()
    limits = learn_limits([pair("a"), pair("b")])

    verdict = judge(pixels, view_of(pixels), make_card(quality=limits.model_dump()), 1.0)

    assert TOLERANCES.keys() <= verdict.measures.keys()
    assert isinstance(limits, QualityCard)
