#!/usr/bin/env bash
# ome-zarr 0.18.0 reads a plate of ngff-zarr 0.50.0: the reader takes the path of the array from the
# first well for all wells. ngff-zarr names the array by its image (`scale0/A1`, `scale0/B2`), which
# the specification allows, so every other well is filled with zeros: a black well, with one
# message in the log and no error. The pixels are in the store.
# https://github.com/ome/ome-zarr-py/issues/248
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ome-zarr==0.18.0' 'ngff-zarr==0.50.0' 'zarr==3.1.6' 'numpy==2.4.6'
cd "$scratch"
venv/bin/python - 2>log.txt <<'PYTHON'
import warnings

import numpy as np
import zarr

warnings.simplefilter("ignore")
from ngff_zarr import (
    HCSPlate,
    Plate,
    PlateColumn,
    PlateRow,
    PlateWell,
    to_hcs_zarr,
    to_multiscales,
    to_ngff_image,
    write_hcs_well_image,
)
from ome_zarr.io import parse_url
from ome_zarr.reader import Reader

SIDE, STORE = 64, "plate.ome.zarr"
plate = Plate(
    columns=[PlateColumn(name="1"), PlateColumn(name="2")],
    rows=[PlateRow(name="A"), PlateRow(name="B")],
    wells=[
        PlateWell(path="A/1", rowIndex=0, columnIndex=0),
        PlateWell(path="B/2", rowIndex=1, columnIndex=1),
    ],
    version="0.5",
    name="screen",
    field_count=1,
)
to_hcs_zarr(HCSPlate(store=STORE, plate_metadata=plate), STORE)
for number, (row, column) in enumerate((("A", "1"), ("B", "2")), start=1):
    image = to_ngff_image(
        np.full((SIDE, SIDE), number, np.uint16), dims=["y", "x"], name=f"{row}{column}"
    )
    multiscales = to_multiscales(image, scale_factors=[])
    write_hcs_well_image(STORE, multiscales, plate, row, column, 0, version="0.5")
stored = {path: int(zarr.open_array(f"{STORE}/{path}")[0, 0]) for path in ("A/1/0/scale0/A1", "B/2/0/scale0/B2")}
node = next(iter(Reader(parse_url(STORE))()))
mosaic = np.asarray(node.data[0])
read = {"A1": int(mosaic[0, 0]), "B2": int(mosaic[SIDE, SIDE])}
print(f"in the store: {stored}; read from the mosaic of the plate: {read}")
assert list(stored.values()) == [1, 2] and read == {"A1": 1, "B2": 0}, (stored, read)
PYTHON
