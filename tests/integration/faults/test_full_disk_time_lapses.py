"""Each file of a time-lapse meets a full disk once, alone: no image is lost."""

import os
import tempfile
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest

from scopewatch.config import MicroManagerSourceConfig, PositionConfig
from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.examining import examine
from scopewatch.sources.micromanager.schedule.plan_file import read_kept
from tests.conftest import FakeClock
from tests.integration.full_disk import (
    NO_SPACE,
    Full,
    no_space_at,
)
from tests.unit.sources.time_lapse_scene import Scene as TimeLapse

FILES = "files.py"
PLAN = "sources/micromanager/schedule/plan_file.py write_plan"
PLANNED = {
    f"{PLAN} touch": Path,
    f"{PLAN} write_text": Path,
    f"{FILES} _sync fsync": os,
    f"{FILES} whole_file replace": Path,
}
QUIET = "sources/micromanager/examining.py _quiet_setup"
EXAMINED = {f"{QUIET} TemporaryDirectory": tempfile, f"{QUIET} write_text": Path}
# This place has a test of its own below.
SINGLE = {"sources/micromanager/acquired.py make_folder mkdir"}
COVERED = {*PLANNED, *EXAMINED, *SINGLE}


def test_a_time_lapse_without_a_folder_for_it_is_reported_and_started_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    lapse = TimeLapse(tmp_path / "data", clock)
    with no_space_at("sources/micromanager/acquired.py make_folder mkdir", Path) as full:
        with pytest.raises(SourceError, match=f"folder for the data sets .*{NO_SPACE}"):
            lapse.start()
        assert full.struck == 1
        full.relieve()
        lapse.start()
    lapse.at(0)
    assert lapse.acquired == [0]
    lapse.source.stop()


@pytest.mark.parametrize("place", PLANNED)
@pytest.mark.parametrize("and_removing", [False, True])
def test_a_plan_that_cannot_be_kept_costs_no_image_and_is_kept_later(
    tmp_path: Path, clock: FakeClock, place: str, and_removing: bool
) -> None:
    lapse = TimeLapse(tmp_path / "data", clock).start()
    with ExitStack() as held:
        full = held.enter_context(no_space_at(place, PLANNED[place]))
        unlinks = no_space_at(f"{FILES} whole_file unlink", Path)
        left = held.enter_context(unlinks if and_removing else nullcontext(Full()))
        lapse.at(0)
        assert full.struck >= 1
        assert left.struck == and_removing
        assert lapse.acquired == [0]
        assert read_kept(tmp_path / "data", "HES 7") is None
    lapse.at(1)
    kept = read_kept(tmp_path / "data", "HES 7")
    assert kept is not None
    assert kept.planned.over == 1
    lapse.source.stop()


@pytest.mark.parametrize("place", EXAMINED)
def test_a_core_that_cannot_be_queried_for_want_of_space_is_reported(
    tmp_path: Path, place: str
) -> None:
    setup = tmp_path / "scope.cfg"
    setup.write_text("Property,Core,Initialize,1\n", encoding="utf-8")
    config = MicroManagerSourceConfig(
        kind="micromanager",
        mode="acquire",
        path=tmp_path / "data",
        mm_app_path=tmp_path,
        mm_config=setup,
        positions=(PositionConfig(label="A1", x_um=0, y_um=0),),
    )
    with no_space_at(place, EXAMINED[place]) as full:
        with pytest.raises(SourceError, match=f"cannot be copied .*{NO_SPACE}"):
            examine(config)
        assert full.struck == 1
