#!/usr/bin/env bash
# The first hour of a new user, in a clean environment: the lines of README.md as they are, then a
# folder of real exports (where SCOPEWATCH_DATA is set) and a simulated plate, each from `init` to
# frames that are scored.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
daemon=
clean_up() {
  if [ -n "$daemon" ]; then kill "$daemon" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap clean_up EXIT
say() { echo "-- $1"; }
fail() { echo "FAILED: $1" >&2; exit 1; }

say "the lines of README.md"
# The block behind "Install from a checkout:", for a folder of our own in place of /opt.
lines=$(awk '/Install from a checkout:/ {block = 1; next} block && /^       / {print; started = 1}
  block && started && !/^       / {exit}' "$project/README.md")
[ -n "$lines" ] || fail "README.md has no block of lines to install by"
lines=${lines//\/opt\/scopewatch/$scratch/opt}
cd "$project"
bash -euo pipefail -c "$lines" || fail "a line of README.md does not work as pasted"
export PATH=$scratch/opt/bin:$PATH
cd "$scratch"
[ "$(command -v scopewatch)" = "$scratch/opt/bin/scopewatch" ] || fail "another scopewatch is found"
if python -c 'import tensorflow' 2>/dev/null; then fail "the daemon brings TensorFlow"; fi

say "files: the kit is laid down, and its configuration works"
scopewatch files kit >/dev/null
mkdir kit/incoming
scopewatch check -c kit/config.yaml >kit.txt || { cat kit.txt; fail "the example does not pass"; }

# Whether so many frames are scored; not before there is a database.
scored() { # configuration, frames
  scopewatch status -c "$1" --json >status.json 2>/dev/null || return 1
  python -c "import json, sys; sys.exit(json.load(open('status.json'))['counts']['scored'] < $2)"
}

# Watches a folder with its configuration until so many frames are settled, then stops the daemon.
watch_until() { # configuration, frames scored
  scopewatch run -c "$1" >daemon.log 2>&1 &
  daemon=$!
  for _ in $(seq 120); do
    if scored "$1" "$2"; then break; fi
    kill -0 "$daemon" 2>/dev/null || { cat daemon.log; fail "the daemon ended"; }
    sleep 1
  done
  kill -TERM "$daemon"
  wait "$daemon" || fail "the daemon ended with $?"
  daemon=
  scored "$1" "$2" || { cat daemon.log; fail "not all frames were scored"; }
}

say "a simulated plate: init, explain, check, run"
scopewatch simulate plate --runs 1 --wells 2 --seed 1 --size-px 256 >/dev/null
run=$(find plate -name '*_phase.tif' -printf '%h\n' | sort -u | head -n 1)
scopewatch init "$run" --yes --out plate.yaml >init.txt || { cat init.txt; fail "init"; }
grep -q "phase channel     phase" init.txt || fail "init did not find the phase channel"
scopewatch explain -c plate.yaml | tee explain.txt | grep -q "file name (scopewatch)" || fail "explain"
sed -i 's/port: 8787/port: 0/' plate.yaml
watch_until plate.yaml "$(find "$run" -name '*_phase.tif' | wc -l)"

if [ -n "${SCOPEWATCH_DATA:-}" ]; then
  say "real exports: refused with a reason that says what to do, then read"
  mkdir incucyte
  cp "$SCOPEWATCH_DATA"/vendors/livecell/*.tif incucyte/
  scopewatch init incucyte --yes --out incucyte.yaml >init.txt || { cat init.txt; fail "init"; }
  grep -q "Incucyte" init.txt || fail "init did not find the layout"
  grep -q "do not say their pixel size" init.txt || fail "check did not say that a scale is missing"
  sed -i 's/pattern: "incucyte"/pattern: "keyence"/' incucyte.yaml
  if scopewatch check -c incucyte.yaml >check.txt; then fail "a wrong layout passes"; fi
  grep -q "none of the files is a frame" check.txt || fail "check did not say what is wrong"
fi
echo "the first hour went well"
