"""Files that by their names are never frames fill no quarantine, and are counted."""

from pathlib import Path

from tests.unit.sources.folder_scene import Make
from tests.unit.sources.images import write

NAME = "Projection-Mix_E07_s1_w1{}.tif"


def test_thumbnails_are_left_out_and_counted_and_the_frame_is_offered(
    tmp_path: Path, make: Make
) -> None:
    for number in range(3):
        write(tmp_path / NAME.format(f"_thumb{number}BFD4018-E675-475E-B5AB-2E959E6B6DA1"))
    write(tmp_path / NAME.format("E94C24BD-45E4-450A-9919-257C714278F7"))
    scene = make(pattern="imagexpress").start()
    assert scene.inbox.keys == ["HES7/Projection-Mix/E7/s1/t0000/w1"]
    assert scene.inbox.reasons == []
    assert "; 3 files left out: a thumbnail" in scene.source.health().detail
    scene.source.scan()
    assert "; 3 files left out: a thumbnail" in scene.source.health().detail
