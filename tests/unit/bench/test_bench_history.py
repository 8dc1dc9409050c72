"""The history of `make bench` judges a ratio by the best of its kind on the same processor."""

from pathlib import Path

import pytest

from benchmarks.paired.bench_history import (
    MOST,
    RECENT,
    Entry,
    append,
    history_file,
    read,
    regressions,
)
from benchmarks.paired.ratios import Ratio

FRAME = "frame with its picture, this / fe8c2ee"


def entry(
    median: float,
    *,
    low: float | None = None,
    processor: str = "2 cores of A (AVX2)",
    comparison: str = FRAME,
    commit: str = "abc1234",
) -> Entry:
    ratio = Ratio(median=median, low=median if low is None else low, high=median, pairs=30)
    return Entry(
        at="2026-03-01T00:00:00+00:00",
        commit=commit,
        processor=processor,
        comparison=comparison,
        ratio=ratio,
    )


def test_what_was_kept_is_read_back_in_order(tmp_path: Path) -> None:
    path = history_file(tmp_path / "new", "2 cores of A (AVX2)")
    assert path.name == "2-cores-of-a-avx2.jsonl"
    assert read(path) == []
    append(path, [entry(0.5)])
    append(path, [entry(0.4), entry(0.3)])
    assert read(path) == [entry(0.5), entry(0.4), entry(0.3)]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    append(path, [entry(0.5)])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"at": 1}\n')
    with pytest.raises(ValueError, match=r"a\.jsonl:2: no entry of make bench"):
        read(path)


def test_a_ratio_that_became_worse_is_named_with_the_commit_it_was_better_at() -> None:
    (line,) = regressions([entry(0.4)], [entry(0.5, low=0.47)])
    assert line.startswith(f"slower than at abc1234, the best of the last 1: {FRAME}: 0.500")
    assert line.endswith("expected at most 1.15 x 0.4")


def test_noise_is_no_regression() -> None:
    assert regressions([entry(0.4)], [entry(0.5, low=0.45)]) == []
    assert regressions([entry(0.4)], [entry(0.2)]) == []


def test_only_entries_of_the_same_kind_count() -> None:
    earlier = [
        entry(0.1, processor="another"),
        entry(0.1, comparison="int8 invoke, this / OpenVINO int8"),
        entry(0.5),
    ]
    assert regressions(earlier, [entry(0.5)]) == []
    assert len(regressions(earlier, [entry(0.6)])) == 1


def test_a_ratio_that_becomes_a_little_worse_at_each_run_is_named() -> None:
    earlier = [entry(0.5, commit="0000000")]
    assert regressions(earlier, [entry(0.5 * 1.14)]) == []
    earlier.append(entry(0.5 * 1.14))
    (line,) = regressions(earlier, [entry(0.5 * 1.14**2)])
    assert line.startswith("slower than at 0000000, the best of the last 2: ")


def test_what_was_accepted_is_measured_by_itself_after_ten_runs() -> None:
    earlier = [entry(0.5)] + [entry(0.8)] * (RECENT - 1)
    assert len(regressions(earlier, [entry(0.8)])) == 1
    earlier.append(entry(0.8))
    assert regressions(earlier, [entry(0.8)]) == []
    assert len(regressions(earlier, [entry(0.81 * MOST)])) == 1


def test_a_first_measurement_is_never_a_regression() -> None:
    assert regressions([], [entry(9.0)]) == []
