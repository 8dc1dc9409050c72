"""The real daemon as a process over a watched folder, as the integration tests use it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

from scopewatch.store.read.reader import Reader
from scopewatch.store.read.records.frames import FrameRecord
from scopewatch.store.schema.engine import has_results
from scopewatch.store.schema.place import Place, Server

SCOPEWATCH = (sys.executable, "-m", "scopewatch")


class Daemon:
    """A configuration in a folder, and the process that runs with it.

    Parameters
    ----------
    eventually
        The fixture of that name.

    Attributes
    ----------
    through
        A command that starts the daemon, for example with fewer rights.
    """

    def __init__(self, root: Path, bundle: Path, eventually: Callable[..., None]) -> None:
        self.root = root
        self.eventually = eventually
        self.incoming = root / "in"
        self.state = root / "state"
        self.place: Place = self.state
        self.log = root / "daemon.log"
        self.config = root / "config.yaml"
        self.process: subprocess.Popen[bytes] | None = None
        self.through: tuple[str, ...] = ()
        self.incoming.mkdir()
        self.settings: dict[str, Any] = {
            "experiment": {"name": "run 1", "day_from": "time_point", "simulated": True},
            "model": {"bundle": str(bundle), "threads": 1},
            "sources": [{"kind": "folder", "path": "in", "settle_s": 0.2, "give_up_s": 1.5}],
            "state": {"folder": "state"},
            "web": {"enabled": False},
            # The files come all at once here, and are to be scored immediately.
            "runtime": {"rescan_s": 1, "log_format": "json", "burst_wait_s": 0},
        }

    def start(self, environ: dict[str, str] | None = None) -> None:
        """Start the process; do not wait until it is ready."""
        self.config.write_text(yaml.safe_dump(self.settings), encoding="utf-8")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.through, *SCOPEWATCH, "run", "-c", str(self.config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environ or {})},
            )

    def start_ready(self, environ: dict[str, str] | None = None, within_s: float = 30) -> None:
        """Start the process and wait until it is able to work."""
        before = self.count("ready")
        self.start(environ)
        self.eventually(lambda: self.count("ready") > before, within_s)

    def end(self, with_signal: signal.Signals = signal.SIGTERM, within_s: float = 5) -> int:
        """Send a signal; return the exit status, which must come within `within_s`."""
        assert self.process is not None
        self.process.send_signal(with_signal)
        return self.process.wait(within_s)

    def wait(self, within_s: float = 30) -> int:
        """Wait until the process ends by itself; return its exit status."""
        assert self.process is not None
        return self.process.wait(within_s)

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log so far, by entries; what is no entry is returned as a message."""
        if not self.log.exists():
            return []
        # What follows the last line end is still being written.
        lines = self.log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return [json.loads(line) if line[:1] == "{" else {"message": line} for line in lines]

    def count(self, message: str) -> int:
        """Return how often the log holds a message."""
        return sum(entry["message"] == message for entry in self.log_lines())

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run another command with the same configuration."""
        return subprocess.run(
            [*SCOPEWATCH, *command, "-c", str(self.config)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def share(self, place: Server) -> None:
        """Have it store its results on a server."""
        self.place = place
        self.settings["store"] = {"url": place.url, "daemon": place.daemon}

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the result database."""
        with closing(Reader.open(self.place)) as reader:
            yield reader

    def frames(self) -> list[FrameRecord]:
        """Return every frame of the database; none before the database exists."""
        if not has_results(self.place) or not self.count("source watching"):
            return []
        with self.reader() as reader:
            return list(reader.frames())

    def states(self) -> dict[str, str]:
        """Return the state of every frame by its file."""
        return {Path(frame.locator).name: frame.state for frame in self.frames()}
