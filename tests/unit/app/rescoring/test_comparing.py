import json
from pathlib import Path

import pytest

from scopewatch.app.rescoring.comparing import Key, compare, read_old
from scopewatch.core.errors import ConfigError


def key(well: str, time_point: int = 0, run: str = "run 1") -> Key:
    return (run, "p1", well, 0, time_point, "phase")


def test_bias_error_and_correlation_of_each_well() -> None:
    old = {key("A1", 0): 0.1, key("A1", 1): 0.2, key("A1", 2): 0.4, key("B2"): 0.5}
    new = {key("A1", 0): 0.2, key("A1", 1): 0.1, key("A1", 2): 0.6, key("B2"): 0.4}
    found = compare(old, new)
    first = found.wells["run 1", "p1", "A1"]
    assert (first.frames, round(first.bias, 6), round(first.mae, 6)) == (3, 0.066667, 0.133333)
    assert first.r == pytest.approx(0.866025, abs=0.02)
    second = found.wells["run 1", "p1", "B2"]
    assert (second.frames, second.r) == (1, None)
    assert (round(second.bias, 6), round(second.mae, 6)) == (-0.1, 0.1)
    assert found.overall is not None
    assert (found.overall.frames, found.only_old, found.only_new) == (4, 0, 0)


def test_a_well_that_never_changes_has_no_correlation() -> None:
    old = {key("A1", number): 0.0 for number in range(4)}
    assert compare(old, old).wells["run 1", "p1", "A1"].r is None


def test_frames_of_one_side_alone_are_counted_and_not_compared() -> None:
    found = compare({key("A1"): 0.1, key("A2"): 0.2}, {key("A2"): 0.2, key("A3"): 0.3})
    assert (list(found.wells), found.only_old, found.only_new) == ([("run 1", "p1", "A2")], 1, 1)


def test_where_experiments_have_other_names_wells_are_compared_by_plate_and_well() -> None:
    found = compare({key("A1", run="HES7"): 0.1}, {key("A1", run="raw plate"): 0.2})
    assert (found.by_run, list(found.wells)) == (False, [("raw plate", "p1", "A1")])


def test_nothing_is_guessed_where_two_experiments_have_the_same_wells() -> None:
    old = {key("A1", run="HES7"): 0.1, key("A1", run="HES8"): 0.3}
    found = compare(old, {key("A1", run="raw plate"): 0.2})
    assert (found.overall, found.only_old, found.only_new) == (None, 2, 1)


def test_exports_and_lines_of_score_are_read(tmp_path: Path) -> None:
    names = "experiment,plate,well,site,time_point,channel,efficiency"
    export, lines = tmp_path / "a.csv", tmp_path / "a.jsonl"
    export.write_text(f"{names}\nrun 1,p1,A1,0,0,phase,0.25\nrun 1,p1,A2,0,0,phase,\n")
    values = dict(zip(names.split(","), ("run 1", "p1", "A1", 0, 0, "phase", 0.25), strict=True))
    lines.write_text(json.dumps(values) + "\n")
    assert read_old(export) == read_old(lines) == {key("A1"): 0.25}


def test_a_file_that_is_neither_is_refused_in_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"old results cannot be read: .*other.csv .*KeyError"):
        read_old(other)
