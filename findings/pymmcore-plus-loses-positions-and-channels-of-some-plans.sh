#!/usr/bin/env bash
# pymmcore-plus 0.18.1, OME-TIFF and OME-Zarr through ome-writers 0.3.2: if a channel is taken at every
# second time point only (`acquire_every`), or for one plane of a stack (`do_stack=False`), or positions
# are the outermost loop, all images follow each other along the time axis of one image called 0,
# which has one channel without a name. Wells, channels and planes are lost, with a warning in the log.
# Each image keeps its time and exposure, and nothing else that tells what it is.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pymmcore-plus==0.18.1' 'useq-schema==0.9.2' 'pymmcore==12.5.1.75.0' \
  'mm-test-adapters==75.20261014.post1' 'ome-writers[tifffile]==0.3.2' 'tifffile==2026.3.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
from pathlib import Path
from xml.etree import ElementTree

import tifffile
import useq
from pymmcore_plus import CMMCorePlus

core = CMMCorePlus()
core.loadSystemConfiguration()
wells = [{"x": 0, "y": 0, "name": "B3"}, {"x": 1, "y": 0, "name": "C4"}]
phase, times = "DAPI", {"interval": 0, "loops": 2}
plans = {
    "plain": {"channels": [phase, "FITC"]},
    "acquire_every": {"channels": [phase, {"config": "FITC", "acquire_every": 2}]},
    "do_stack": {
        "channels": [phase, {"config": "FITC", "do_stack": False}],
        "z_plan": {"range": 2, "step": 1},
    },
    "ptgcz": {"channels": [phase, "FITC"], "axis_order": "ptgcz"},
}
seen = {}
for name, plan in plans.items():
    sequence = useq.MDASequence(stage_positions=wells, time_plan=times, **plan)
    core.mda.run(sequence, output=f"{name}.ome.tiff")
    path = next(iter(sorted(Path().glob(f"{name}*.tiff")) + sorted(Path().glob(f"{name}/*.tiff"))))
    with tifffile.TiffFile(path) as file:
        images = ElementTree.fromstring(file.ome_metadata).findall("{*}Image")
    pixels = images[0].find("{*}Pixels")
    seen[name] = (
        [image.get("Name") for image in images],
        [channel.get("Name") for channel in pixels.findall("{*}Channel")],
        int(pixels.get("SizeT")),
    )
    print(f"{name}: {len(list(sequence))} images; names, channels, SizeT: {seen[name]}")
assert seen["plain"] == (["B3", "C4"], ["DAPI", "FITC"], 2), seen
for name, count in (("acquire_every", 6), ("do_stack", 16), ("ptgcz", 8)):
    assert seen[name] == (["0"], [None], count), seen
PYTHON
