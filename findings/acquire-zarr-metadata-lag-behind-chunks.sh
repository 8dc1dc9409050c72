#!/usr/bin/env bash
# acquire-zarr 0.10.0 through ome-writers 0.3.2 (OME-Zarr 0.5): the metadata of an array lag behind its
# chunks. A whole chunk of the first time point lies there under its final name before the array has
# a zarr.json at all; later the shape in it is one time point short of the chunks. A reader that asks
# the shape which chunks may exist misses the newest frames until the next ones come.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-writers[acquire-zarr]==0.3.2' 'acquire-zarr==0.10.0'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import json
import time
from pathlib import Path

import numpy as np
from ome_writers import AcquisitionSettings, Channel, Dimension, create_stream

SIDE, TIMES, CHANNELS = 64, 3, 2
settings = AcquisitionSettings(
    root_path="run.ome.zarr",
    dimensions=[
        Dimension(name="t", count=TIMES, type="time", chunk_size=1),
        Dimension(name="c", type="channel", chunk_size=1, coords=["Phase", "GFP"]),
        Dimension(name="y", count=SIDE, type="space", chunk_size=SIDE),
        Dimension(name="x", count=SIDE, type="space", chunk_size=SIDE),
    ],
    dtype="uint16",
    format="acquire-zarr",
)


def look():
    store = Path("run.ome.zarr")
    arrays = [path for path in store.rglob("zarr.json") if '"array"' in path.read_text()]
    shape = json.loads(arrays[0].read_text())["shape"][:2] if arrays else None
    chunks = sorted(
        tuple(map(int, path.relative_to(store).parts[-4:-2]))
        for path in store.rglob("*")
        if path.is_file() and path.name != "zarr.json" and path.stat().st_size
    )
    return shape, chunks


seen = []
with create_stream(settings) as stream:
    for number in range(TIMES * CHANNELS):
        stream.append(np.full((SIDE, SIDE), number + 1, np.uint16))
        time.sleep(1)
        seen.append(look())
        print(f"after frame {number}: array shape (t, c) {seen[-1][0]}, chunks {seen[-1][1]}")
first_shape, first_chunks = seen[0]
assert first_shape is None and (0, 0) in first_chunks, seen[0]
third_shape, third_chunks = seen[2]
assert third_shape[0] == 1 and (1, 0) in third_chunks, seen[2]
PYTHON
