#!/usr/bin/env bash
# tifffile 2026.3.3 on one file of a multi-file OME-TIFF set without compression, as ome-writers 0.3.2
# writes it (a file for each position, the whole OME-XML in each): the series of the second position,
# asked of the first file, holds the pixels of the first position. `pages` of each file are right.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-writers[tifffile]==0.3.2' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import glob
import warnings

import numpy as np
import tifffile
from ome_writers import AcquisitionSettings, Dimension, Position, PositionDimension, create_stream

SIDE = 64
settings = AcquisitionSettings(
    root_path="run.ome.tiff",
    dimensions=[
        PositionDimension(positions=[Position(name="A1"), Position(name="B2")]),
        Dimension(name="y", count=SIDE, type="space"),
        Dimension(name="x", count=SIDE, type="space"),
    ],
    dtype="uint16",
    format="tifffile",
)
with create_stream(settings) as stream:
    for number in (1, 2):
        stream.append(np.full((SIDE, SIDE), number, np.uint16))
first, second = sorted(glob.glob("**/*.tif*", recursive=True))
warnings.simplefilter("ignore")
with tifffile.TiffFile(first) as file:
    of_series = [int(series.asarray().flat[0]) for series in file.series]
with tifffile.TiffFile(second) as file:
    of_pages = int(file.pages[0].asarray().flat[0])
print(f"{first}: series hold {of_series}; pages of {second} hold {of_pages}")
assert of_pages == 2 and of_series[1:] == [1], (of_series, of_pages)
PYTHON
