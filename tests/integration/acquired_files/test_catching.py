"""Real faults of the file system and the clock: every frame is still offered once."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.sources.folder.source import FolderSource
from tests.conftest import FakeClock
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import FRAME, RUN, folder_config, write

ROOT = Path(__file__).parents[3]
MAX_QUEUED = Path("/proc/sys/fs/inotify/max_queued_events")

# A source whose process can be stopped, as a machine that swaps stops it. It scans on demand.
WATCHING = """
import sys
from collections import deque
from pathlib import Path
from scopewatch.sources.folder.source import FolderSource
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, folder_config

inbox = FakeInbox()
source = FolderSource(folder_config(Path(sys.argv[1])), RUN, RealClock())
# The source's own bound must not help: only what the kernel drops is looked at.
source._watch.touches._queue = deque(maxlen=1_000_000)
source.start(inbox, FakeLedger())
print("watching", flush=True)
for line in sys.stdin:
    if line == "scan\\n":
        source.scan()
    print(sorted(each.key.time_point for each in inbox.tickets), flush=True)
source.stop()
"""

REMOUNT = """
import subprocess, sys
from pathlib import Path
from scopewatch.sources.folder.source import FolderSource
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, FRAME, folder_config, write

share, clock, inbox = Path(sys.argv[1]), FakeClock(), FakeInbox()
subprocess.run(["mount", "-t", "tmpfs", "none", share], check=True)
write(share / FRAME)
source = FolderSource(folder_config(share), RUN, clock)
source.start(inbox, FakeLedger())
assert len(inbox.tickets) == 1
subprocess.run(["umount", "-l", share], check=True)
clock.advance(10)
source.scan()
assert len(inbox.tickets) == 1
assert not source.health().alive, "the empty mount point is not the share"
assert source.health().detail == f"{share} is gone: nothing is mounted on it"
subprocess.run(["mount", "-t", "tmpfs", "none", share], check=True)
write(share / FRAME.replace("t0003", "t0004"))
clock.advance(10)
source.scan()
assert [ticket.key.time_point for ticket in inbox.tickets] == [3, 4], inbox.keys
assert source.health().alive
source.stop()
print("remounted")
"""


@pytest.mark.skipif(not MAX_QUEUED.exists(), reason="needs inotify")
def test_frames_whose_events_the_kernel_dropped_are_found_by_the_next_walk(tmp_path: Path) -> None:
    limit = int(MAX_QUEUED.read_text("ascii"))
    if limit > 100_000:
        pytest.skip(f"the kernel queues {limit} events: too many to overflow in a test")
    watched = tmp_path / "watched"
    watched.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WATCHING, str(watched)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(what: str) -> str:
        process.stdin.write(f"{what}\n")  # type: ignore[union-attr]  # a pipe, see above
        process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline().strip()  # type: ignore[union-attr]

    try:
        assert process.stdout.readline() == "watching\n"
        process.send_signal(signal.SIGSTOP)
        # Two files in turn: the kernel merges only events that repeat the one before.
        with (watched / "a.log").open("wb", 0) as one, (watched / "b.log").open("wb", 0) as other:
            for _ in range(limit):
                one.write(b".")
                other.write(b".")
            write(watched / FRAME)
        process.send_signal(signal.SIGCONT)
        # Events come in order: after one of these is noticed, the event of FRAME cannot come.
        later: list[int] = []
        while ask("look") == "[]" and len(later) < 100:
            later.append(4 + len(later))
            write(watched / f"plate_A1_s0_t{later[-1]:04d}_phase.tif")
            time.sleep(0.1)
        assert "3" not in ask("look").strip("[]").split(", "), "the kernel dropped nothing"
        assert ask("scan") == str([3, *later])
        assert ask("scan") == str([3, *later])
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a mount of its own needs root and unshare",
)
def test_a_share_that_is_unmounted_and_mounted_again_is_watched_again(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    probe = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", str(share)], check=False
    )
    if probe.returncode != 0:
        pytest.skip("mounting is not allowed here")
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", REMOUNT, str(share)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=50,
    )
    assert done.stdout == "remounted\n", done.stderr


@pytest.mark.parametrize("days", [-1, 1])
def test_a_clock_that_jumps_by_a_day_loses_and_repeats_nothing(tmp_path: Path, days: int) -> None:
    clock, inbox = FakeClock(), FakeInbox()
    source = FolderSource(folder_config(tmp_path, settle_s=2), RUN, clock)
    source.start(inbox, FakeLedger())
    for time_point in range(4):
        path = write(tmp_path / f"plate_A1_s0_t{time_point:04d}_phase.tif")
        at = clock.now().timestamp()
        os.utime(path, (at, at))
        source.scan()
        if time_point == 1:
            clock.wall += timedelta(days=days)
        clock.advance(1)
        source.scan()
        assert len(inbox.tickets) == time_point, "still settling"
        clock.advance(1)
        source.scan()
    source.stop()
    assert [ticket.key.time_point for ticket in inbox.tickets] == [0, 1, 2, 3]


@pytest.mark.parametrize("observer", ["native", "polling"])
def test_a_file_older_than_all_that_were_seen_is_a_frame_like_any(
    tmp_path: Path, observer: str, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox()
    config = folder_config(tmp_path / "watched", observer=observer, poll_s=0.2)
    write(tmp_path / "watched" / FRAME)
    source = FolderSource(config, RUN, RealClock())
    source.start(inbox, FakeLedger())
    old = write(tmp_path / FRAME.replace("t0003", "t0001"))
    os.utime(old, (1e9, 1e9))
    old.rename(tmp_path / "watched" / old.name)
    eventually(lambda: len(inbox.tickets) == 2)
    source.stop()
