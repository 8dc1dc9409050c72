#!/usr/bin/env bash
# bioio 3.6.0 with bioio-ome-tiff 1.4.0: `physical_pixel_sizes` and `scale` are the numbers of the
# OME-XML without their unit, and `dimension_properties`, where a unit would be, has none. A file
# whose pixels are 650 nm large has size 650, one in millimetres 0.00065. TimeIncrement is lost:
# `time_interval` is None. bioio-tifffile 1.3.1, of the same family, converts ImageJ's nm and mm to µm.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'bioio==3.6.0' 'bioio-ome-tiff==1.4.0' 'bioio-tifffile==1.3.1' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import warnings

import numpy as np
import tifffile

warnings.simplefilter("ignore")
import bioio_ome_tiff
import bioio_tifffile
from bioio import BioImage

SIDE, SIZES = 64, {"nm": 650.0, "\u00b5m": 0.65, "mm": 0.00065}
seen = {}
for unit, size in SIZES.items():
    tifffile.imwrite(
        "of.ome.tif",
        np.zeros((5, SIDE, SIDE), np.uint16),
        photometric="minisblack",
        metadata={
            "axes": "TYX",
            "PhysicalSizeX": size,
            "PhysicalSizeXUnit": unit,
            "PhysicalSizeY": size,
            "PhysicalSizeYUnit": unit,
            "TimeIncrement": 12.0,
            "TimeIncrementUnit": "h",
        },
    )
    tifffile.imwrite(
        "of.tif",
        np.zeros((5, SIDE, SIDE), np.uint16),
        imagej=True,
        resolution=(1 / size, 1 / size),
        metadata={"axes": "TYX", "unit": unit.replace("\u00b5", "u")},
    )
    ome = BioImage("of.ome.tif", reader=bioio_ome_tiff.Reader)
    imagej = BioImage("of.tif", reader=bioio_tifffile.Reader)
    seen[unit] = (
        ome.physical_pixel_sizes.X,
        ome.dimension_properties.X.unit,
        ome.time_interval,
        round(imagej.physical_pixel_sizes.X, 6),
    )
    print(
        f"0.65 \u00b5m written as {size:g} {unit}: OME-TIFF X = {seen[unit][0]}, unit {seen[unit][1]},"
        f" interval {seen[unit][2]}; ImageJ X = {seen[unit][3]}"
    )
assert seen == {unit: (size, None, None, 0.65) for unit, size in SIZES.items()}, seen
PYTHON
