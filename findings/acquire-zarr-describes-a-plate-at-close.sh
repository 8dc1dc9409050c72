#!/usr/bin/env bash
# acquire-zarr 0.10.0 with `hcs_plates` (OME-Zarr 0.5): while a stream is written, the store holds arrays
# and chunks alone. Plate, wells, images, scale and even the root group are described when the stream is
# closed. If the process is killed before, all pixels are there, and nothing tells which plate they
# belong to, how large a pixel is, or that the folder is an OME-Zarr store.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'acquire-zarr==0.10.0' 'numpy==2.4.6'
cd "$scratch"
cat >write.py <<'PYTHON'
import sys
import time

import acquire_zarr as aqz
import numpy as np

SIDE, TIMES = 64, 3


def axis(name, kind, size, unit, scale):
    """Describe an axis in chunks of one image."""
    return aqz.Dimension(
        name=name, kind=kind, array_size_px=size, chunk_size_px=size or 1, shard_size_chunks=1,
        unit=unit, scale=scale,
    )


array = aqz.ArraySettings(
    data_type=np.uint16,
    dimensions=[
        axis("t", aqz.DimensionType.TIME, 0, "hour", 12.0),
        axis("y", aqz.DimensionType.SPACE, SIDE, "micrometer", 0.65),
        axis("x", aqz.DimensionType.SPACE, SIDE, "micrometer", 0.65),
    ],
)
field = aqz.FieldOfView(path="fov0", acquisition_id=0, array_settings=array)
plate = aqz.Plate(
    path="plate",
    name="screen 7",
    row_names=["A", "B"],
    column_names=["1", "2", "3"],
    acquisitions=[aqz.Acquisition(id=0)],
    wells=[aqz.Well(row_name="B", column_name="3", images=[field])],
)
stream = aqz.ZarrStream(aqz.StreamSettings(store_path=sys.argv[1], hcs_plates=[plate]))
for number in range(TIMES):
    stream.append(np.full((SIDE, SIDE), number + 1, np.uint16), "plate/B/3/fov0")
if sys.argv[2] == "close":
    stream.close()
print("written", flush=True)
time.sleep(600)
PYTHON
venv/bin/python - <<'PYTHON'
import subprocess
import sys
import time
from pathlib import Path

seen = {}
for end in ("kill", "close"):
    store = Path(f"{end}.zarr")
    with subprocess.Popen(
        [sys.executable, "write.py", str(store), end], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        while "written" not in writer.stdout.readline():
            assert writer.poll() is None
        time.sleep(2)
        writer.kill()
    described = sorted(str(path.parent.relative_to(store)) for path in store.rglob("zarr.json"))
    chunks = sum(path.is_file() for path in store.rglob("c/*/0/0"))
    seen[end] = described, chunks
    print(f"{end}: {chunks} chunks; described: {described}")
array, chunks = ["plate/B/3/fov0/0"], 3
groups = [".", "plate", "plate/B", "plate/B/3", "plate/B/3/fov0"]
assert seen["kill"] == (array, chunks), seen
assert seen["close"][1] == chunks and set(groups) - {"plate/B"} <= set(seen["close"][0]), seen
PYTHON
