"""Checking a growing file again costs only what is new."""

from pathlib import Path

import numpy as np
import pytest

from scopewatch.sources.readers import memory as memory_module
from scopewatch.sources.readers.image_file import list_planes
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, Contents
from scopewatch.sources.readers.tiff import reader
from tests.unit.sources.images import pixels, write
from tests.unit.sources.ome_sets import plate


class Looks:
    """Reads a file with a cache and counts how often planes are sampled."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.memory = path, FileMemory(DEFAULT_LIMITS)
        self.sampled = 0
        sample = reader._sample

        def counting(*args: object) -> object:
            self.sampled += 1
            return sample(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(reader, "_sample", counting)

    def look(self, *, keep: bool = True) -> Contents:
        self.sampled = 0
        contents = list_planes(self.path, DEFAULT_LIMITS, self.memory)
        if keep:
            self.memory.keep(self.path, contents.stamp, contents.planes)
        return contents


def test_planes_that_are_known_are_not_read_again_as_a_file_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(tmp_path / "plate/plate_p000.ome.tiff", monkeypatch)
    with plate(tmp_path / "plate", times=20) as writer:
        for time in range(1, 21):
            writer.add(8)
            writer.settle()
            contents = looks.look()
            assert len(contents.planes) == 2 * time
            # Two new ones; the first and the last known ones show that it is the same file.
            assert looks.sampled <= 4
            fresh = list_planes(looks.path)
            assert contents.planes == fresh.planes
            assert contents.unfinished == fresh.unfinished


def test_all_is_read_again_where_the_metadata_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(tmp_path / "plate/plate_p000.ome.tiff", monkeypatch)
    with plate(tmp_path / "plate") as writer:
        writer.add(24)
        writer.settle()
        before = looks.look().planes
    after = looks.look().planes
    assert looks.sampled == 6
    assert [plane.fingerprint for plane in after] == [plane.fingerprint for plane in before]
    # DeltaT was written at the close.
    assert after[2].facts.acquired_at is not None
    assert before[2].facts.acquired_at is None


@pytest.mark.parametrize("page", [0, 3])
def test_all_is_read_again_where_the_first_or_the_last_plane_changed(
    tmp_path: Path, page: int
) -> None:
    path = write(
        tmp_path / "a.tif",
        np.stack([pixels(seed=seed) for seed in range(4)]),
        metadata={"axes": "TYX"},
    )
    memory = FileMemory(DEFAULT_LIMITS)
    before = list_planes(path, DEFAULT_LIMITS, memory)
    memory.keep(path, before.stamp, before.planes)
    start = int(before.planes[page].fingerprint.partition(":")[0])
    with path.open("r+b") as file:
        file.seek(start)
        file.write(pixels(seed=9).tobytes())
    after = list_planes(path, DEFAULT_LIMITS, memory)
    changed = [
        plane.page
        for plane, known in zip(after.planes, before.planes, strict=True)
        if plane.fingerprint != known.fingerprint
    ]
    assert changed == [page]


def test_now_and_then_all_planes_are_read_again(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tif",
        np.stack([pixels(seed=seed) for seed in range(4)]),
        metadata={"axes": "TYX"},
    )
    memory = FileMemory(DEFAULT_LIMITS)
    first = list_planes(path, DEFAULT_LIMITS, memory)
    memory.keep(path, first.stamp, first.planes)
    start = int(first.planes[1].fingerprint.partition(":")[0])
    with path.open("r+b") as file:
        file.seek(start)
        file.write(pixels(seed=9).tobytes())
    looks = 0
    while list_planes(path, DEFAULT_LIMITS, memory).planes == first.planes:
        looks += 1
        assert looks < 100
    assert looks == 63


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_KEPT_PLANES", 10)
    memory = FileMemory(DEFAULT_LIMITS)
    for number in range(5):
        path = write(
            tmp_path / f"{number}.tif",
            np.stack([pixels(seed=seed) for seed in range(4)]),
            metadata={"axes": "TYX"},
        )
        contents = list_planes(path, DEFAULT_LIMITS, memory)
        memory.keep(path, contents.stamp, contents.planes)
        assert memory.kept <= 10
    assert memory.known(path, contents.stamp)
    assert not memory.known(tmp_path / "0.tif", contents.stamp)
