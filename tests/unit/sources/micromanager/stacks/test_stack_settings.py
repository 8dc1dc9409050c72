"""Settings of a z-stack: its three forms, what a plan with one refuses, and what it costs."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scopewatch.config import (
    ActsConfig,
    ChannelConfig,
    FocusConfig,
    MicroManagerSourceConfig,
    RunConfig,
    ZStackConfig,
)
from scopewatch.core.errors import ConfigError
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acts.slack import act_s, longest_act_s
from scopewatch.sources.micromanager.plan import check_plan
from scopewatch.sources.micromanager.plans.projection import FrameSize, project
from scopewatch.sources.micromanager.plans.settled import settle_plan
from tests.unit.sources.time_lapse_scene import RUN, settings

STACK = {"range_um": 4, "step_um": 2}
SEEN = FrameSize(width_px=100, height_px=100, bytes_per_px=1, origin="as the images of run_1")


def settled(path: Path, run: RunConfig = RUN, **changes: Any) -> MicroManagerSourceConfig:
    return settle_plan(settings(path, **{"z_stack": STACK, **changes}), run)


def refusal(path: Path, run: RunConfig = RUN, **changes: Any) -> str:
    config = settled(path, run, **changes)
    with pytest.raises(ConfigError) as refused:
        check_plan(config, reading_settings(config, run))
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize(
    ("given", "planes"),
    [
        ({"range_um": 8, "step_um": 2}, (-4, -2, 0, 2, 4)),
        ({"range_um": 3, "step_um": 1}, (-1.5, -0.5, 0.5, 1.5)),
        ({"range_um": 0.9, "step_um": 0.3}, (-0.45, -0.15, 0.15, 0.45)),
        ({"below_um": 0, "above_um": 6, "step_um": 3}, (0, 3, 6)),
        ({"below_um": 6, "above_um": 0, "step_um": 3}, (-6, -3, 0)),
        ({"offsets_um": [4, 0, -3]}, (4, 0, -3)),
    ],
)
def test_planes_are_a_range_or_a_list(given: dict[str, Any], planes: tuple[float, ...]) -> None:
    assert ZStackConfig.model_validate(given).planes_um == planes


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({}, "got none of them"),
        ({"range_um": 8}, "got range_um"),
        ({"range_um": 8, "offsets_um": [0, 1]}, "got offsets_um, range_um"),
        ({"below_um": 4, "step_um": 2}, "got below_um, step_um"),
        ({"range_um": 7, "step_um": 2}, "range of 7 um is no multiple of step_um, 2"),
        (
            {"range_um": 200, "step_um": 2},
            "expected 2 to 32 planes, each at its own height, got 101",
        ),
        ({"below_um": 0, "above_um": 0, "step_um": 1}, "got 1"),
        ({"offsets_um": [3]}, "got 1"),
        ({"offsets_um": [3, 3]}, "each at its own height, got 2"),
        ({"offsets_um": [0, float("nan")]}, "finite number"),
    ],
)
def test_what_is_no_small_stack_is_refused(given: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ZStackConfig.model_validate(given)
    assert line in str(refused.value)


def test_the_phase_channel_alone_is_a_stack(tmp_path: Path) -> None:
    assert [each.in_z_stack for each in settled(tmp_path).channels] == [True, False]
    config = settled(tmp_path, channels=None)
    assert config.channels == ()
    check_plan(config, reading_settings(config, RUN))


def test_a_channel_that_is_not_scored_is_no_stack(tmp_path: Path) -> None:
    channels = [
        ChannelConfig(group="Channel", preset="BF", exposure_ms=9, in_z_stack=False),
        ChannelConfig(group="Channel", preset="GFP", exposure_ms=9, in_z_stack=True),
    ]
    line = refusal(tmp_path, channels=channels)
    assert line == (
        "planes are taken of channels that are not scored, or not of the one that is: z_stack of"
        " the source 'micromanager' (expected a z-stack of the phase_channel alone ('BF'), got"
        " 'GFP'); correct in_z_stack of the channels, or do_stack of the plan"
    )


def test_of_a_plan_by_itself_whose_phase_channel_is_not_known_one_channel_may_be_one(
    tmp_path: Path,
) -> None:
    run = RunConfig(name="plan")
    channels = [
        ChannelConfig(group="Channel", preset="Ph1", exposure_ms=9, in_z_stack=True),
        ChannelConfig(group="Channel", preset="GFP", exposure_ms=9, in_z_stack=False),
    ]
    config = settled(tmp_path, run, channels=channels)
    check_plan(config, reading_settings(config, run))
    both = [each.model_copy(update={"in_z_stack": True}) for each in channels]
    assert "got 'Ph1', 'GFP'" in refusal(tmp_path, run, channels=both)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"z": 2}, "z names one plane, and the sharpest of the z-stack is scored"),
        ({"acts": ActsConfig(reimage_unfit=True)}, "takes single images again, and no z-stacks"),
        (
            {"z_stack": None, "focus": FocusConfig(method="z-stack")},
            "got focus.method z-stack); set z_stack, or leave it out",
        ),
        (
            {
                "z_stack": None,
                "channels": [
                    ChannelConfig(group="Channel", preset="BF", exposure_ms=9, in_z_stack=True)
                ],
            },
            "got in_z_stack of 'BF'); set z_stack",
        ),
    ],
)
def test_what_does_not_go_with_a_stack_is_refused(
    tmp_path: Path, changes: dict[str, Any], line: str
) -> None:
    assert line in refusal(tmp_path, **changes)


def test_a_focus_that_follows_the_planes_has_no_device(tmp_path: Path) -> None:
    for changes in ({"every": "well"}, {"device": "PFS"}, {"on_failure": "skip"}):
        with pytest.raises(ValidationError, match="are for methods lock and autofocus"):
            FocusConfig.model_validate({"method": "z-stack", **changes})
    offset = settings(tmp_path).positions[0].model_copy(update={"focus_offset_um": 2})
    line = refusal(tmp_path, positions=[offset], focus=FocusConfig(method="z-stack"))
    assert "expected method lock or autofocus, got z-stack; 'A1'" in line


def test_each_plane_costs_time_disk_and_light(tmp_path: Path) -> None:
    wells = {"A1": "A1", "A2": "A2"}
    plain = project(settled(tmp_path, z_stack=None), wells, SEEN)
    found = project(settled(tmp_path), wells, SEEN)
    assert (plain.images, found.images) == (4, 8)
    assert found.exposure_s == pytest.approx(2 * (3 * 0.010 + 0.5))
    assert found.other_s == pytest.approx(8 * 0.15)
    assert found.focus_s == 0
    assert found.disk_bytes == 2 * plain.disk_bytes == 3 * 8 * SEEN.image_bytes
    assert found.disk_from(2) == 8 * SEEN.image_bytes
    phase, gfp = found.doses
    assert (phase.planes, phase.images, gfp.planes, gfp.images) == (3, 9, 1, 3)
    assert [phase.total_s, gfp.total_s] == pytest.approx([0.09, 1.5])
    assert phase.total_from_s(3, 2) == pytest.approx(0.03)
    alone = project(settled(tmp_path, channels=None), wells, SEEN)
    assert (alone.images, alone.disk_from(0)) == (6, 18 * SEEN.image_bytes)


def test_a_further_site_takes_as_long_as_its_planes(tmp_path: Path) -> None:
    acts = ActsConfig.model_validate({"more_sites": {"offsets_um": [[400, 0]]}})
    single = longest_act_s(settled(tmp_path, acts=acts, z_stack=None))
    config = settled(tmp_path, acts=acts)
    assert longest_act_s(config) == pytest.approx(single + 2 * 2 * (0.5 + 0.15))
    assert longest_act_s(config) == act_s(config, 500, refocus=False, planes=3)
