#!/usr/bin/env bash
# useq-schema 0.9.2: a WellPlatePlan has no z, and its positions have z = 0.0, so that an engine sends
# the focus drive there (adding an offset to a position without z gives the offset's default, 0).
# Without `selected_wells` its documentation says that no well is selected; its length is 0, and all
# wells are visited.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'useq-schema==0.9.2'
"$scratch/venv/bin/python" - <<'PYTHON'
import useq

plate = useq.WellPlatePlan(plate="96-well", a1_center_xy=(0, 0), selected_wells=([0], [0, 1]))
heights = {event.z_pos for event in useq.MDASequence(stage_positions=plate)}
print("heights of a plate's positions:", heights)
assert heights == {0.0}, heights

whole = useq.WellPlatePlan(plate="96-well", a1_center_xy=(0, 0))
print("without selected_wells: length", len(whole), "visited", len(list(whole)))
assert (len(whole), len(list(whole))) == (0, 96)
PYTHON
