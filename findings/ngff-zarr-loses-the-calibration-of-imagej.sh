#!/usr/bin/env bash
# ngff-zarr 0.50.0 (command line, tifffile 2026.3.3) converts an ImageJ TIFF, as Fiji saves it: pixel size,
# unit and frame interval are left out without a message. The OME-Zarr has a scale of 1 and no unit, in
# time too. The same pixels as OME-TIFF keep their pixel size, and lose the interval.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ngff-zarr[cli]==0.50.0' 'zarr==3.1.6' 'tifffile==2026.3.3' 'imagecodecs==2026.3.6' 'numpy==2.4.6'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import json
import subprocess
import warnings
from pathlib import Path

import numpy as np
import tifffile

warnings.simplefilter("ignore")
SIZE_UM, INTERVAL_S = 0.65, 43_200.0
stack = np.zeros((5, 64, 64), np.uint16)
tifffile.imwrite(
    "imagej.tif",
    stack,
    imagej=True,
    resolution=(1 / SIZE_UM, 1 / SIZE_UM),
    metadata={"axes": "TYX", "unit": "um", "finterval": INTERVAL_S},
)
tifffile.imwrite(
    "ome.ome.tif",
    stack,
    photometric="minisblack",
    metadata={
        "axes": "TYX",
        "PhysicalSizeX": SIZE_UM,
        "PhysicalSizeXUnit": "\u00b5m",
        "PhysicalSizeY": SIZE_UM,
        "PhysicalSizeYUnit": "\u00b5m",
        "TimeIncrement": INTERVAL_S,
        "TimeIncrementUnit": "s",
    },
)
seen = {}
for name in ("imagej.tif", "ome.ome.tif"):
    store = Path(f"{name}.ome.zarr")
    subprocess.run(["venv/bin/ngff-zarr", "-q", "-i", name, "-o", store], check=True, capture_output=True)
    text = next(path for path in (store / "zarr.json", store / ".zattrs") if path.exists()).read_text()
    attributes = json.loads(text)
    attributes = attributes.get("attributes", {}).get("ome", attributes)
    multiscale = attributes["multiscales"][0]
    scale = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
    axes = {axis["name"]: (step, axis.get("unit")) for axis, step in zip(multiscale["axes"], scale)}
    seen[name] = axes["t"], axes["x"]
    print(f"{name}: t {axes['t']}, x {axes['x']}")
assert seen["imagej.tif"] == ((1.0, None), (1.0, None)), seen
assert seen["ome.ome.tif"] == ((1.0, None), (SIZE_UM, "micrometer")), seen
PYTHON
