"""Real file names of every layout."""

import csv
import os
import re
import time
from datetime import datetime
from pathlib import Path

import pytest

from scopewatch.sources.layouts.layout import Example, Layout
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS

EXAMPLES = [
    pytest.param(layout.name, example, id=f"{layout.name}-{example.path}")
    for layout in LAYOUTS.values()
    for example in layout.examples
]
# The layout, not the name, defines whether it counts from 0 or 1.
UNDECIDED = {"zen": 41, "metamorph": 49}


def as_stated(layout: str, path: str) -> dict[str, object]:
    """Return the facts of a name in the terms of an example."""
    facts = NamePattern(layout).read(path)
    assert facts is not None, f"{layout} does not fit {path}"
    return {
        "plate": facts.plate,
        "well": facts.well,
        "site": facts.site,
        "position": facts.position,
        "time_point": facts.time_point,
        "elapsed_h": None if facts.elapsed_s is None else round(facts.elapsed_s / 3600, 2),
        "moment": facts.wall_time,
        "channel": facts.channel or facts.channel_code,
        "z": facts.z,
    }


@pytest.mark.parametrize(("layout", "example"), EXAMPLES)
def test_a_real_name_is_read_as_its_example_says(layout: str, example: Example) -> None:
    never = NamePattern(layout).never(example.path)
    if example.never is not None:
        assert str(never).startswith(
            f"file is never a frame: {example.path} (got {example.never});"
        )
        return
    assert never is None
    wanted = {name: getattr(example, name) for name in as_stated(layout, example.path)}
    assert as_stated(layout, example.path) == wanted


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_every_layout_has_real_names_and_says_whose_they_are(layout: Layout) -> None:
    assert layout.examples
    assert layout.program
    assert LAYOUTS[layout.name] is layout


def test_the_list_of_real_names_is_read_as_it_says() -> None:
    data = os.environ.get("SCOPEWATCH_DATA")
    if not data:
        pytest.skip("SCOPEWATCH_DATA is not set")
    with (Path(data) / "vendors" / "names.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) > 25
    for row in rows:
        layout, path = row["vendor"], row["path"]
        if "never a frame" in row["note"]:
            assert NamePattern(layout).never(path) is not None, path
            continue
        stated = as_stated(layout, path)
        del stated["position"]
        wanted: dict[str, object] = {name: row[name] or None for name in ("plate", "well")}
        wanted["channel"] = row["channel"] or None
        for name in ("site", "time_point", "z"):
            wanted[name] = int(row[name]) if row[name] else None
        wanted["elapsed_h"] = float(row["elapsed_h"]) if row["elapsed_h"] else None
        wanted["moment"] = datetime.fromisoformat(row["moment"]) if row["moment"] else None
        if layout in UNDECIDED:
            assert wanted["time_point"] is None
            wanted["time_point"] = UNDECIDED[layout]
        assert stated == wanted, path


def test_a_layout_with_a_slip_in_its_pattern_is_found_out_at_once() -> None:
    with pytest.raises(ValueError, match=r"layout x: groups \['wel'\]"):
        Layout(name="x", program="x", patterns=(r"(?P<wel>A1)",))
    with pytest.raises(ValueError, match="layout x: groups none"):
        Layout(name="x", program="x", patterns=("A1",))


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_every_pattern_is_a_regular_expression_with_the_groups_that_its_text_names(
    layout: Layout,
) -> None:
    for pattern in layout.patterns:
        assert set(re.compile(pattern).groupindex) == set(re.findall(r"\(\?P<(\w+)>", pattern))
    for never in layout.never:
        assert re.compile(never.pattern)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_reading_names_costs_little(layout: Layout) -> None:
    """A hundred thousand names are read in a second or two; here a bound that no machine misses."""
    names = NamePattern(layout.name)
    paths = [f"run/of/2024/{each.path}" for each in layout.examples] + ["holiday/IMG 2031.tif"]
    rounds = 200
    began = time.process_time()
    for _ in range(rounds):
        for path in paths:
            names.read(path)
    assert (time.process_time() - began) / (rounds * len(paths)) < 2e-3
