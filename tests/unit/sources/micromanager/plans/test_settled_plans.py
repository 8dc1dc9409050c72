"""A source with a plan or a plate acquires as planned, or is refused before it begins."""

import json
from pathlib import Path
from typing import Any

import pytest

from scopewatch.config import MicroManagerSourceConfig, RunConfig, load_config
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.plans.settled import settle_plan
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.conftest import FakeClock
from tests.unit.sources.micromanager.pos_lists import Marked, marked, version_1_4, version_2

useq = pytest.importorskip("useq", reason="useq-schema comes with the extra micromanager")

RUN = RunConfig(name="run 8", phase_channel="Phase")
PHASE = {"group": "Channel", "preset": "Phase", "exposure_ms": 20}
PLATE = {
    "type": "96-well",
    "centres_um": {"A1": [1000, 2000]},
    "rotation_deg": 1.2,
    "y_with_rows": "falls",
    "sites": {"columns": 2, "spacing_um": 1000},
}


def settle(path: Path, **source: Any) -> MicroManagerSourceConfig:
    given = {"kind": "micromanager", "mode": "acquire", "path": path / "images", "name": "scope"}
    return settle_plan(MicroManagerSourceConfig.model_validate({**given, **source}), RUN)


def plate_plan(**more: Any) -> Any:
    return useq.MDASequence(
        stage_positions=useq.WellPlatePlan(
            plate="96-well",
            a1_center_xy=(1000, 2000),
            rotation=1.2,
            selected_wells=slice(None),
            well_points_plan=useq.GridRowsColumns(
                rows=1, columns=2, fov_width=1000, fov_height=1000
            ),
        ),
        **more,
    )


def test_a_list_a_useq_plan_and_a_plate_give_the_same_positions(tmp_path: Path) -> None:
    plate = settle(tmp_path, plate=PLATE).positions
    assert len(plate) == 192
    (tmp_path / "plan.yaml").write_text(plate_plan().yaml(), encoding="utf-8")
    (tmp_path / "plan.json").write_text(plate_plan().model_dump_json(), encoding="utf-8")
    (tmp_path / "list.pos").write_text(version_2(marked(plate)), encoding="utf-8")
    (tmp_path / "old.pos").write_text(version_1_4(marked(plate)), encoding="utf-8")
    for name in ("plan.yaml", "plan.json", "list.pos", "old.pos"):
        found = settle(tmp_path, plan=tmp_path / name).positions
        key = {each.label: each for each in found}
        assert key == {each.label: each for each in plate}, name


def test_a_plan_brings_its_channels_and_times(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    plan = plate_plan(
        channels=[{"config": "Phase", "exposure": 20}], time_plan={"interval": 600, "loops": 7}
    )
    path.write_text(plan.yaml(), encoding="utf-8")
    settled = settle(tmp_path, plan=path)
    assert [each.model_dump(exclude_defaults=True) for each in settled.channels] == [PHASE]
    assert (settled.interval_s, settled.time_points) == (600, 7)
    assert settled.plan is None
    alike = settle(tmp_path, plan=path, channels=[PHASE], interval_s=600, time_points=7)
    assert alike == settled


def test_what_plan_and_configuration_say_otherwise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    plan = plate_plan(
        channels=[{"config": "Phase", "exposure": 20}], time_plan={"interval": 600, "loops": 7}
    )
    path.write_text(plan.yaml(), encoding="utf-8")
    other = {**PHASE, "exposure_ms": 10}
    with pytest.raises(ConfigError) as refused:
        settle(tmp_path, plan=path, channels=[other], interval_s=60, time_points=8)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        f"{name} of the plan and of the configuration differ"
        for name in ("channels", "interval_s", "time_points")
    ]
    assert "got 600 in the plan, 60 in the configuration" in str(refused.value)


