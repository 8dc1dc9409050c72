"""A real core images the places of a list, a useq-schema plan and a plate, well by well."""

import json
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pycromanager
import pytest
import useq
from mmpycorex import Core

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError
from scopewatch.sources.micromanager.source import MicroManagerSource
from tests.hardware.acquiring_daemon import acquiring_daemon, stop, write
from tests.hardware.demo_core import adapters
from tests.integration.daemon import Daemon
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.micromanager.pos_lists import Marked, version_1_4, version_2

pytestmark = pytest.mark.hardware

RUN = RunConfig(name="HES 7", phase_channel="FITC", sites_per_well=2)
FITC = {"group": "Channel", "preset": "FITC", "exposure_ms": 5}
GRID = useq.GridRowsColumns(rows=1, columns=2, fov_width=800, fov_height=800)
PLATE_PLAN = useq.MDASequence(
    stage_positions=useq.WellPlatePlan(
        plate=useq.WellPlate.from_str("96-well"),
        a1_center_xy=(100, 200),
        rotation=2,
        selected_wells=((0, 1), (0, 2)),
        well_points_plan=GRID,
    ),
    channels=(useq.Channel(config="FITC", exposure=5), useq.Channel(config="DAPI", exposure=5)),
    time_plan=useq.TIntervalLoops(interval=timedelta(hours=1), loops=2),
)
PLACES = {event.pos_name: (event.x_pos, event.y_pos) for event in PLATE_PLAN}
Seen = list[tuple[str, float, float, float]]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Return the positions of the core's stages at each image."""
    found: Seen = []
    real = pycromanager.Acquisition

    def look(event: dict[str, Any]) -> dict[str, Any]:
        core = Core()
        found.append(
            (
                event["axes"]["position"],
                core.get_x_position(),
                core.get_y_position(),
                core.get_position(),
            )
        )
        return event

    monkeypatch.setattr(
        pycromanager,
        "Acquisition",
        lambda **options: real(**options, post_hardware_hook_fn=look),
    )
    return found


def acquire(folder: Path, **source: Any) -> FakeInbox:
    """Acquire a time point; return the tickets that the inbox was offered."""
    config = MicroManagerSourceConfig.model_validate(
        {
            "kind": "micromanager",
            "mode": "acquire",
            "path": folder / "images",
            "mm_app_path": Path(adapters.device_adapter_path()),
            "poll_s": 0.2,
            **source,
        }
    )
    inbox = FakeInbox()
    made = MicroManagerSource(config, RUN, RealClock())
    made.start(inbox, FakeLedger())
    try:
        assert made.acquire_time_point(0)
    finally:
        made.stop()
    return inbox


def test_a_well_plate_plan_of_useq_schema_is_imaged_where_it_says(
    tmp_path: Path, threads: None, seen: Seen
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(str(PLATE_PLAN.yaml()), encoding="utf-8")
    inbox = acquire(tmp_path, plan=path)
    assert [label for label, *_ in seen] == [label for label in PLACES for _ in range(2)]
    for label, x_um, y_um, z_um in seen:
        # The demo stage moves in steps of its own.
        assert (x_um, y_um) == pytest.approx(PLACES[label], abs=0.1)
        assert z_um == 0
    keys = {(each.key.well, each.key.site) for each in inbox.tickets if each.key is not None}
    assert keys == {("A1", 0), ("A1", 1), ("B3", 0), ("B3", 1)}


@pytest.mark.parametrize("write_list", [version_2, version_1_4])
def test_a_position_list_is_imaged_where_its_stages_stood(
    tmp_path: Path, threads: None, seen: Seen, write_list: Callable[[list[Marked]], str]
) -> None:
    path = tmp_path / "list.pos"
    places = {"A1-Site_0": (0, 0, 4), "A1-Site_1": (700, 0, 5), "C5-Site_0": (36_000, 18_000, 6)}
    marked = [
        Marked(label, {"Z": (z_um,), "XY": (x_um, y_um)})
        for label, (x_um, y_um, z_um) in places.items()
    ]
    path.write_text(write_list(marked), encoding="utf-8")
    inbox = acquire(tmp_path, plan=path, channels=[FITC])
    assert [label for label, *_ in seen] == list(places)
    for label, *at in seen:
        assert at == pytest.approx(places[label], abs=0.1)
    keys = {(each.key.well, each.key.site) for each in inbox.tickets if each.key is not None}
    assert keys == {("A1", 0), ("A1", 1), ("C5", 0)}


def test_a_plate_is_imaged_where_the_useq_plan_of_that_plate_is(
    tmp_path: Path, threads: None, seen: Seen
) -> None:
    whole = PLATE_PLAN.stage_positions
    assert isinstance(whole, useq.WellPlatePlan)
    centres = {each.name: [each.x, each.y] for each in whole.all_well_positions}
    plate = {
        "type": "96-well",
        "centres_um": {"A1": centres["A1"], "H12": centres["H12"]},
        "wells": ["A1", "B3"],
        "sites": {"columns": 2, "spacing_um": 800},
    }
    acquire(tmp_path, plate=plate, channels=[FITC])
    assert [label for label, *_ in seen] == list(PLACES)
    for label, x_um, y_um, _ in seen:
        assert (x_um, y_um) == pytest.approx(PLACES[label], abs=0.1)


def test_a_list_for_a_drive_that_the_core_does_not_focus_with_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.pos"
    offset = Marked("A1", {"XY": (0, 0), "Autofocus Offset": (3,)}, z_stage="Autofocus Offset")
    path.write_text(version_2([offset]), encoding="utf-8")
    with pytest.raises(ConfigError, match="expected 'Z', the default of"):
        acquire(tmp_path, plan=path, channels=[FITC])


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    made = acquiring_daemon(tmp_path, eventually)
    yield made
    stop(made)


def test_a_daemon_takes_a_list_up_and_refuses_a_reload_to_a_broken_one(daemon: Daemon) -> None:
    path = daemon.root / "list.pos"
    path.write_text(version_2([Marked("B2", {"XY": (9000, 9000)}, z_stage="")]), encoding="utf-8")
    (source,) = daemon.settings["sources"]
    daemon.settings["sources"] = [{**source, "positions": [], "plan": "list.pos"}]
    daemon.start_ready()
    daemon.eventually(lambda: daemon.count("time point acquired") == 1, 40)
    status = json.loads(daemon.ask("status", "--json").stdout)
    (acquisition,) = status["acquisitions"]
    assert (acquisition["positions"], acquisition["problem"]) == (1, "")
    assert acquisition["image"].startswith("512 x 512 px, ")
    checked = daemon.ask("check").stdout
    assert "disk for the " in checked
    path.write_text("{}", encoding="utf-8")
    write(daemon)
    assert daemon.process is not None
    daemon.process.send_signal(signal.SIGHUP)
    daemon.eventually(lambda: daemon.count("reload refused") == 1, 40)
    assert daemon.process.poll() is None
    assert daemon.end(within_s=20) == 0
