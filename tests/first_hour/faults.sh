# shellcheck shell=bash
# The mistakes of a first hour, made on purpose and answered by their messages. Read by run.sh, whose
# `say`, `fail`, `start`, `stop`, `eventually` and $scratch it uses; it runs in $scratch.

# Write a configuration that differs from another one: `c` is what it holds.
change() { # from, to, Python
  python - "$@" <<'EOF'
import sys, yaml
with open(sys.argv[1], encoding="utf-8") as file:
    c = yaml.safe_load(file)
exec(sys.argv[3])
with open(sys.argv[2], "w", encoding="utf-8") as file:
    yaml.safe_dump(c, file)
EOF
}

# What `check` says of a configuration must hold each of these texts.
check_says() { # configuration, passes or fails, texts
  local configuration=$1 expected=$2 code=passes
  scopewatch check -c "$configuration" >check.txt 2>&1 || code=fails
  shift 2
  [ "$code" = "$expected" ] || { cat check.txt; fail "check $code"; }
  hold check.txt "$@"
}

hold() { # file, texts
  local file=$1
  shift
  for text in "$@"; do
    grep -qF -- "$text" "$file" || { cat "$file"; fail "nothing says: $text"; }
  done
}

# A wrong call ends with status 2 and one line.
refused() { # text, command
  local text=$1 code=0
  shift
  "$@" >out.txt 2>err.txt || code=$?
  [ "$code" = 2 ] || { cat out.txt err.txt; fail "$* ended with $code"; }
  hold err.txt "$text"
}

meet_wrong_settings() { # a configuration that is right
  say "wrong settings: check says what to write"
  change "$1" wrong.yaml "c['experiment'].update(interval_hours=12, interval_h='30 min',
      started_at='2026-11-20 09:00', well_groups={'a': ['A1-A6'], 'b': ['B3;B4']})
c['alerts']['rules'].append({'name': 'half', 'kind': 'weak-now', 'target': 50})
c['alerts']['rules'].append({'name': 'half too', 'kind': 'weak-now', 'target': '50 %'})"
  check_says wrong.yaml fails \
    "experiment.interval_hours; did you mean interval_h?" \
    "interval_h is a number of hours" "write 0.5" \
    "started_at needs a zone" "write 2026-11-20T09:00+01:00" \
    "'A1-A6' is written A1:A6" "write a list, [B3, B4]" \
    "target is a share from 0 to 1" "for 50 % write 0.5"
  change "$1" wrong.yaml "c['experiment']['well_groups'] = {'control': ['A1']}
c['alerts']['rules'].append({'name': 'grp', 'kind': 'weak-now', 'target': 0.5, 'groups': ['contrl']})"
  check_says wrong.yaml fails "rule 'grp' names group contrl" "control"
  change "$1" wrong.yaml "c['sources'][0]['pattern'] = '*_{well}_*.tif'"
  check_says wrong.yaml fails "file name pattern is a shell pattern" "write pattern: '_(?P<well>"
  change "$1" wrong.yaml "c['sources'][0]['pattern'] = '*.tif'"
  check_says wrong.yaml fails "image files are found anyway"
}

meet_impossible_setups() { # a configuration that is right
  say "set-ups that cannot work: check fails"
  python -c "
import socket, time
held = socket.socket()
held.bind(('127.0.0.1', 0))
held.listen()
print(held.getsockname()[1], flush=True)
time.sleep(300)" >port.txt &
  local holder=$!
  eventually "a port is held" test -s port.txt
  change "$1" wrong.yaml "import pathlib
source = c['sources'][0]
above = str(pathlib.Path(source['path']).parent)
c['sources'] = [source, {**source, 'name': 'again'}, {**source, 'name': 'above', 'path': above}]
c['experiment']['final_day'] = 30
c['web']['port'] = $(cat port.txt)"
  check_says wrong.yaml fails \
    "the dashboard cannot listen" "stop the program that has the port" \
    "two sources watch the same folder" "a source lies within another's" \
    "the model foretells day 10, this run ends on day 30"
  kill "$holder"
  change "$1" wrong.yaml "c['sources'][0]['pattern'] = 'keyence'"
  check_says wrong.yaml fails "none of the files is a frame"
  change "$1" wrong.yaml "c['experiment']['phase_channel'] = 'brightfield'"
  check_says wrong.yaml fails "no frame is of the channel that is scored" "42 of phase"
}

