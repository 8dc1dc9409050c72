"""Programs that transfer files into a folder: how each is started, and restarted after a kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from transfer_servers import Relay, ftp, http, samba, webdav
from transfer_syncthing import Syncthing

BYTES_PER_S = 3_000_000
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Transfer the files in `source` into `target`; the program keeps its own files in `work`."""

    source: Path
    target: Path
    work: Path
    address: str = ""

    @property
    def names(self) -> list[str]:
        """Return the names of the files."""
        return sorted(path.name for path in self.source.iterdir())


class Running(Protocol):
    """A transfer that is running."""

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes."""
        ...

    def over(self) -> bool | None:
        """Return whether it succeeded; None while it runs."""
        ...

    def end(self) -> None:
        """End it, if it still runs."""
        ...


class Processes:
    """One program and its children as a process group."""

    def __init__(self, command: list[str], log: Path, folder: Path) -> None:
        with log.open("ab") as output:
            self._main = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )

    def strike(self, number: signal.Signals) -> None:
        """Send a signal to all of them, stopped or not; wait where the signal ends them."""
        os.killpg(self._main.pid, number)
        if number == signal.SIGTERM:
            os.killpg(self._main.pid, signal.SIGCONT)
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            self._main.wait()

    def over(self) -> bool | None:
        """Return whether it ended with status 0; None while it runs."""
        status = self._main.poll()
        return None if status is None else status == 0

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self._main.poll() is None:
            self.strike(signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A way to transfer files.

    Parameters
    ----------
    needs
        Debian packages, by the file that each must install.
    begin
        Starts it; called with True after a kill, to continue.
    serve
        Makes the address of the job from its source and its work folder.
    dies_by
        Signal that ends it in the middle; some keep their partial files only after SIGTERM.
    """

    name: str
    needs: dict[Path, str]
    begin: Callable[[Job, bool], Running]
    serve: Callable[[Job], AbstractContextManager[str]] | None = None
    dies_by: signal.Signals = signal.SIGKILL

    def missing(self) -> list[str]:
        """Return the packages that this machine lacks."""
        return [package for path, package in self.needs.items() if not path.exists()]


def _run(job: Job, *command: str) -> Processes:
    return Processes([*command], job.work / "output.txt", job.work)


def _rsync(*options: str) -> Callable[[Job, bool], Running]:
    rate = f"--bwlimit={BYTES_PER_S // 1024}"

    def begin(job: Job, again: bool) -> Running:  # noqa: ARG001 - it finds out by itself
        # As over a network: only the differences to existing files are sent.
        whole = "--no-whole-file"
        return _run(job, "rsync", "-a", rate, whole, *options, f"{job.source}/", f"{job.target}/")

    return begin


def _lftp(verb: str) -> Callable[[Job, bool], Running]:
    def begin(job: Job, again: bool) -> Running:
        go_on = "-c " if again else ""
        lines = [
            f"set net:limit-total-rate {BYTES_PER_S}",
            # Otherwise each file begins with the amount of a second at once.
            f"set net:limit-total-max {BYTES_PER_S // 10}",
            f"set net:limit-rate {BYTES_PER_S}",
            f"set net:limit-max {BYTES_PER_S // 10}",
            "set pget:min-chunk-size 64k",
            "set pget:save-status 1s",
            "set xfer:clobber yes",
            "set net:reconnect-interval-base 1",
            f"open {job.address}",
            f"lcd {job.target}",
            *(f"{verb} {go_on}{name}" for name in job.names),
        ]
        return _run(job, "lftp", "-c", "; ".join(lines))

    return begin


def _aria2(*options: str) -> Callable[[Job, bool], Running]:
    def begin(job: Job, again: bool) -> Running:
        addresses = job.work / "addresses.txt"
        addresses.write_text("\n".join(f"{job.address}/{name}" for name in job.names), "utf-8")
        go_on = ["--continue=true"] if again else []
        return _run(
            *(job, "aria2c", "--no-conf", f"--input-file={addresses}", f"--dir={job.target}"),
            *(f"--split={_CONNECTIONS}", f"--max-connection-per-server={_CONNECTIONS}"),
            *("--min-split-size=1M", f"--max-overall-download-limit={BYTES_PER_S}"),
            *(*options, *go_on),
        )

    return begin


