"""z-stacks of a real core, by each writer: a frame for each stack, which is its sharpest plane."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import FakeClock
from tests.unit.sources import folder_scene, ndtiff_scene, omezarr_scene
from tests.unit.sources.scenes import SourceScene
from tests.writers.z_plan import OUTPUTS, PLANES, TIMES, WELLS, sharp_plane, take

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(300)]
PROJECT = Path(__file__).resolve().parents[2]


def scene_of(writer: str, folder: Path, clock: FakeClock) -> SourceScene:
    if writer == "ndtiff":
        return ndtiff_scene.Scene(folder, clock, z="sharpest")
    if writer.startswith("ome-zarr"):
        return omezarr_scene.Scene(folder, clock, z="sharpest")
    layout = "useq" if writer == "image-sequence" else "scopewatch"
    return folder_scene.Scene(folder, clock, z="sharpest", pattern=layout)


@pytest.mark.parametrize("writer", OUTPUTS)
def test_each_stack_of_a_z_plan_is_one_frame(writer: str, tmp_path: Path, clock: FakeClock) -> None:
    scene = scene_of(writer, tmp_path, clock).start()
    try:
        command = [sys.executable, "-m", "tests.writers.z_plan", writer, str(tmp_path)]
        subprocess.run(command, cwd=PROJECT, check=True, timeout=200, capture_output=True)
        # Past the quiet time of files and of stacks.
        for _ in range(3):
            scene.later(11)
        assert scene.inbox.refusals == []
        # A writer may tell the times at its end: the same frame is offered again with its time.
        offered = {(each.locator, each.fingerprint): each for each in scene.inbox.tickets}
        frames = {(each.key.well, each.key.time_point): each for each in offered.values()}
        assert len(offered) == len(frames) == len(WELLS) * TIMES
        for position, (row, column) in enumerate(WELLS):
            for time_point in range(TIMES):
                ticket = frames[f"{'AB'[row]}{column + 1}", time_point]
                frame = scene.source.load(ticket)
                assert frame.stack is not None
                sharp = sharp_plane(time_point, position)
                assert (frame.stack.z, len(frame.stack.scores)) == (sharp, PLANES)
                assert (frame.pixels == take(time_point, position, sharp)).all()
    finally:
        scene.source.stop()
