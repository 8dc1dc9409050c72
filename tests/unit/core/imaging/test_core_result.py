"""A result either is complete or says why not."""

import numpy as np
import pytest

from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from tests.unit.core.samples import KEY, RAW

GOOD = Verdict(fault=None, reason="", measures={})
BAD = Verdict(fault=Fault.BLANK, reason="frame is blank", measures={})


def make(verdict: Verdict, *, fraction: float | None, efficiency: Efficiency | None) -> FrameResult:
    grid = TileGrid(height=32, width=32, tile_px=32)
    scores = TileScores(grid=grid, probability=np.zeros((1, 1), np.float32), valid=grid.whole())
    return FrameResult(
        key=KEY,
        model_id="0123456789ab",
        verdict=verdict,
        scores=None if fraction is None else scores,
        positive_fraction=fraction,
        efficiency=efficiency,
        view=None,
        timings=Timings(normalise_ms=1, score_ms=1, total_ms=2),
    )


def test_a_judged_frame_has_everything() -> None:
    assert make(GOOD, fraction=0.0, efficiency=RAW).verdict.judged


def test_a_refused_frame_has_nothing() -> None:
    result = make(BAD, fraction=None, efficiency=None)
    assert not result.verdict.judged
    assert result.efficiency is None


def test_a_judged_frame_without_efficiency_is_impossible() -> None:
    with pytest.raises(ValueError, match="a judged frame has scores and an efficiency"):
        make(GOOD, fraction=0.5, efficiency=None)


def test_a_refused_frame_with_an_efficiency_is_impossible() -> None:
    with pytest.raises(ValueError, match="another has none"):
        make(BAD, fraction=0.5, efficiency=RAW)


@pytest.mark.parametrize(("fault", "reason"), [(None, "why"), (Fault.BLANK, "")])
def test_a_verdict_has_a_reason_if_and_only_if_it_has_a_fault(
    fault: Fault | None, reason: str
) -> None:
    with pytest.raises(ValueError, match="a reason if and only if it has a fault"):
        Verdict(fault=fault, reason=reason, measures={})
