"""Contenders in processes of their own that take turns.

A contender prints one line of JSON when it is ready (`share`: how much of a frame one turn is), and
one for each turn (`cpu_s`: CPU seconds of all its threads). Environments may differ, so that
runtimes which cannot be installed together can be compared.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from benchmarks.paired.ratios import Ratio, paired_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to start a contender: its name in the table, its command and its variables."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]


class Contender:
    """A running contender."""

    def __init__(self, plan: Plan, log: Path) -> None:
        self.name = plan.name
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                plan.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=dict(plan.environ),
            )
        try:
            ready = self._read()
        except RuntimeError:
            self.close()
            raise
        self._share = float(ready["share"])
        self.version = str(ready["version"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=60)

    def turn(self) -> float:
        """Work once; return CPU milliseconds for a whole frame."""
        assert self._process.stdin is not None
        self._process.stdin.write("turn\n")
        self._process.stdin.flush()
        return 1e3 * float(self._read()["cpu_s"]) / self._share

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            text = self._log.read_text(encoding="utf-8", errors="replace").strip()
            last = text.splitlines()[-1] if text else "no message"
            raise RuntimeError(f"{self.name} ended: {last}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def take_turns(
    contenders: Sequence[Contender], pairs: int, seed: int = 0
) -> dict[str, list[float]]:
    """Return CPU milliseconds a frame of each, one after the other in changing order."""
    took_ms: dict[str, list[float]] = {each.name: [] for each in contenders}
    rng = np.random.default_rng(seed)
    for pair in range(-1, pairs):
        for index in rng.permutation(len(contenders)):
            cpu_ms = contenders[index].turn()
            # The first round plans memory and packs weights.
            if pair >= 0:
                took_ms[contenders[index].name].append(cpu_ms)
        print(".", end="", flush=True)
    print()
    return took_ms


def ratios_to(first: str, took_ms: Mapping[str, Sequence[float]]) -> dict[str, Ratio]:
    """Return the first's time as a share of each other's."""
    return {
        name: paired_ratio(took_ms[first], each) for name, each in took_ms.items() if name != first
    }
