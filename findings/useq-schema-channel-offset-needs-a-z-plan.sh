#!/usr/bin/env bash
# useq-schema 0.9.2: the z_offset of a channel counts only where the sequence has a z plan. Without one
# the channel is taken at the position's own z, with no warning; a z plan of a single plane applies it.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'useq-schema==0.9.2'
"$scratch/venv/bin/python" -W error - <<'PYTHON'
import useq


def heights(**plan):
    sequence = useq.MDASequence(
        stage_positions=[(0, 0, 10)],
        channels=[{"config": "Phase"}, {"config": "GFP", "z_offset": 3.0}],
        **plan,
    )
    return {event.channel.config: event.z_pos for event in sequence}


without, single = heights(), heights(z_plan={"relative": [0]})
print("without a z plan:", without)
print("with one plane at 0:", single)
assert without == {"Phase": 10.0, "GFP": 10.0}, without
assert single == {"Phase": 10.0, "GFP": 13.0}, single
PYTHON
