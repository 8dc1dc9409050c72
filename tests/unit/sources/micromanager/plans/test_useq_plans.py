"""Plans that useq-schema writes become positions, channels and times, or a refusal by name."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.config import (
    ChannelConfig,
    MicroManagerSourceConfig,
    PhaseConfig,
    PositionConfig,
)
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.focus.search import stops
from scopewatch.sources.micromanager.images import events_of, steps_of
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.useq_file import read_useq
from scopewatch.sources.micromanager.schedule.grid import Grid

useq = pytest.importorskip("useq", reason="useq-schema comes with the extra micromanager")

PHASE = {"config": "Phase", "exposure": 20}
ALL = slice(None)
BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)


def read(**plan: Any) -> Imported:
    """Read a plan as useq-schema writes it, once as YAML and once as JSON."""
    sequence = useq.MDASequence(**plan)
    found = read_useq(yaml.safe_load(sequence.yaml()), "plan.yaml")
    as_json = sequence.model_dump_json(exclude_unset=True)
    assert read_useq(json.loads(as_json), "plan.yaml") == found
    return found


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        read_useq(raw, "plan.yaml")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def refused(**plan: Any) -> str:
    complaint = refusal(yaml.safe_load(useq.MDASequence(**plan).yaml()))
    begin, end = "plan asks for what scopewatch does not acquire: plan.yaml (got ", "); take it out"
    assert complaint.startswith(begin)
    return complaint.removeprefix(begin).partition(end)[0]


def test_positions_channels_and_times_are_those_of_the_plan() -> None:
    found = read(
        stage_positions=[(1, 2, 3), {"x": 4.5, "y": -6, "z": 7, "name": "B3"}],
        channels=[PHASE, {"config": "GFP", "group": "Light", "exposure": 500}],
        time_plan={"interval": {"hours": 12}, "loops": 20},
    )
    assert found.positions == (
        PositionConfig(label="Pos0", x_um=1, y_um=2, z_um=3),
        PositionConfig(label="B3", x_um=4.5, y_um=-6, z_um=7),
    )
    assert found.channels == (
        ChannelConfig(group="Channel", preset="Phase", exposure_ms=20),
        ChannelConfig(group="Light", preset="GFP", exposure_ms=500),
    )
    assert (found.interval_s, found.time_points) == (43_200, 20)


def test_a_plan_of_positions_alone_leaves_the_rest_to_the_source() -> None:
    found = read(stage_positions=[(1, 2)])
    assert found.positions == (PositionConfig(label="Pos0", x_um=1, y_um=2),)
    assert (found.channels, found.interval_s, found.time_points) == ((), None, None)


def test_wells_of_a_plate_have_their_sites_and_no_focus() -> None:
    found = read(
        stage_positions=useq.WellPlatePlan(
            plate="24-well",
            a1_center_xy=(100, 200),
            selected_wells=([0, 3], [0, 5]),
            well_points_plan=useq.GridRowsColumns(
                rows=1, columns=2, fov_width=600, fov_height=400, overlap=50
            ),
        )
    )
    assert [(each.label, each.x_um, each.y_um) for each in found.positions] == [
        ("A1_0000", -50, 200),
        ("A1_0001", 250, 200),
        ("D6_0000", 94_950, -56_800),
        ("D6_0001", 95_250, -56_800),
    ]
    # useq-schema 0.9 gives them z = 0, though a plate has no z.
    assert {each.z_um for each in found.positions} == {None}
    assert found.expected == {
        "A1_0000": ("A1", 0),
        "A1_0001": ("A1", 1),
        "D6_0000": ("D6", 0),
        "D6_0001": ("D6", 1),
    }


def test_one_site_of_a_well_is_called_by_the_well() -> None:
    plan = useq.WellPlatePlan(plate=96, a1_center_xy=(0, 0), selected_wells=ALL)
    found = read(stage_positions=plan)
    assert len(found.positions) == 96
    assert found.positions[-1] == PositionConfig(label="H12", x_um=99_000, y_um=-63_000)


def test_random_points_with_a_seed_are_the_same_at_each_start() -> None:
    points = useq.RandomPoints(num_points=3, random_seed=7, max_width=4000, max_height=4000)
    plan = useq.WellPlatePlan(
        plate=96, a1_center_xy=(0, 0), selected_wells=([0], [0]), well_points_plan=points
    )
    assert len(read(stage_positions=plan).positions) == 3


def test_a_grid_around_positions_makes_sites_of_them() -> None:
    grid = {"rows": 1, "columns": 2, "fov_width": 100, "fov_height": 100}
    found = read(
        stage_positions=[
            {"x": 0, "y": 0, "z": 5, "name": "A1"},
            {"x": 9000, "y": 0, "z": 6, "name": "A2"},
        ],
        grid_plan=grid,
    )
    assert [(each.label, each.x_um, each.z_um) for each in found.positions] == [
        ("A1_0000", -50, 5),
        ("A1_0001", 50, 5),
        ("A2_0000", 8950, 6),
        ("A2_0001", 9050, 6),
    ]
    own = read(
        stage_positions=[
            {"x": 0, "y": 0, "name": "A1", "sequence": {"grid_plan": grid}},
            {"x": 9000, "y": 0, "name": "A2"},
        ]
    )
    assert [each.label for each in own.positions] == ["A1_0000", "A1_0001", "A2"]


def test_an_absolute_grid_gives_the_places_whatever_x_and_y_are_left_beside_it() -> None:
    grid = {"top": 900, "left": 0, "bottom": 0, "right": 900, "fov_width": 500, "fov_height": 500}
    beside = [{"x": 7, "y": 8, "z": 5, "name": "A1"}]
    found = read_useq({"stage_positions": beside, "grid_plan": grid}, "plan.yaml")
    alone = [{"z": 5, "name": "A1"}]
    assert found == read_useq({"stage_positions": alone, "grid_plan": grid}, "plan.yaml")
    assert [(each.label, each.x_um, each.y_um, each.z_um) for each in found.positions] == [
        ("A1_0000", 250, 650, 5),
        ("A1_0001", 750, 650, 5),
        ("A1_0002", 750, 150, 5),
        ("A1_0003", 250, 150, 5),
    ]
    own = [{**beside[0], "sequence": {"grid_plan": grid}}]
    assert read_useq({"stage_positions": own}, "plan.yaml").positions == found.positions


def test_positions_are_those_that_useq_schema_would_visit() -> None:
    sequence = useq.MDASequence(
        stage_positions=[(10, 20, 1), (30, 40, 2)],
        grid_plan=useq.GridWidthHeight(width=300, height=200, fov_width=100, fov_height=100),
    )
    found = read_useq(yaml.safe_load(sequence.yaml()), "plan.yaml")
    visited = [(event.x_pos, event.y_pos, event.z_pos) for event in sequence]
    assert len(visited) == 12
    assert [(each.x_um, each.y_um, each.z_um) for each in found.positions] == visited


def test_phases_of_one_interval_are_one_row_of_time_points() -> None:
    hour = {"hours": 1}
    found = read(
        stage_positions=[(0, 0)],
        time_plan=[{"interval": hour, "loops": 3}, {"interval": hour, "duration": {"hours": 2}}],
    )
    assert (found.interval_s, found.time_points) == (3600, 5)
    single = read(stage_positions=[(0, 0)], time_plan={"interval": 10, "loops": 1})
    assert (single.interval_s, single.time_points) == (None, 1)


@pytest.mark.parametrize(
    "phases",
    [
        [{"interval": 10, "loops": 3}, {"interval": 2, "loops": 4}],
        [
            {"interval": 3600, "duration": 7200},
            {"interval": 5, "loops": 2},
            {"duration": 9, "loops": 4},
        ],
        [{"interval": 2, "loops": 1}, {"interval": 7, "loops": 3}],
    ],
)
def test_time_points_of_phases_lie_where_useq_schema_has_them(phases: list[dict[str, Any]]) -> None:
    found = read(stage_positions=[(0, 0)], time_plan=phases)
    timing = found.phases or (
        PhaseConfig(interval_s=found.interval_s or 1, time_points=found.time_points or 0),
    )
    config = MicroManagerSourceConfig(
        kind="micromanager", mode="acquire", path=Path(), positions=found.positions, phases=timing
    )
    grid = Grid(first=0, first_at=BEGAN, interval_s=timing[0].interval_s, then=steps_of(config))
    moments = list(useq.MDASequence(time_plan=phases).time_plan)
    assert config.planned_time_points == len(moments)
    assert [grid.offset_s(index) for index in range(len(moments))] == pytest.approx(moments)


@pytest.mark.parametrize(
    ("axes", "gridded", "every"),
    [
        ("t", False, "time-point"),
        ("p", False, "position"),
        ("tp", False, "position"),
        ("p", True, "well"),
        ("pg", True, "position"),
    ],
)
def test_the_focus_is_found_as_often_as_useq_schema_has_it(
    axes: str, gridded: bool, every: str
) -> None:
    grid = {"rows": 1, "columns": 2, "fov_width": 100, "fov_height": 100}
    plan: dict[str, Any] = {
        "stage_positions": [
            {"x": 0, "y": 0, "z": 1, "name": "A1"},
            {"x": 9000, "y": 0, "z": 2, "name": "A2"},
        ],
        "time_plan": {"interval": 5, "loops": 2},
        **({"grid_plan": grid} if gridded else {}),
    }
    focused = {**plan, "autofocus_plan": {"axes": list(axes)}}
    found = read(**focused)
    assert found.focus is not None
    assert (found.focus.method, found.focus.every) == ("autofocus", every)
    # As often as useq-schema has an event for it.
    searches = len(list(useq.MDASequence(**focused))) - len(list(useq.MDASequence(**plan)))
    wells = {each.label: each.label.partition("_")[0] for each in found.positions}
    config = MicroManagerSourceConfig(
        kind="micromanager",
        mode="acquire",
        path=Path(),
        positions=found.positions,
        focus=found.focus,
    )
    assert len(stops(config, list(events_of(config, 0)), wells)) * 2 == searches
    assert read(**plan).focus is None


def test_a_channel_of_every_nth_time_point_stays_one() -> None:
    found = read(
        stage_positions=[(0, 0)],
        channels=[PHASE, {"config": "GFP", "exposure": 300, "acquire_every": 4}],
        time_plan={"interval": 10, "loops": 9},
    )
    assert [each.every for each in found.channels] == [1, 4]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (
            {"z_plan": {"range": 40, "step": 1}},
            "z_plan of 41 planes, of which at most 32 are taken",
        ),
        ({"z_plan": {"relative": [2, 2]}}, "z_plan with one plane twice"),
        (
            {"z_plan": {"range": 4, "step": 1}, "channels": [{**PHASE, "do_stack": False}]},
            "z_plan, and no channel with do_stack",
        ),
        (
            {
                "z_plan": {"range": 4, "step": 1},
                "channels": [PHASE, {**PHASE, "config": "GFP"}],
                "axis_order": "tpgzc",
            },
            "axis_order tpgzc (acquired are time points, in them positions, in them channels,"
            " in them planes)",
        ),
        ({"z_plan": {"relative": [2]}}, "z_plan of a plane away from the position's own z"),
        ({"autofocus_plan": {"axes": ["p", "c"]}}, "autofocus_plan at each change of c"),
        ({"autofocus_plan": {"axes": []}}, "autofocus_plan at each change of nothing"),
        (
            {"autofocus_plan": {"axes": ["p"], "autofocus_motor_offset": 25}},
            "autofocus_motor_offset 25",
        ),
        ({"keep_shutter_open_across": ["c"]}, "keep_shutter_open_across"),
        ({"setup": {"properties": [("Camera", "Binning", "2")]}}, "setup"),
        (
            {
                "stage_positions": [(0, 0), (1, 1)],
                "channels": [PHASE, {"config": "GFP", "exposure": 9}],
                "axis_order": "tcpgz",
            },
            "axis_order tcpgz (acquired are time points, in them positions, in them channels,"
            " in them planes)",
        ),
        ({"channels": ["Phase"]}, "no exposure of channel 'Phase'"),
        (
            {"channels": [{**PHASE, "z_offset": 2}]},
            "z_offset of channel 'Phase' without a z_plan of several planes",
        ),
        ({"channels": [{**PHASE, "camera": "Side"}]}, "camera 'Side' of channel 'Phase'"),
        ({"time_plan": {"interval": 0, "loops": 3}}, "time_plan without an interval"),
        (
            {"time_plan": {"interval": 0.001, "duration": {"days": 10}}},
            "time_plan of more than 100000 time points",
        ),
        ({"time_plan": {"duration": 10, "loops": 1}}, "time_plan whose interval is not known"),
        ({"grid_plan": {"rows": 2, "columns": 2}}, "grid_plan without fov_width and fov_height"),
        (
            {"grid_plan": {"rows": 900, "columns": 900, "fov_width": 1, "fov_height": 1}},
            "grid_plan of 810000 places",
        ),
        (
            {"grid_plan": {"num_points": 3, "max_width": 100}},
            "grid_plan of random points without random_seed: others at each start",
        ),
        (
            {"stage_positions": [{"x": 0, "y": 0, "name": "A1", "properties": [("D", "P", "1")]}]},
            "properties of position 'A1'",
        ),
        (
            {
                "stage_positions": [
                    {
                        "x": 0,
                        "y": 0,
                        "name": "A1",
                        "sequence": {"channels": [PHASE], "z_plan": {"range": 2, "step": 1}},
                    }
                ]
            },
            "z_plan of its own of position 'A1'; channels of position 'A1'",
        ),
    ],
)
def test_what_is_not_acquired_is_refused_by_name(plan: dict[str, Any], expected: str) -> None:
    assert refused(**{"stage_positions": [(0, 0, 0)], **plan}) == expected


def test_all_that_is_not_acquired_is_named_in_one_line() -> None:
    complaint = refused(
        stage_positions=[(0, 0, 0)],
        z_plan={"range": 40, "step": 1},
        autofocus_plan={"axes": ["z"]},
        channels=["Phase"],
    )
    assert complaint == (
        "z_plan of 41 planes, of which at most 32 are taken; autofocus_plan at each change of z;"
        " no exposure of channel 'Phase'"
    )


def test_a_key_that_useq_schema_would_pass_over_is_named() -> None:
    complaint = refusal(
        {
            "stage_positions": [{"x": 0, "y": 0, "zz": 4}],
            "autofocus": {"axes": ["p"]},
            "time_plan": [{"interval": 5, "loops": 2, "jitter": 1}],
        }
    )
    assert "(got stage_positions[0].zz, autofocus, time_plan[0].jitter)" in complaint


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({}, "plan holds no position"),
        (
            {"stage_positions": {"plate": "96-well", "a1_center_xy": [0, 0]}},
            "a plate without selected_wells",
        ),
        (
            {
                "stage_positions": {
                    "plate": "96-well",
                    "a1_center_xy": [0, 0],
                    "selected_wells": [],
                }
            },
            "plan holds no position",
        ),
        (
            {"stage_positions": {"plate": "97-well", "a1_center_xy": [0, 0]}},
            "Unknown plate name '97-well'",
        ),
        ({"stage_positions": [{"x": "left"}]}, "x: Input should be a valid number"),
        ({"stage_positions": [{"x": 1}]}, "position of the plan has no x or y"),
        ({"stage_positions": [[0, 0]], "axis_order": "xyz"}, "Can only iterate over axes"),
        (
            {
                "stage_positions": [{"x": 1, "y": 2}, {"x": 3, "y": 4}],
                "grid_plan": {"top": 9, "left": 0, "bottom": 0, "right": 9},
            },
            "Global grid plan will override sub-position grid plans",
        ),
        ({"title": "not a plan"}, "holds keys that useq-schema does not know"),
    ],
)
def test_a_file_that_is_no_plan_says_why(raw: dict[str, Any], expected: str) -> None:
    assert expected in refusal(raw)
