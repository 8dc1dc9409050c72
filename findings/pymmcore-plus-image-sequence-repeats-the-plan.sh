#!/usr/bin/env bash
# pymmcore-plus 0.18.1, ImageSequenceWriter with the engine's own metadata: each frame's entry in
# `_frame_metadata.json` holds the whole plan again (`mda_event.sequence`). For a plate the side file
# outgrows small images, and the file is written whole each time: with the number of positions, the
# bytes of one entry grow, and those of the file by their square.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pymmcore-plus==0.18.1' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
from pathlib import Path

import numpy as np
import useq
from pymmcore_plus.mda.handlers import ImageSequenceWriter


def bytes_of_an_entry(positions: int) -> float:
    """Write one time point of so many positions; return the side file's bytes for a frame."""
    plan = useq.MDASequence(
        stage_positions=[{"x": n, "y": 0, "name": f"P{n}"} for n in range(positions)],
        channels=["Phase"],
    )
    folder = Path(f"run{positions}")
    writer = ImageSequenceWriter(folder)
    writer.sequenceStarted(plan)
    for event in plan:
        writer.frameReady(np.zeros((8, 8), np.uint16), event, {"mda_event": event})
    writer.sequenceFinished(plan)
    (side,) = folder.rglob("_frame_metadata.json")
    return side.stat().st_size / positions


few, many = bytes_of_an_entry(12), bytes_of_an_entry(96)
print(f"bytes for a frame in _frame_metadata.json: {few:.0f} of 12 positions, {many:.0f} of 96")
assert many > 4 * few, (few, many)
PYTHON