meet_wrong_channel() { # a configuration that is right
  say "frames of another channel alone: no all-clear, and what to do"
  change "$1" channel.yaml "c['experiment']['phase_channel'] = 'PH'
c['state']['folder'] = 'channel'"
  start channel.yaml
  eventually "all frames are skipped" says_status channel.yaml \
    "44 frames are of channel phase, gfp, but phase_channel is 'PH': nothing is scored"
  hold status.txt "Set experiment.phase_channel"
  eventually "the log says it once" grep -qF "no all-clear for the run" daemon.log
  stop
}

meet_changed_runs() { # a configuration whose run has results, and goes on
  say "a run that goes on: what changes it is explained before"
  change "$1" changed.yaml "c['experiment']['name'] = 'another name'"
  check_says changed.yaml passes "another run goes on" "'another name'"
  change "$1" changed.yaml "c['experiment'].update(interval_h=2, final_day=7, sites_per_well=3)"
  check_says changed.yaml passes \
    "time points of this run came at another distance" \
    "forecasts of this run speak of another day" \
    "the wells of this run have another number of sites"
}

meet_end_of_run() { # a configuration whose run has come to its final day
  say "a run beyond its final day: finished, not silent"
  start "$1"
  eventually "the run is finished" says_status "$1" "The run is finished"
  stop
  if grep -F "no all-clear for the run" daemon.log; then fail "a finished run is reported as silent"; fi
}

meet_quarantine() { # a configuration that is right, a folder of frames
  say "quarantine: summed up, mended, tried again, each outcome once"
  mkdir again
  local frames=(again/P1_A1_s0_t0000_phase.tif again/P1_A2_s0_t0000_phase.tif)
  for frame in "${frames[@]}"; do
    cp "$2"/P1_A1_s0_t0000_phase.tif whole.tif
    head -c 2000 whole.tif >"$frame"
    truncate -s "$(stat -c %s whole.tif)" "$frame"
  done
  cp whole.tif "again/what is this.tif"
  change "$1" again.yaml "c['state']['folder'] = 'again-state'
c['sources'][0].update(path='again', observer='polling', poll_s=3600, settle_s=0.2, give_up_s=1)
c.setdefault('runtime', {}).update(rescan_s=3600)"
  start again.yaml
  eventually "all is in quarantine" says_status again.yaml "2 quarantined, unreadable" \
    "1 quarantined, refused" "tried again by \`scopewatch retry\`"
  scopewatch retry -c again.yaml >retry.txt
  hold retry.txt "2  unreadable" "1  refused"
  # One is mended in place, as nothing but its pixels shows; one stays as it is; one goes.
  touch -r "${frames[0]}" time
  cat whole.tif >"${frames[0]}"
  touch -r time "${frames[0]}"
  rm "again/what is this.tif"
  scopewatch retry --all -c again.yaml >retry.txt
  hold retry.txt "3 to be tried again, within seconds"
  eventually "each has its outcome" says_status again.yaml "1 scored" "1 quarantined, unreadable" \
    "frame or file to be tried again is gone"
  stop
  hold daemon.log "somebody asked for it" "command line"
  [ "$(grep -c 'frame scored' daemon.log)" = 1 ] || fail "a frame was scored twice"
}

meet_out_of_domain() { # a configuration of three real frames without a scale
  say "real frames that the model does not know: one line for all, and what to do"
  change "$1" unknown.yaml "c['sources'][0]['um_per_px'] = 1.24
c['state']['folder'] = 'unknown'
c['web']['port'] = 0"
  start unknown.yaml
  eventually "they are out of domain" says_status unknown.yaml \
    "3 of 3 frames: the model does not fit this microscope" \
    "3 quarantined, out-of-domain: The frame is unlike all that the model was trained on."
  stop
}

meet_outputs() { # a configuration whose run has results, a folder of frames
  say "exports, and what goes to standard output"
  scopewatch export --format json --out - -c "$1" 2>err.txt | python -c "
import json, sys
print(sum(len(well['frames']) for well in json.load(sys.stdin)['wells']))" >frames.txt
  [ "$(cat frames.txt)" -ge 42 ] || fail "export to standard output holds $(cat frames.txt) frames"
  scopewatch export --format csv --out results.csv -c "$1" >/dev/null
  [ "$(wc -l <results.csv)" -gt 42 ] || fail "results.csv is too short"
  refused "cannot go to standard output" scopewatch export --format ome-zarr --out - -c "$1"
  refused "cannot go to standard output" scopewatch score "$2" --model kit/none --out -
  refused "cannot go to standard output" scopewatch init "$2" --out -
  if [ -e - ]; then fail "a file called - was made"; fi
}