def test_phases_of_a_plan_take_the_place_of_the_interval(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    phases = [{"interval": 600, "loops": 3}, {"interval": 60, "loops": 5}]
    path.write_text(plate_plan(time_plan=phases).yaml(), encoding="utf-8")
    settled = settle(tmp_path, plan=path)
    assert [(each.interval_s, each.time_points) for each in settled.timing] == [(600, 2), (60, 5)]
    assert settle(tmp_path, plan=path, phases=settled.phases) == settled
    with pytest.raises(ConfigError, match="times of the plan and of the configuration differ"):
        settle(tmp_path, plan=path, interval_s=600)
    path.write_text(plate_plan(time_plan=phases[0]).yaml(), encoding="utf-8")
    with pytest.raises(ConfigError, match="an interval in the plan, phases in the configuration"):
        settle(tmp_path, plan=path, phases=settled.phases)


def test_a_source_with_positions_of_its_own_stays_as_it_is(tmp_path: Path) -> None:
    given = {"positions": [{"label": "A1", "x_um": 0, "y_um": 0}]}
    assert settle(tmp_path, **given) == settle(tmp_path, **given)
    assert settle(tmp_path, **given).positions[0].label == "A1"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "got No such file or directory"),
        (b"\xff\xfe\x00", "got not UTF-8 text"),
        (b"- 1\n- 2\n", "got no keys at its top"),
        (b'{"stage_positions": [', "Expecting value"),
        (b"a: [1\n", "while parsing a flow sequence"),
        (b"stage_positions: &a [*a]\n", "plan"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_in_one_line(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "plan.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        settle(tmp_path, plan=path)
    assert expected in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_position_pattern_that_reads_the_plates_labels_otherwise_is_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError) as refused:
        settle(tmp_path, plate=PLATE, position=r"(?P<well>[A-H]\d+)_(?P<site>\d)\d*")
    assert str(refused.value) == (
        "label of a position of the plate is read as another well or site: source 'scope':"
        " 'A1_0001' (expected well A1 site 1, got well A1 site 0); leave `position` of the source"
        " out, or let it read labels like A1_0000"
    )
    with pytest.raises(ConfigError, match="got well A1_0000 site 0"):
        settle(tmp_path, plate=PLATE, position=r"(?P<well>[A-H]\d+)-(?P<site>\d+)")


@pytest.fixture
def microscope(tmp_path: Path) -> dict[str, Any]:
    pytest.importorskip("pycromanager", reason="pycro-manager is an extra")
    setup = tmp_path / "scope.cfg"
    setup.write_text("Property,Core,XYStage,TIXY\nProperty,Core,Focus,TIZ\n", encoding="utf-8")
    return {"mm_app_path": tmp_path, "mm_config": setup}


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (Marked("A1", {"TIXY": (1, 2), "TIZ": (3,)}, "TIXY", "TIZ"), None),
        (Marked("A1", {"TIXY": (1, 2)}, "TIXY", ""), None),
        (
            Marked("A1", {"XY": (1, 2)}, "XY", ""),
            "(expected 'TIXY', the default of scope.cfg, got 'XY')",
        ),
        (
            Marked("A1", {"TIXY": (1, 2), "PFSOffset": (3,)}, "TIXY", "PFSOffset"),
            "(expected 'TIZ', the default of scope.cfg, got 'PFSOffset')",
        ),
    ],
)
def test_a_list_for_another_stage_than_the_core_moves_is_refused(
    tmp_path: Path, microscope: dict[str, Any], position: Marked, expected: str | None
) -> None:
    path = tmp_path / "list.pos"
    path.write_text(version_2([position]), encoding="utf-8")
    if expected is None:
        assert settle(tmp_path, plan=path, **microscope).positions[0].x_um == 1
        return
    with pytest.raises(ConfigError) as refused:
        settle(tmp_path, plan=path, **microscope)
    assert expected in str(refused.value)


def test_the_source_itself_refuses_a_plan_before_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "list.pos"
    path.write_text(version_2([Marked("A1", {"XY": (1, 2)}, z_stage="")] * 2), encoding="utf-8")
    config = MicroManagerSourceConfig(
        kind="micromanager", mode="acquire", path=tmp_path, plan=path, backend="java"
    )
    with pytest.raises(ConfigError, match="two positions have one label"):
        MicroManagerSource(config, RUN, FakeClock())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({}, "mode acquire needs positions, or a plan or plate that gives them"),
        ({"plan": "a.pos", "plate": PLATE}, "plan and plate each give positions; leave one"),
        ({"plate": {"centres_um": {"A1": [0, 0]}}}, "a plate needs a type, or rows"),
        ({"plate": {**PLATE, "rows": 8}}, "a plate has a type, or rows, columns and pitch_um"),
        ({"plate": {**PLATE, "sites": {"columns": 2}}}, "more than one site needs spacing_um"),
        ({"plate": {**PLATE, "wells": ["A1-B3"]}}, "is written A1:B3"),
        ({"plate": {**PLATE, "centres_um": {"A1": [1]}}}, "centres_um holds [x, y] or [x, y, z]"),
        ({"plate": {**PLATE, "centres_um": {}}}, "centres_um holds [x, y] or [x, y, z]"),
        (
            {"plate": {**PLATE, "sites": {"columns": 2, "spacing_um": "1 mm"}}},
            "spacing_um is a number of micrometres, or [in x, in y]",
        ),
        (
            {"plate": {**PLATE, "type": None, "rows": 2, "columns": 2, "pitch_um": -1}},
            "pitch_um is a number of micrometres, or [along a row, along a column]",
        ),
    ],
)
def test_a_configuration_that_gives_no_clear_positions_is_refused(
    tmp_path: Path, source: dict[str, Any], expected: str
) -> None:
    path = tmp_path / "config.yaml"
    made = {"kind": "micromanager", "mode": "acquire", "path": "images", **source}
    content = {"experiment": {"name": "run 8"}, "model": {"bundle": "m"}, "sources": [made]}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_path_of_a_plan_is_taken_from_the_configurations_folder(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    made = {"kind": "micromanager", "mode": "acquire", "path": "images", "plan": "list.pos"}
    content = {"experiment": {"name": "run 8"}, "model": {"bundle": "m"}, "sources": [made]}
    path.write_text(json.dumps(content), encoding="utf-8")
    (source,) = load_config(path).sources
    assert isinstance(source, MicroManagerSourceConfig)
    assert source.plan == tmp_path / "list.pos"
