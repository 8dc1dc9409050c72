#!/usr/bin/env bash
# ngff-zarr 0.50.0: `to_ngff_image(..., channel_names=[...])` takes names of channels, and to_ngff_zarr
# writes none of them, in OME-Zarr 0.4 and 0.5: that needs `compute_omero_from_ngff_image`, whose result
# is put into the metadata of the multiscales. (The command line does so.) A reader finds channel 0
# and channel 1.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ngff-zarr==0.50.0' 'zarr==3.1.6' 'numpy==2.4.6'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import json
import warnings
from pathlib import Path

import numpy as np

warnings.simplefilter("ignore")
from ngff_zarr import from_ngff_zarr, to_multiscales, to_ngff_image, to_ngff_zarr

for version, name in (("0.4", ".zattrs"), ("0.5", "zarr.json")):
    image = to_ngff_image(
        np.zeros((2, 64, 64), np.uint16),
        dims=["c", "y", "x"],
        scale={"c": 1.0, "y": 0.65, "x": 0.65},
        axes_units={"y": "micrometer", "x": "micrometer"},
        channel_names=["Phase", "GFP"],
    )
    store = f"image-{version}.ome.zarr"
    to_ngff_zarr(store, to_multiscales(image, scale_factors=[]), version=version)
    written = json.loads((Path(store) / name).read_text())
    back = from_ngff_zarr(store)
    names = back.images[0].channel_names
    print(f"version {version}: 'Phase' in the metadata: {'Phase' in json.dumps(written)}; read back: {names}")
    assert image.channel_names == ["Phase", "GFP"]
    assert "Phase" not in json.dumps(written) and not names and back.metadata.omero is None
PYTHON
