#!/usr/bin/env bash
# watchdog 6.0.0: its inotify buffer keeps moved-from events for half a second, by the wall clock
# (time.time). Set back by five seconds while one waits, it and all behind it come five seconds late:
# a microscope PC whose clock is corrected sees its new files late.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check \
  'watchdog==6.0.0'
cd "$scratch"
venv/bin/python - <<'PYTHON'
import threading
import time

from watchdog.utils import delayed_queue

real = time.time
back_s = 0.0


class Clock:
    @staticmethod
    def time():
        return real() - back_s

    @staticmethod
    def sleep(seconds):
        time.sleep(seconds)


delayed_queue.time = Clock
queue = delayed_queue.DelayedQueue(0.5)


def set_back():
    global back_s
    back_s = 5.0


queue.put("moved from", delay=True)
threading.Timer(0.2, set_back).start()
began = time.monotonic()
queue.get()
took_s = time.monotonic() - began
print(f"delay 0.5 s, clock set back by 5 s: the event came after {took_s:.1f} s")
assert took_s > 4, took_s
PYTHON
