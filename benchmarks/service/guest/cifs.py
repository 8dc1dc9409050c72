"""A share of a real Samba server, mounted by CIFS: the server is killed, stopped and restarted.

Both run in the same machine. Frames are written into the server's own folder, as a microscope's PC
writes them; the daemon sees them only through the mount, where no events report them.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lab import Lab, configure
from life import is_scoring
from places import MORE_SOURCE
from service import UNIT, active, attempts, cursor, journal, must, run, until

EXPORT = Path("/srv/export")
MOUNTED = Path("/srv/microscope/cifs")
SOURCE = (
    f"  - {{kind: folder, name: cifs, path: {MOUNTED}/run, settle_s: 0.2,"
    " observer: polling, poll_s: 2}\n"
)
SETTINGS = Path("/run/smb.conf")
SHARE = f"""\
[global]
  map to guest = bad user
  server min protocol = SMB2
  load printers = no
  disable spoolss = yes
  interfaces = lo
  bind interfaces only = yes
[scope]
  path = {EXPORT}
  guest ok = yes
  read only = yes
"""
# soft: a call to a dead server fails in place of hanging; see docs/operating.md.
OPTIONS = "guest,ro,soft,vers=3.0,echo_interval=2"
SILENT_S = 25.0
BACK_S = 240.0


class Server:
    """The server as a process group: it forks a process for each connection."""

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._main = subprocess.Popen(
            ["smbd", "--foreground", "--no-process-group", f"--configfile={SETTINGS}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(_listening, 60, "the server listens")

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        os.killpg(self._main.pid, number)

    def end(self) -> None:
        """Kill it, as by a power cut."""
        self.strike(signal.SIGKILL)
        self._main.wait()


def share(lab: Lab) -> None:
    """Nine frames over a mounted share: undisturbed, server killed or stopped, mounted again."""
    for folder in (EXPORT / "run", MOUNTED):
        folder.mkdir(parents=True)
    SETTINGS.write_text(SHARE, encoding="utf-8")
    server = Server()
    server.start()
    configure((MORE_SOURCE, SOURCE + MORE_SOURCE))
    must("systemctl", "restart", UNIT)
    must("mount", "-t", "cifs", "//127.0.0.1/scope", str(MOUNTED), "-o", OPTIONS)
    names = lab.frames(2, EXPORT / "run")
    took_s = lab.scored(names, BACK_S)
    lab.report(
        "a share mounted by CIFS after the start is found",
        kept=active(),
        seen=f"2 of 2 scored after {took_s:.0f} s",
    )
    # One frame is under way and others wait to be read when the share goes.
    names += _away(lab, 3, "killed", server.end, server.start)
    names += _away(
        lab,
        2,
        f"silent for {SILENT_S:g} s",
        lambda: server.strike(signal.SIGSTOP),
        lambda: server.strike(signal.SIGCONT),
    )
    gone = run("umount", str(MOUNTED))
    if gone.returncode:
        must("umount", "-l", str(MOUNTED))
    must("mount", "-t", "cifs", "//127.0.0.1/scope", str(MOUNTED), "-o", OPTIONS)
    names += lab.frames(2, EXPORT / "run")
    took_s = lab.scored(names, BACK_S)
    lab.report(
        "the share is unmounted and mounted again",
        kept=True,
        seen=f"2 of 2 after {took_s:.0f} s; umount: {gone.stderr or 'at once'}",
    )
    done = attempts()
    twice = [name for name in names if done[name] != 1]
    lab.report(
        "every frame of a share that comes and goes is scored once",
        kept=len(names) == 9 and not twice,
        seen=f"{len(names)} of 9, begun twice: {twice}",
    )
    configure((SOURCE, ""))
    must("systemctl", "restart", UNIT)
    must("umount", str(MOUNTED))
    server.end()


def _away(
    lab: Lab, count: int, what: str, go: Callable[[], None], come: Callable[[], None]
) -> list[str]:
    """Stop the server while frames are read and written, start it again; return their names."""
    since = cursor()
    names = lab.frames(count - 1, EXPORT / "run")
    until(is_scoring, 60, "a frame under way")
    go()
    began_s = time.monotonic()
    names += lab.frames(1, EXPORT / "run")
    while time.monotonic() - began_s < SILENT_S:
        time.sleep(1.0)
    come()
    took_s = lab.scored(names, BACK_S)
    log = journal(since)
    gone, again = log.count("watched folder is gone"), log.count("does not answer")
    lab.report(
        f"a share whose server is {what} is read again once it answers",
        kept=active(),
        seen=f"{count} of {count} scored {took_s:.0f} s after it was back; the folder was gone"
        f" {gone} times, a frame was read again {again} times",
    )
    return names


def _listening() -> bool:
    return any(
        " 0100007F:01BD " in line and " 0A " in line
        for line in Path("/proc/net/tcp").read_text("ascii").splitlines()
    )
