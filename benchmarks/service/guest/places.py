"""Drop-ins for secrets, raw data in a home folder or on a share, and devices."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from lab import LUGGAGE, RUN, Lab, configure
from service import (
    START_S,
    UNIT,
    active,
    cursor,
    drop_in,
    drop_out,
    journal,
    must,
    run,
    show,
    status_of,
    until,
)

DROPINS = LUGGAGE / "release" / "systemd" / "dropins"
SHARE = Path("/srv/microscope/share")
HOME = Path("/home/imaging/data")
MORE_SOURCE = "  # An NDTiff data set that"
# The monitor raises its alerts every 15 s.
TURN_S = 120.0
CHANGED_TOKEN = "another-token-that-nobody-guesses"


@contextmanager
def receiver(heard: list[str]) -> Iterator[int]:
    """Listen on loopback as a receiver of alerts; collect the requested paths."""

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing: standard error is the console."""

    server = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def secrets(lab: Lab) -> None:
    """Credentials by a drop-in: an alert goes to a secret address, the dashboard has a token."""
    heard: list[str] = []
    folder = Path("/etc/scopewatch/secrets")
    folder.mkdir(mode=0o700)
    with receiver(heard) as port:
        for name, secret in (
            ("phone", f"json://127.0.0.1:{port}/hidden"),
            ("web-token", "a-token-that-nobody-guesses"),
        ):
            (folder / name).write_text(f"{secret}\n", encoding="utf-8")
            (folder / name).chmod(0o600)
        drop_in("secrets.conf", (DROPINS / "secrets.conf").read_text("utf-8"))
        configure(
            ("  channels: []", "  channels: [{name: phone, url: 'credential:phone'}]"),
            ("  token: null ", "  token: credential:web-token "),
        )
        must("systemctl", "restart", UNIT)
        address = "http://127.0.0.1:8787/api/status.json"
        codes = (status_of(address), status_of(address, "a-token-that-nobody-guesses"))
        lab.report(
            "secrets.conf: the token is a credential",
            kept=codes == (401, 200),
            seen=f"without {codes[0]}, with it {codes[1]}",
        )
        configure(("max_attempts: 2", "max_attempts: 0"))
        must("systemctl", "reload", UNIT)
        took_s = until(lambda: bool(heard), TURN_S, "an alert at the secret address")
        lab.report(
            "secrets.conf: an alert reaches the address that is a credential",
            kept=heard[0].startswith("/hidden"),
            seen=f"reload refused logged after {took_s:.0f} s",
        )
        configure(("max_attempts: 0", "max_attempts: 2"))
        (folder / "web-token").write_text(f"{CHANGED_TOKEN}\n", encoding="utf-8")
        since = cursor()
        must("systemctl", "reload", UNIT)
        until(lambda: "configuration taken up" in journal(since), 300, "taken up")
        until(active, 60, "active")
        fresh = status_of(address, CHANGED_TOKEN)
        lab.report(
            "secrets.conf: a changed credential is not taken up by a reload",
            kept=fresh == 401,
            seen=str(fresh),
        )
        must("systemctl", "restart", UNIT)
        lab.report(
            "secrets.conf: a changed credential is taken up at a restart",
            kept=status_of(address, CHANGED_TOKEN) == 200,
            seen="200",
        )
        configure(
            ("  channels: [{name: phone, url: 'credential:phone'}]", "  channels: []"),
            ("  token: credential:web-token ", "  token: null "),
        )
    drop_out("secrets.conf")
    must("systemctl", "restart", UNIT)


def home_folder(lab: Lab) -> None:
    """Raw data in a home folder that only a group may read, by the comments of raw-data.conf."""
    must("groupadd", "-f", "imaging")
    HOME.mkdir(parents=True)
    must("chgrp", "-R", "imaging", "/home/imaging")
    HOME.parent.chmod(0o750)
    HOME.chmod(0o750)
    Path("/home/private").mkdir()
    text = (DROPINS / "raw-data.conf").read_text("utf-8")
    for line in ("#ProtectHome", "#BindReadOnlyPaths", "#SupplementaryGroups"):
        text = text.replace(line, line[1:])
    drop_in("home.conf", text)
    configure(
        (
            MORE_SOURCE,
            f"  - {{kind: folder, name: home, path: {HOME}, settle_s: 0.2}}\n{MORE_SOURCE}",
        )
    )
    must("systemctl", "restart", UNIT)
    names = lab.frames(2, HOME)
    os.sync()
    lab.scored(names)
    within = ("nsenter", "-t", show("MainPID"), "-m", "--")
    hidden = run(*within, "ls", "/home").stdout.split()
    written = run(*within, "touch", f"{HOME}/probe").returncode == 0
    lab.report(
        "raw-data.conf: a group's raw data in a home folder is read, nothing else there is seen",
        kept=hidden == ["imaging"] and not written,
        seen=f"2 of 2 scored; /home holds {hidden}",
    )
    configure((f"  - {{kind: folder, name: home, path: {HOME}, settle_s: 0.2}}\n", ""))
    drop_out("home.conf")
    must("systemctl", "restart", UNIT)


