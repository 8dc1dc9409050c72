#!/usr/bin/env bash
# useq-schema 0.9.2: where the range of a z plan is no multiple of its step, the stack ends short of its
# upper end and is not centred (range 5, step 2: -2.5, -0.5, 1.5), num_positions() counts one plane more
# than are visited, and a channel with do_stack=False is taken in the plane that is the middle by that
# count: the uppermost of three, 1.5 um off the position's z.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check 'useq-schema==0.9.2'
"$scratch/venv/bin/python" - <<'PYTHON'
import useq

for span, step, visited, counted in ((4, 2, 3, 3), (5, 2, 3, 4), (10, 4, 3, 4)):
    plan = useq.ZRangeAround(range=span, step=step)
    print(f"range {span}, step {step}: visited {list(plan)}, counted {plan.num_positions()}")
    assert (len(list(plan)), plan.num_positions()) == (visited, counted)

sequence = useq.MDASequence(
    stage_positions=[(0, 0, 10)],
    channels=[{"config": "Phase"}, {"config": "GFP", "do_stack": False}],
    z_plan={"range": 5, "step": 2},
)
heights = {name: [e.z_pos for e in sequence if e.channel.config == name] for name in ("Phase", "GFP")}
print("heights around a position at z = 10:", heights)
assert heights == {"Phase": [7.5, 9.5, 11.5], "GFP": [11.5]}, heights
PYTHON
