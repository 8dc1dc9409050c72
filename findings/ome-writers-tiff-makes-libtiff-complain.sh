#!/usr/bin/env bash
# ome-writers 0.3.2 writes ResolutionUnit 5 (micrometre) into its OME-TIFF, a value beyond the 1 to 3 of
# TIFF 6.0. Libtiff, as Pillow opens compressed files with it, prints `Bad value 5 for "ResolutionUnit"`
# to the process's standard error at each opening, past Python's warnings and logging. The
# resolution itself is 1/1 whatever the pixel size is: the scale stands in the OME-XML alone.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-writers[tifffile]==0.3.2' 'tifffile==2026.3.3' 'pillow==12.3.0'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import glob
import subprocess
import sys

import numpy as np
import tifffile
from ome_writers import AcquisitionSettings, Dimension, create_stream

settings = AcquisitionSettings(
    root_path="run.ome.tiff",
    dimensions=[
        Dimension(name="t", count=1, type="time"),
        Dimension(name="y", count=32, type="space", scale=0.65, unit="micrometer"),
        Dimension(name="x", count=32, type="space", scale=0.65, unit="micrometer"),
    ],
    dtype="uint16",
    compression="lzw",
    format="tifffile",
)
with create_stream(settings) as stream:
    stream.append(np.arange(32 * 32, dtype=np.uint16).reshape(32, 32))
(path,) = glob.glob("run*.tif*")
with tifffile.TiffFile(path) as file:
    tags = {name: file.pages[0].tags[name].value for name in ("XResolution", "ResolutionUnit")}
print("tags:", {name: getattr(value, "value", value) for name, value in tags.items()})
opening = "import sys; from PIL import Image; Image.open(sys.argv[1]).load()"
opened = subprocess.run(
    [sys.executable, "-W", "error", "-c", opening, path], capture_output=True, text=True
)
print("status of Pillow:", opened.returncode, "standard error:", opened.stderr.strip())
assert int(tags["ResolutionUnit"]) == 5 and tuple(tags["XResolution"]) == (1, 1), tags
assert opened.returncode == 0 and "ResolutionUnit" in opened.stderr, opened
PYTHON
