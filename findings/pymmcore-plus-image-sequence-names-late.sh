#!/usr/bin/env bash
# pymmcore-plus 0.18.1, ImageSequenceWriter: the name of a file holds numbers of time point, position
# and channel. Which well a position is stands only in `_frame_metadata.json` beside the images, and
# that is written with frames 0, 10, 20 ... and at the end. Up to nine images lie there unnamed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pymmcore-plus==0.18.1' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import numpy as np
import useq
from pymmcore_plus.mda.handlers import ImageSequenceWriter

FRAMES = 14
plan = useq.MDASequence(
    stage_positions=[{"x": 0, "y": 0, "name": "B3"}],
    time_plan={"interval": 0, "loops": FRAMES},
    channels=["Phase"],
)
folder = Path("run")
writer = ImageSequenceWriter(folder)
writer.sequenceStarted(plan)
named = []
for event in plan:
    writer.frameReady(np.zeros((8, 8), np.uint16), event, {"mda_event": event})
    (side,) = folder.rglob("_frame_metadata.json")
    images = len(list(folder.rglob("*.tif")))
    named.append((images, len(json.loads(side.read_text()))))
writer.sequenceFinished(plan)
print("images on disk, of these named in _frame_metadata.json:", named)
assert named[9] == (10, 1) and named[10] == (11, 11) and named[13] == (14, 11), named
PYTHON
