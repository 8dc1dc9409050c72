"""The cost of repeated scans of OME-Zarr stores with 100,000 chunks.

    python -m benchmarks.zarr_looks                 # 100,000 chunks in each layout
    python -m benchmarks.zarr_looks --chunks 10000 --folder /dev/shm

Chunks are tiny, so that the time is that of scanning and not of reading pixels. `found` is the time
until every plane was reported; the others are single scans after that: without a change, with one
new chunk, and at a rescan. Memory is the largest growth of the process.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import zarr

from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.store import OmeZarrStore
from scopewatch.sources.readers.planes import ReadLimits

SIDE_PX = 8
CHANNELS = 2
Put = Callable[[int, int, int], None]


def one_image(folder: Path, chunks: int, *, separator: str) -> Put:
    """Make a store of one image; return the function that writes a plane."""
    root = zarr.create_group(folder)
    _describe(root, folder)
    _array(root, "0", chunks, separator)
    return lambda _image, t, c: _write(folder / "0", separator, t, c)


def plate(folder: Path, chunks: int, *, images: int = 864) -> Put:
    """Make a plate of 96 wells with 9 images each; return the function that writes a plane."""
    wells = [f"{chr(ord('A') + at // 12)}/{at % 12 + 1}" for at in range(96)]
    root = zarr.create_group(folder)
    root.attrs["ome"] = {"version": "0.5", "plate": {"wells": [{"path": well} for well in wells]}}
    paths = []
    for well in wells:
        names = [f"fov{at}" for at in range(images // 96)]
        group = root.create_group(well)
        group.attrs["ome"] = {"version": "0.5", "well": {"images": [{"path": n} for n in names]}}
        for name in names:
            paths.append(f"{well}/{name}")
            image = group.create_group(name)
            _describe(image, folder)
            _array(image, "0", chunks // images + 2 * CHANNELS, "/")
    return lambda image, t, c: _write(folder / paths[image] / "0", "/", t, c)


def main() -> None:
    """Print one row for each layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the stores are written")
    call = parser.parse_args()
    chunks = call.chunks
    layouts: dict[str, tuple[Callable[[Path], Put], int]] = {
        "one image, c/T/C/0/0": (lambda f: one_image(f, chunks, separator="/"), 1),
        "one image, c.T.C.0.0": (lambda f: one_image(f, chunks, separator="."), 1),
        "864 images, c/T/C/0/0": (lambda f: plate(f, chunks), 864),
    }
    titles = ("found", "no change", "one came", "rescan")
    print(f"{chunks} chunks{'':<16}" + "".join(f"{title:>12}" for title in titles) + "     memory")
    for name, (make, images) in layouts.items():
        with tempfile.TemporaryDirectory("", "zarr-looks-", call.folder) as temporary:
            put = make(Path(temporary) / "run.zarr")
            figures = measure(Path(temporary) / "run.zarr", put, chunks, images)
        row = "".join(f"{1e3 * seconds:>9.1f} ms" for seconds in figures[:4])
        print(f"{name:<29}{row}{figures[4] / 1e6:>8.1f} MB", flush=True)


def measure(store: Path, put: Put, chunks: int, images: int) -> tuple[float, ...]:
    """Return the seconds of each kind of scan, and the peak of allocated bytes."""
    for image, t, c in _places(chunks, images):
        put(image, t, c)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    followed = OmeZarrStore(store, ReadLimits(max_planes=2 * chunks), Patience())
    now_s, found, began_s = 0.0, 0, time.perf_counter()
    while new := followed.look(now_s, full=now_s == 0):
        found += len(new)
        now_s += 1
    found_s = time.perf_counter() - began_s
    memory = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert found == chunks, found
    for _ in range(4):  # until every folder's time is old enough to be trusted
        now_s += 1
        followed.look(now_s, full=False)
    idle_s = _timed(followed, now_s + 1, full=False, expected=0)
    put(images // 2, chunks // images // CHANNELS + 1, 0)
    came_s = _timed(followed, now_s + 2, full=False, expected=1)
    full_s = _timed(followed, now_s + 3, full=True, expected=0)
    return found_s, idle_s, came_s, full_s, memory


def _timed(followed: OmeZarrStore, now_s: float, *, full: bool, expected: int) -> float:
    began_s = time.perf_counter()
    found = followed.look(now_s, full=full)
    took_s = time.perf_counter() - began_s
    assert len(found) == expected, len(found)
    return took_s


def _places(chunks: int, images: int) -> Iterator[tuple[int, int, int]]:
    for number in range(chunks):
        plane, image = divmod(number, images)
        yield image, plane // CHANNELS, plane % CHANNELS


def _describe(group: zarr.Group, folder: Path) -> None:
    axes = [{"name": name, "type": kind} for name, kind in (("t", "time"), ("c", "channel"))]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scale = {"type": "scale", "scale": [1, 1, 0.65, 0.65]}
    dataset = {"path": "0", "coordinateTransformations": [scale]}
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": [dataset], "name": folder.stem}],
        "omero": {"channels": [{"label": "Phase"}, {"label": "GFP"}]},
    }


def _array(group: zarr.Group, name: str, planes: int, separator: str) -> None:
    group.create_array(
        name,
        shape=(planes // CHANNELS + 1, CHANNELS, SIDE_PX, SIDE_PX),
        chunks=(1, 1, SIDE_PX, SIDE_PX),
        dtype="uint8",
        compressors=None,
        chunk_key_encoding={"name": "default", "separator": "/" if separator == "/" else "."},
    )


def _write(array: Path, separator: str, t: int, c: int) -> None:
    path = array / separator.join(("c", str(t), str(c), "0", "0"))
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = t * CHANNELS + c + 1
    path.write_bytes(np.full(SIDE_PX * SIDE_PX, seed % 250 + 1, np.uint8).tobytes())


if __name__ == "__main__":
    main()
