"""The stand-in for a running Micro-Manager, as a process that dies, hangs and comes back."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.hardware.demo_core import adapters
from tests.hardware.java_wire import free_port

_DEMO = "MMConfig_demo.cfg"


class MicroManagerProgram:
    """Starts and ends the stand-in; always on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None

    def start(self, *, delay_s: float = 0.0) -> None:
        folder = adapters.device_adapter_path()
        command = [sys.executable, "-m", "tests.hardware.java_stand_in", str(self.port), folder]
        command += [str(Path(folder) / _DEMO), str(delay_s)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line == "ready\n":
                return
        raise AssertionError("the stand-in did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def hang(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def acquire_over_bridge(
    port: int, folder: Path, name: str, wells: Sequence[str], *, finish: bool = True
) -> None:
    """Have the Micro-Manager at a port acquire one image per well, as a script of pycro-manager.

    Parameters
    ----------
    finish
        Whether the data set is closed.
    """
    given = json.dumps([port, str(folder), name, list(wells), finish])
    done = subprocess.run(
        [sys.executable, "-m", "tests.hardware.bridge_script", given],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout == "saved\n", done.stderr[-2000:]