def share(lab: Lab) -> None:
    """A share that is mounted after the start, unmounted and mounted again; and a missing one."""
    SHARE.mkdir()
    source = f"  - {{kind: folder, name: share, path: {SHARE}/run, settle_s: 0.2}}\n"
    configure((MORE_SOURCE, source + MORE_SOURCE))
    must("systemctl", "restart", UNIT)
    lab.report(
        "a share that is away does not keep the daemon from starting",
        kept=active(),
        seen=show("StatusText"),
    )
    disk = Path("/var/share.ext4")
    must(
        "sh",
        "-c",
        f"truncate -s 64M {disk} && /sbin/mke2fs -q -t ext4 {disk} && mount -o loop {disk} {SHARE}",
    )
    (SHARE / "run").mkdir()
    names = lab.frames(2, SHARE / "run")
    took_s = lab.scored(names, 150)
    written = run("nsenter", "-t", show("MainPID"), "-m", "--", "touch", f"{SHARE}/probe")
    lab.report(
        "a share mounted after the start is found",
        kept=True,
        seen=f"2 of 2 scored after {took_s:.0f} s",
    )
    # No promise: the mount's own options apply, which docs/operating.md advises to be read-only.
    lab.report(
        "whether it is read-only to the service without a mount option",
        kept=True,
        seen="yes" if written.returncode else "no, it is as it was mounted",
    )
    gone = run("umount", str(SHARE))
    lab.report(
        "the share can be unmounted while the daemon watches it",
        kept=gone.returncode == 0,
        seen=gone.stderr or "yes",
    )
    if gone.returncode:
        must("umount", "-l", str(SHARE))
    must("mount", "-o", "loop", str(disk), str(SHARE))
    names = lab.frames(2, SHARE / "run")
    took_s = lab.scored(names, 150)
    lab.report(
        "a share that was away is found again", kept=True, seen=f"2 of 2 after {took_s:.0f} s"
    )
    configure((source, ""))
    must("systemctl", "restart", UNIT)
    run("umount", str(SHARE))
    missing_share(lab)


def missing_share(lab: Lab) -> None:
    """The share of raw-data.conf cannot be mounted at first, as after a power cut; later it can.

    It holds the only source: the unit is *activating* until that is watched, and serves meanwhile.
    """
    must("systemctl", "stop", UNIT)
    shutil.move(RUN.parent, "/srv/aside")
    RUN.parent.mkdir()
    disk, fstab = Path("/var/late.ext4"), Path("/etc/fstab")
    before = fstab.read_text("utf-8")
    entry = f"\n{disk} {RUN.parent} ext4 loop,nofail 0 0\n"
    fstab.write_text(before + entry, encoding="utf-8")
    must("systemctl", "daemon-reload")
    failed = run("mount", str(RUN.parent)).returncode
    state = _start_without_waiting()
    lab.report(
        "raw-data.conf: a share that cannot be mounted yet does not refuse the start",
        kept=failed != 0 and state == "activating",
        seen=f"mount {failed}, {state}, the dashboard is served, {show('StatusText')}",
    )
    must("sh", "-c", f"truncate -s 64M {disk} && /sbin/mke2fs -q -t ext4 {disk}")
    must("mount", str(RUN.parent))
    RUN.mkdir()
    took_s = lab.scored(lab.frames(2), 150)
    lab.report("and is found once it is mounted", kept=True, seen=f"2 of 2 after {took_s:.0f} s")
    must("systemctl", "stop", UNIT)
    must("umount", str(RUN.parent))
    fstab.write_text(before, encoding="utf-8")
    RUN.parent.rmdir()
    must("systemctl", "daemon-reload")
    state = _start_without_waiting()
    lab.report(
        "raw-data.conf: nor does a folder that is not there at all",
        kept=state == "activating",
        seen=f"{state}, the dashboard is served, {show('StatusText')}",
    )
    shutil.move("/srv/aside", RUN.parent)
    took_s = lab.scored(lab.frames(1), 150)
    lab.report("which is found once it is there", kept=True, seen=f"1 of 1 after {took_s:.0f} s")
    must("systemctl", "restart", UNIT)


def _start_without_waiting() -> str:
    """Start the unit, which waits for its only source; return its state once it serves pages."""
    run("systemctl", "start", "--no-block", UNIT)
    until(_served, START_S, "the dashboard")
    return show("ActiveState")


def _served() -> bool:
    """Whether the dashboard answers, whatever the state of the sources."""
    try:
        return status_of("http://127.0.0.1:8787/") > 0
    except OSError:
        return False


def acquire(lab: Lab) -> None:
    """acquire.conf in place of raw-data.conf: it starts, sees devices, writes its data set."""
    drop_in("acquire.conf", (DROPINS / "acquire.conf").read_text("utf-8"))
    drop_out("raw-data.conf")
    must("systemctl", "restart", UNIT)
    lab.scored(lab.frames(2))
    pid = show("MainPID")
    within = ("nsenter", "-t", pid, "-m", "--")
    write = run(*within, "touch", f"{RUN}/probe").returncode == 0
    device = run(*within, "test", "-c", "/dev/ttyS1").returncode == 0
    (RUN / "probe").unlink(missing_ok=True)
    lab.report(
        "acquire.conf: starts and scores, sees the serial port, may write the data set",
        kept=write and device and active(),
        seen=f"write {write}, /dev/ttyS1 {device}",
    )
    drop_out("acquire.conf")
    must(
        "install",
        "-D",
        "-m",
        "644",
        str(DROPINS / "raw-data.conf"),
        "/etc/systemd/system/scopewatch.service.d/raw-data.conf",
    )
    must("systemctl", "daemon-reload")
    must("systemctl", "restart", UNIT)
