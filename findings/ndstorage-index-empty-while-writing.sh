#!/usr/bin/env bash
# ndstorage 0.1.18: while a data set is written, NDTiff.index stays empty: what is put is buffered until
# `finish`. The images lie in the TIFF meanwhile, with their axes in its tags.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'ndstorage==0.1.18'
cd "$scratch"
venv/bin/python - <<'PYTHON'
from pathlib import Path

import numpy as np
from ndstorage import NDTiffDataset

data = NDTiffDataset(dataset_path=str(Path.cwd()), name="run", summary_metadata={}, writable=True)
for time in range(5):
    data.put_image({"time": time}, np.full((64, 64), time + 1, np.uint16), {})
(index,) = Path.cwd().rglob("NDTiff.index")
(stack,) = Path.cwd().rglob("*NDTiffStack.tif")
growing = (index.stat().st_size, stack.stat().st_size > 5 * 64 * 64 * 2)
data.finish()
closed = index.stat().st_size
print(f"5 images written: index {growing[0]} bytes, stack holds them: {growing[1]}; closed: {closed} bytes")
assert growing == (0, True) and closed > 0, (growing, closed)
PYTHON
