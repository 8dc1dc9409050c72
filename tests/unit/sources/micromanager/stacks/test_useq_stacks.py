"""The z plans of useq-schema become z-stacks at the heights that useq-schema itself gives."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.images import events_of
from scopewatch.sources.micromanager.plan import check_plan
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.settled import settle_plan
from scopewatch.sources.micromanager.plans.useq_file import read_useq
from scopewatch.sources.micromanager.stacks.planes import z_stack_of

useq = pytest.importorskip("useq", reason="useq-schema comes with the extra micromanager")

PHASE = {"config": "Phase", "exposure": 20}
GFP = {"config": "GFP", "exposure": 300, "do_stack": False}
RUN = RunConfig(name="HES 7", phase_channel="Phase")


def read(**plan: Any) -> Imported:
    sequence = useq.MDASequence(**plan)
    as_json = json.loads(sequence.model_dump_json(exclude_unset=True))
    found = read_useq(as_json, "plan.yaml")
    assert read_useq(yaml.safe_load(sequence.yaml()), "plan.yaml") == found
    return found


def settle(path: Path, sequence: Any, **source: Any) -> MicroManagerSourceConfig:
    path.write_text(sequence.yaml(), encoding="utf-8")
    config = MicroManagerSourceConfig(
        kind="micromanager", mode="acquire", path=path.parent, plan=path, **source
    )
    settled = settle_plan(config, RUN)
    check_plan(settled, reading_settings(settled, RUN))
    return settled


@pytest.mark.parametrize(
    "z_plan",
    [
        {"range": 8, "step": 2},
        {"range": 7, "step": 2},
        {"range": 5, "step": 2},
        {"above": 6, "below": 2, "step": 2},
        {"relative": [-4, -1, 0, 1, 4]},
        {"relative": [-4, -1, 0, 1, 4], "go_up": False},
        {"range": 8, "step": 2, "go_up": False},
        {"top": 14, "bottom": 6, "step": 2},
        {"absolute": [9, 10, 11.5]},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "channels", [[], [PHASE], [PHASE, GFP], [{**PHASE, "z_offset": 1.5}, {**GFP, "z_offset": -3}]]
)
def test_planes_are_taken_in_the_order_and_at_the_heights_of_the_plan(
    tmp_path: Path, z_plan: dict[str, Any], channels: list[dict[str, Any]]
) -> None:
    sequence = useq.MDASequence(
        stage_positions=[
            {"x": 0, "y": 0, "z": 10, "name": "A1"},
            {"x": 9000, "y": 0, "z": 10, "name": "A2"},
        ],
        channels=channels,
        z_plan=z_plan,
    )
    config = settle(tmp_path / "plan.yaml", sequence)
    stack = z_stack_of(config)
    taken = [
        (event["axes"]["position"], event["axes"].get("channel"), round(plane["z"], 6))
        for (_, _, channel), event in events_of(config, 0).items()
        for plane in stack.events(event, stack.planes(channel))
    ]
    theirs = [
        (each.pos_name, each.channel.config if each.channel else None, round(each.z_pos, 6))
        for each in sequence
    ]
    assert taken == theirs


def test_positions_of_a_relative_plan_may_have_any_height() -> None:
    found = read(stage_positions=[(0, 0, 5), (9, 9, 50)], z_plan={"range": 4, "step": 2})
    assert [each.z_um for each in found.positions] == [5, 50]
    assert found.z_stack is not None
    assert found.z_stack.planes_um == (-2, 0, 2)


def test_absolute_planes_give_positions_without_a_height_theirs() -> None:
    plate = {"plate": "96-well", "a1_center_xy": (0, 0), "selected_wells": ([0, 1], [0, 1])}
    found = read(stage_positions=plate, z_plan={"absolute": [96, 100, 103]})
    assert {each.z_um for each in found.positions} == {100}
    assert found.z_stack is not None
    assert found.z_stack.planes_um == (-4, 0, 3)


@pytest.mark.parametrize(
    ("heights", "got"),
    [
        ((5, 50), "z of 5, 50 um"),
        ((99, 99), "z of 99 um"),
        ((5, None), "z of 5 um"),
        ((1, 2, 3, 4), "z of 1, 2, 3 um and others"),
    ],
)
def test_absolute_planes_elsewhere_than_the_positions_are_refused(
    heights: tuple[float | None, ...], got: str
) -> None:
    positions = [{"x": 9 * i, "y": 0, "z": z} for i, z in enumerate(heights)]
    with pytest.raises(ConfigError) as refused:
        read(stage_positions=positions, z_plan={"top": 8, "bottom": 0, "step": 2})
    assert str(refused.value) == (
        "absolute z_plan does not lie around the positions, which have a z of their own:"
        f" plan.yaml (expected one z for all of them, from 0 to 8 um, or none, got {got});"
        " write a relative z_plan (range, above and below, or relative)"
    )


def test_a_plan_that_takes_fluorescence_as_a_stack_is_refused(tmp_path: Path) -> None:
    sequence = useq.MDASequence(
        stage_positions=[{"x": 0, "y": 0, "z": 0, "name": "A1"}],
        channels=[PHASE, {**GFP, "do_stack": True}],
        z_plan={"range": 4, "step": 2},
    )
    with pytest.raises(ConfigError, match=r"got 'Phase', 'GFP'\); correct in_z_stack"):
        settle(tmp_path / "plan.yaml", sequence)


def test_planes_of_plan_and_configuration_are_compared_whatever_their_form(tmp_path: Path) -> None:
    sequence = useq.MDASequence(
        stage_positions=[{"x": 0, "y": 0, "z": 0, "name": "A1"}], z_plan={"range": 4, "step": 2}
    )
    alike = {"below_um": 2, "above_um": 2, "step_um": 2}
    config = settle(tmp_path / "plan.yaml", sequence, z_stack=alike)
    assert z_stack_of(config).offsets_um == (-2, 0, 2)
    with pytest.raises(ConfigError) as refused:
        settle(tmp_path / "plan.yaml", sequence, z_stack={"range_um": 2, "step_um": 2})
    assert "got planes at -2, 0, 2 um in the plan, planes at -1, 1 um in the" in str(refused.value)


def test_positions_of_a_list_are_taken_with_the_planes_of_the_configuration(tmp_path: Path) -> None:
    sequence = useq.MDASequence(stage_positions=[{"x": 0, "y": 0, "z": 7, "name": "A1"}])
    config = settle(
        tmp_path / "plan.yaml",
        sequence,
        z_stack={"range_um": 2, "step_um": 1},
        channels=[{"group": "Channel", "preset": "Phase", "exposure_ms": 5}],
    )
    stack, (event,) = z_stack_of(config), events_of(config, 0).values()
    assert [each["z"] for each in stack.events(event, stack.planes("Phase"))] == [6, 7, 8]
