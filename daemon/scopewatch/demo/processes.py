"""The demo's two other processes: the daemon and the microscope."""

import json
import subprocess
import sys
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from scopewatch.core.errors import SourceError, complaint
from scopewatch.demo.folder import DemoFolder

STOP_WITHIN_S = 10.0


class Companion:
    """A process that runs as long as its `with` block; its messages go to a log file."""

    speaks = False
    """Whether we read its standard output instead of logging it."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._arguments = [sys.executable, "-m", *arguments]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdout=subprocess.PIPE if self.speaks else log,
                stderr=log,
                text=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the process as systemd would: ask, wait, then end it."""
        process = self.process
        process.terminate()
        try:
            process.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running process."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    def require_alive(self) -> None:
        """Raise SourceError with the last line of the log when the process has failed."""
        status = self.process.poll()
        if status is None:
            return
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise SourceError(
            complaint(
                f"the {self.name} ended by itself",
                where=f"exit status {status}",
                got=lines[-1] if lines else "no message",
                do=f"read {self.log}",
            )
        )


class Daemon(Companion):
    """The real daemon, started as an operator starts it."""

    def __init__(self, folder: DemoFolder) -> None:
        super().__init__(
            "daemon", ["scopewatch", "run", "-c", str(folder.config)], folder.daemon_log
        )


class Microscope(Companion):
    """The acquisition with simulated pixels.

    Attributes
    ----------
    time_points
        How many are finished.
    frames_acquired
        None until the acquisition has ended well.
    """

    speaks = True

    def __init__(self, folder: DemoFolder, *, seed: int, wells: int, pace_s: float) -> None:
        arguments = ["scopewatch.demo.microscope", "--out", str(folder.data_sets)]
        arguments += ["--truth", str(folder.truth), "--seed", str(seed)]
        arguments += ["--wells", str(wells), "--pace-s", str(pace_s)]
        super().__init__("microscope", arguments, folder.microscope_log)
        self.time_points = 0
        self.frames_acquired: int | None = None
        self._listener = Thread(target=self._listen, name="microscope-listener", daemon=True)

    def __enter__(self) -> Self:
        super().__enter__()
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        self._listener.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def require_alive(self) -> None:
        """Raise SourceError when it failed; one that has finished its work may end."""
        if self.frames_acquired is None:
            super().require_alive()

    def _listen(self) -> None:
        # Micro-Manager prints lines of its own between ours: only ours are JSON objects.
        for line in self.process.stdout or ():
            if not line.startswith("{"):
                continue
            news = json.loads(line)
            self.time_points = news.get("time_points", self.time_points)
            self.frames_acquired = news.get("frames_acquired", self.frames_acquired)
