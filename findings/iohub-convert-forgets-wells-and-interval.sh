#!/usr/bin/env bash
# iohub 0.2.3.post1, `iohub convert` of a data set of Micro-Manager (NDTiff) with positions A1-Site_0 and
# B2-Site_0 and an interval of 12 h: the plate that it writes has a row 0 with columns 0 and 1, in the
# order of the positions, and its time axis has a step of 1 second. The labels are left in a file beside
# the pixels alone. The command line has no option for wells; the Python class TIFFConverter has.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'iohub==0.2.3.post1' 'ndstorage==0.1.18' 'zarr==2.18.7' 'numcodecs==0.15.1'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import numpy as np
from ndstorage import NDTiffDataset

LABELS, TIMES, INTERVAL_MS = ("A1-Site_0", "B2-Site_0"), 2, 12 * 3_600_000.0
stage = {"GridRow": 0, "GridCol": 0, "DefaultXYStage": "XY"}
device = [{"Device": "XY", "Position_um": [0.0, 0.0]}]
summary = {
    "MicroManagerVersion": "2.0.1",
    "Prefix": "run",
    "ChNames": ["Phase"],
    "Channels": 1,
    "Slices": 1,
    "Frames": TIMES,
    "Positions": len(LABELS),
    "Interval_ms": INTERVAL_MS,
    "PixelSize_um": 0.65,
    "z-step_um": 1.0,
    "StagePositions": [{"Label": label, "DevicePositions": device, **stage} for label in LABELS],
}
data = NDTiffDataset(dataset_path=".", name="run", summary_metadata=summary, writable=True)
for position, label in enumerate(LABELS):
    for time in range(TIMES):
        data.put_image(
            {"time": time, "position": position, "channel": "Phase", "z": 0},
            np.full((64, 64), 10 * position + time + 1, np.uint16),
            {
                "PixelSizeUm": 0.65,
                "PositionName": label,
                "Channel": "Phase",
                "ElapsedTime-ms": time * INTERVAL_MS,
                "XPositionUm": 0.0,
                "YPositionUm": 0.0,
            },
        )
data.finish()
PYTHON
venv/bin/iohub convert -i run_1 -o plate.zarr >log.txt 2>&1 || { tail -5 log.txt; exit 1; }
venv/bin/python - <<'PYTHON'
from iohub import open_ome_zarr

with open_ome_zarr("plate.zarr") as plate:
    found = {name: int(position["0"][0, 0, 0, 0, 0]) for name, position in plate.positions()}
    first = next(iter(plate.positions()))[1]
    axis, step = first.axes[0], first.scale[0]
print(f"positions {found}, of pixels 1 (A1) and 11 (B2); step of {axis.name}: {step:g} {axis.unit}")
assert found == {"0/0/0": 1, "0/1/0": 11}, found
assert (axis.unit, step) == ("second", 1.0), (axis, step)
PYTHON
