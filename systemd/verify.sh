#!/bin/sh
# Check the unit with systemd's own tools: it must load without a complaint, and its exposure must
# not exceed LIMIT (tenths: 20 is 2.0). Needs systemd >= 250 installed, not running, and no root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
LIMIT=20

command -v systemd-analyze >/dev/null || {
    echo "systemd-analyze is missing: systemd/verify.sh; install the systemd package" >&2
    exit 2
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verify wants an executable that exists; the daemon need not be installed where this runs.
plain="$work/plain" acquire="$work/acquire"
for folder in "$plain" "$acquire"; do
    mkdir -p "$folder/scopewatch.service.d"
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' "$here/scopewatch.service" \
        >"$folder/scopewatch.service"
done
cp "$here/dropins/raw-data.conf" "$here/dropins/acquire.conf" "$acquire/scopewatch.service.d/"

check() { # folder, what
    output=$(systemd-analyze --man=no verify "$1/scopewatch.service" 2>&1) || {
        echo "$output" >&2
        echo "unit does not verify: $2; mend the lines above" >&2
        exit 1
    }
    # Some complaints (a key in the wrong section) leave the exit status at 0.
    [ -z "$output" ] || {
        echo "$output" >&2
        echo "unit verifies with complaints: $2; mend the lines above" >&2
        exit 1
    }
    security=$(systemd-analyze security --no-pager --offline=true --threshold="$LIMIT" \
        "$1/scopewatch.service" 2>&1) || {
        echo "$security" | grep '✗' >&2 || true
        echo "$security" | tail -1 >&2
        echo "unit is too exposed: $2 (expected at most $LIMIT tenths); mend the lines above" >&2
        exit 1
    }
    echo "$2: verified; $(echo "$security" | tail -1 | sed 's/^[^A-Z]*//')"
}

check "$plain" "scopewatch.service"
check "$acquire" "scopewatch.service with raw-data.conf and acquire.conf"
