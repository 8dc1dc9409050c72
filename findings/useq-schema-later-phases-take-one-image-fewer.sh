#!/usr/bin/env bash
# useq-schema 0.9.2: in a time plan of several phases, `loops` of the first phase is its number of time
# points, and of every later phase one more than it adds: its first time point is the last of the phase
# before. Ten time points every 12 h, then sixty every 2 h, are 69. The interval between two phases
# is that of the later one.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'useq-schema==0.9.2'
"$scratch/venv/bin/python" - <<'PYTHON'
import useq

HOUR = 3600.0
PHASES = ((12, 3), (2, 4), (1, 1))
taken = {}
for number in range(1, len(PHASES) + 1):
    phases = [{"interval": hours * HOUR, "loops": loops} for hours, loops in PHASES[:number]]
    sequence = useq.MDASequence(time_plan=phases)
    taken[number] = [event.min_start_time / HOUR for event in sequence]
    wanted = sum(loops for _, loops in PHASES[:number])
    print(f"loops {[loops for _, loops in PHASES[:number]]}: {wanted} in all, taken at {taken[number]} h")
assert taken[1] == [0, 12, 24], taken
assert taken[2] == [0, 12, 24, 26, 28, 30], taken
assert taken[3] == taken[2], "a phase of one loop takes nothing"
PYTHON
