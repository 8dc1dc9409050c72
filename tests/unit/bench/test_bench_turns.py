"""Contenders are real processes that work on request, and are never mistaken for one another."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.paired.turns import Contender, Plan, ratios_to, take_turns

SERVING = Path(__file__).parents[3] / "benchmarks" / "contenders"


def plan(name: str, turn: str, share: float = 1.0) -> Plan:
    script = f"from serving import serve; serve(lambda: {turn}, share={share}, version='7')"
    return Plan(
        name=name,
        command=(sys.executable, "-c", script),
        environ={**os.environ, "PYTHONPATH": str(SERVING)},
    )


def test_contenders_take_turns_and_a_part_is_scaled_to_a_frame(tmp_path: Path) -> None:
    work = "sum(range(200_000))"
    with (
        Contender(plan("whole", work), tmp_path / "whole") as whole,
        Contender(plan("quarter", work, 0.25), tmp_path / "quarter") as quarter,
    ):
        assert whole.version == "7"
        took_ms = take_turns([whole, quarter], 9)
    assert {name: len(each) for name, each in took_ms.items()} == {"whole": 9, "quarter": 9}
    assert min(took_ms["whole"]) > 0
    # The same work for a quarter of a frame: four times as long for a whole one.
    ratio = ratios_to("whole", took_ms)
    assert set(ratio) == {"quarter"}
    assert 0.1 < ratio["quarter"].median < 0.6


def test_what_a_library_prints_is_no_answer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Contender(plan("loud", "print('hello', flush=True)"), log) as loud:
        assert loud.turn() >= 0
    assert "hello" in log.read_text()


def test_a_contender_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = Plan(
        name="missing", command=(sys.executable, "-c", "import nowhere_at_all"), environ=os.environ
    )
    with pytest.raises(RuntimeError, match=r"missing ended: ModuleNotFoundError.*nowhere_at_all"):
        Contender(broken, tmp_path / "log")
