#!/usr/bin/env bash
# ome-writers 0.3.2, OME-TIFF of several positions, closed before the plan was through: each file holds
# the whole OME-XML, and in every file SizeT is corrected for the first image only. The other images
# still claim all planned time points, also in their own files, which hold fewer planes.
# So a reader that believes SizeT of its own file waits for planes that nobody ever took.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-writers[tifffile]==0.3.2' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import glob
from xml.etree import ElementTree

import numpy as np
import tifffile
from ome_writers import AcquisitionSettings, Dimension, Position, PositionDimension, create_stream

PLANNED, TAKEN, SIDE = 5, 2, 32
settings = AcquisitionSettings(
    root_path="run.ome.tiff",
    dimensions=[
        Dimension(name="t", count=PLANNED, type="time"),
        PositionDimension(positions=[Position(name="first"), Position(name="second")]),
        Dimension(name="y", count=SIDE, type="space"),
        Dimension(name="x", count=SIDE, type="space"),
    ],
    dtype="uint16",
    compression="lzw",
    format="tifffile",
)
with create_stream(settings) as stream:
    for number in range(2 * TAKEN):
        stream.append(np.full((SIDE, SIDE), number + 1, np.uint16))
seen = []
for path in sorted(glob.glob("run*/*.tif*") or glob.glob("run*.tif*")):
    with tifffile.TiffFile(path) as file:
        images = ElementTree.fromstring(file.ome_metadata).findall("{*}Image")
        claimed = [int(image.find("{*}Pixels").get("SizeT")) for image in images]
        seen.append((claimed, len(file.pages)))
        print(f"{path}: SizeT of the images {claimed}, planes in this file {len(file.pages)}")
assert seen == [([TAKEN, PLANNED], TAKEN)] * 2, seen
PYTHON
