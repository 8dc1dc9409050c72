#!/usr/bin/env bash
# ome-writers 0.3.2, OME-TIFF without compression: the file holds one image directory until the stream
# is closed, however many frames were appended. The pixels of later frames lie behind each other after
# the first; their directories come at close. With lzw, each frame has its directory at once.
# So a reader that counts directories sees one frame for the whole acquisition.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-writers[tifffile]==0.3.2' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import glob
import time

import numpy as np
import tifffile
from ome_writers import AcquisitionSettings, Dimension, create_stream

FRAMES, SIDE = 6, 64
seen = {}
for compression in (None, "lzw"):
    settings = AcquisitionSettings(
        root_path=f"{compression or 'raw'}.ome.tiff",
        dimensions=[
            Dimension(name="t", count=FRAMES, type="time"),
            Dimension(name="y", count=SIDE, type="space"),
            Dimension(name="x", count=SIDE, type="space"),
        ],
        dtype="uint16",
        compression=compression,
        format="tifffile",
    )
    with create_stream(settings) as stream:
        for number in range(FRAMES):
            stream.append(np.full((SIDE, SIDE), number + 1, np.uint16))
        time.sleep(2)  # the writer works in a thread of its own
        (path,) = glob.glob(f"{compression or 'raw'}*.tif*")
        with tifffile.TiffFile(path) as file:
            growing = len(file.pages)
    with tifffile.TiffFile(path) as file:
        closed = len(file.pages)
    seen[compression] = (growing, closed)
    print(f"compression {compression}: {growing} directories while open, {closed} after close")
assert seen == {None: (1, FRAMES), "lzw": (FRAMES, FRAMES)}, seen
PYTHON