def _rclone(source: str, *options: str, go_on: str = "") -> Callable[[Job, bool], Running]:
    rate = f"--bwlimit={BYTES_PER_S // 1024}K"

    def begin(job: Job, again: bool) -> Running:
        place = source.format(source=job.source, address=job.address)
        more = [go_on] if again and go_on else []
        call = ["rclone", "--config", "/dev/null", "copy", rate, *options, *more]
        return _run(job, *call, place, str(job.target))

    return begin


def _smbclient(job: Job, again: bool) -> Running:  # noqa: ARG001 - it sends all of them again
    where = ["//127.0.0.1/in", "--port", job.address, "--no-pass", "--user", "guest"]
    orders = f"prompt off; lcd {job.source}; mput *"
    return _run(job, "smbclient", *where, "--command", orders)


@contextmanager
def _samba(job: Job) -> Iterator[str]:
    with samba(job.target, job.work / "samba", "root") as port:
        relay = Relay(port, BYTES_PER_S)
        try:
            yield str(relay.port)
        finally:
            relay.close()


def _syncthing(job: Job, again: bool) -> Running:  # noqa: ARG001 - it knows what it has
    return Syncthing(job.source, job.target, job.work, BYTES_PER_S)


def _size_first(job: Job, again: bool) -> Running:  # noqa: ARG001 - it copies what is not there
    script = Path(__file__).with_name("transfer_size_first.py")
    return _run(
        job, sys.executable, str(script), str(job.source), str(job.target), str(BYTES_PER_S)
    )


_BIN = Path("/usr/bin")
_RSYNC = {_BIN / "rsync": "rsync"}
_LFTP = {
    _BIN / "lftp": "lftp",
    Path("/usr/lib/python3/dist-packages/pyftpdlib"): "python3-pyftpdlib",
}
_RCLONE = {_BIN / "rclone": "rclone"}
_ARIA2 = {_BIN / "aria2c": "aria2", **_RCLONE}
_SAMBA = {_BIN / "smbclient": "smbclient", Path("/usr/sbin/smbd"): "samba"}
_WEBDAV = ":webdav,vendor=other,url='{address}':"
PROGRAMS = (
    Program(name="rsync", needs=_RSYNC, begin=_rsync()),
    Program(name="rsync-inplace", needs=_RSYNC, begin=_rsync("--inplace")),
    Program(name="rsync-delay-updates", needs=_RSYNC, begin=_rsync("--delay-updates")),
    Program(
        name="rsync-partial-dir",
        needs=_RSYNC,
        begin=_rsync("--partial-dir=.rsync-partial"),
        dies_by=signal.SIGTERM,
    ),
    # The file that was in progress at the end has its final name.
    Program(name="rsync-partial", needs=_RSYNC, begin=_rsync("--partial"), dies_by=signal.SIGTERM),
    Program(name="lftp-get", needs=_LFTP, begin=_lftp("get"), serve=lambda job: ftp(job.source)),
    Program(
        name="lftp-pget",
        needs=_LFTP,
        begin=_lftp(f"pget -n {_CONNECTIONS}"),
        serve=lambda job: ftp(job.source),
    ),
    Program(name="aria2", needs=_ARIA2, begin=_aria2(), serve=lambda job: http(job.source)),
    # Without preallocation, and with the file time that the server gives.
    Program(
        name="aria2-sparse",
        needs=_ARIA2,
        begin=_aria2("--file-allocation=none", "--remote-time=true"),
        serve=lambda job: http(job.source),
    ),
    Program(name="syncthing", needs={_BIN / "syncthing": "syncthing"}, begin=_syncthing),
    Program(name="rclone", needs=_RCLONE, begin=_rclone("{source}")),
    Program(
        name="rclone-webdav",
        needs=_RCLONE,
        begin=_rclone(_WEBDAV),
        serve=lambda job: webdav(job.source),
    ),
    # Several streams into one file that has its final size at once; rclone then takes it for done.
    Program(
        name="rclone-streams",
        needs=_RCLONE,
        begin=_rclone(
            _WEBDAV,
            "--multi-thread-cutoff=200k",
            f"--multi-thread-streams={_CONNECTIONS}",
            go_on="--ignore-times",
        ),
        serve=lambda job: webdav(job.source),
    ),
    Program(name="size-first", needs={}, begin=_size_first),
    Program(name="smbclient", needs=_SAMBA, begin=_smbclient, serve=_samba),
)
