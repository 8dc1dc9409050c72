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

start() { # configuration
  scopewatch run -c "$1" >daemon.log 2>&1 &
  daemon=$!
}

# SIGTERM ends it in order, within 5 s; notices of the model's runtime and of libraries are no log.
stop() {
  local began=$SECONDS
  kill -TERM "$daemon"
  wait "$daemon" || { cat daemon.log; fail "the daemon ended with $?"; }
  daemon=
  [ $((SECONDS - began)) -le 6 ] || fail "it took $((SECONDS - began)) s to end"
  if grep -E '^(INFO|WARNING|VERBOSE): |Bad value|Traceback' daemon.log; then
    fail "the log holds other text"
  fi
}

eventually() { # what, command
  local what=$1
  shift
  local until=$((SECONDS + 120))
  while [ "$SECONDS" -lt "$until" ]; do
    if "$@"; then return; fi
    if [ -n "$daemon" ]; then
      kill -0 "$daemon" 2>/dev/null || { cat daemon.log; fail "the daemon ended"; }
    fi
    sleep 1
  done
  if [ -e daemon.log ]; then cat daemon.log; fi
  if [ -e status.txt ]; then cat status.txt; fi
  fail "not within two minutes: $what"
}

says_status() { # configuration, texts
  scopewatch status -c "$1" >status.txt 2>/dev/null || return 1
  shift
  # Lines are broken where a terminal is narrow.
  tr '\n' ' ' <status.txt | tr -s ' ' >status.line
  for text in "$@"; do grep -qF -- "$text" status.line || return 1; done
}

# Watches a folder with its configuration until so many frames are settled, then stops the daemon.
watch_until() { # configuration, frames scored
  start "$1"
  eventually "$2 frames are scored" scored "$1" "$2"
  stop
}

# shellcheck source=tests/first_hour/faults.sh
. "$project/tests/first_hour/faults.sh"

say "a simulated plate: init, explain, check, run"
scopewatch simulate plate --runs 1 --wells 2 --seed 1 --size-px 256 >/dev/null
run=$(find plate -name '*_phase.tif' -printf '%h\n' | sort -u | head -n 1)
scopewatch init "$run" --yes --out plate.yaml >init.txt || { cat init.txt; fail "init"; }
grep -q "phase channel     phase" init.txt || fail "init did not find the phase channel"
scopewatch explain -c plate.yaml >explain.txt
grep -q "file name (scopewatch)" explain.txt || { cat explain.txt; fail "explain"; }
sed -i 's/port: 8787/port: 0/' plate.yaml
meet_wrong_settings plate.yaml
meet_impossible_setups plate.yaml
mkdir later
mv "$run"/*_t001[1-9]_* "$run"/*_t0020_* later
watch_until plate.yaml 22
meet_changed_runs plate.yaml
mv later/* "$run"
watch_until plate.yaml "$(find "$run" -name '*_phase.tif' | wc -l)"
meet_end_of_run plate.yaml
meet_outputs plate.yaml "$run"
meet_wrong_channel plate.yaml
meet_quarantine plate.yaml "$run"

if [ -n "${SCOPEWATCH_DATA:-}" ]; then
  say "real exports: refused with a reason that says what to do, then read"
  mkdir incucyte
  cp "$SCOPEWATCH_DATA"/vendors/livecell/*.tif incucyte/
  scopewatch init incucyte --yes --out incucyte.yaml >init.txt || { cat init.txt; fail "init"; }
  grep -q "Incucyte" init.txt || fail "init did not find the layout"
  grep -q "do not say their pixel size" init.txt || fail "check did not say that a scale is missing"
  meet_out_of_domain incucyte.yaml
  sed -i 's/pattern: "incucyte"/pattern: "keyence"/' incucyte.yaml
  if scopewatch check -c incucyte.yaml >check.txt; then fail "a wrong layout passes"; fi
  grep -q "none of the files is a frame" check.txt || fail "check did not say what is wrong"
fi
echo "the first hour went well"
