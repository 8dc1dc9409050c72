#!/usr/bin/env bash
# useq-schema 0.9.2: `MDASequence.yaml()` of a sequence with a `setup` event leaves the type of its
# action out (it writes what was set), and `MDASequence.from_file` then refuses the file.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'useq-schema==0.9.2' 'pyyaml==6.0.3'
cd "$scratch"
venv/bin/python - <<'PYTHON'
from pathlib import Path

import useq

plan = useq.MDASequence(
    stage_positions=[(0, 0, 0)], setup=useq.MDAEvent(properties=[("Camera", "Binning", "2")])
)
Path("plan.yaml").write_text(plan.yaml())
try:
    useq.MDASequence.from_file("plan.yaml")
except ValueError as error:
    print("its own file is refused:", str(error).splitlines()[2].strip())
else:
    raise SystemExit("it reads its own file now")
PYTHON
