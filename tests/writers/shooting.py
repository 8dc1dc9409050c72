"""The acquisition as a subprocess: started, read, killed."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.writers.plan import Place, Plan

PROJECT = Path(__file__).resolve().parents[2]

ENDS_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the acquisition: an event of a frame, in seconds of the epoch."""

    event: str
    place: Place | None
    at: float


class Shooting:
    """An acquisition that runs as long as its `with` block, at most.

    Parameters
    ----------
    writer
        A name of `tests.writers.writers.WRITERS`.
    pixels
        What `tests.writers.pixels.save` wrote for the same plan.
    move_s
        Time that a move of the stage from one position to the next takes.
    """

    def __init__(
        self, writer: str, *, out: Path, plan: Plan, pixels: Path, move_s: float, log: Path
    ) -> None:
        self._plan = plan
        self._log = log
        self._command = [sys.executable, "-m", "tests.writers.acquisition", writer]
        self._command += ["--out", str(out), "--pixels", str(pixels)]
        self._command += ["--sites", str(plan.sites), "--interval-s", str(plan.interval_s)]
        self._command += ["--move-s", str(move_s)]
        self._process: subprocess.Popen[str] | None = None
        self._listener = threading.Thread(target=self._listen, name="shooting", daemon=True)
        self.moments: list[Moment] = []
        self.on_moment: Callable[[Moment], None] | None = None

    def __enter__(self) -> Self:
        path = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=PROJECT,
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            )
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        process = self._running()
        process.wait(ENDS_WITHIN_S)
        self._listener.join()
        if process.stdout is not None:
            process.stdout.close()

    def kill(self) -> None:
        """Kill the writer at any point, as a power cut or the kernel would."""
        process = self._running()
        if process.poll() is None:
            process.kill()

    def wait(self) -> int:
        """Wait for the end; return the exit status."""
        status = self._running().wait(ENDS_WITHIN_S)
        self._listener.join()
        return status

    def places(self, event: str) -> dict[Place, float]:
        """Return the frames with an event, and its time."""
        return {
            moment.place: moment.at
            for moment in list(self.moments)
            if moment.event == event and moment.place is not None
        }

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise RuntimeError("the acquisition was not started")
        return self._process

    def _listen(self) -> None:
        # Micro-Manager prints lines of its own between ours: only ours are JSON objects.
        for line in self._running().stdout or ():
            if not line.startswith("{"):
                continue
            report = json.loads(line)
            place = None
            if "position" in report:
                place = self._plan.place(
                    time_point=report["time_point"],
                    position=report["position"],
                    channel=report["channel"],
                )
            moment = Moment(event=report["event"], place=place, at=report["at"])
            self.moments.append(moment)
            if self.on_moment is not None:
                self.on_moment(moment)
