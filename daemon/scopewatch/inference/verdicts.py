"""How far a runtime is from LiteRT, and the file of the state folder that keeps it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from scopewatch.event_log import get_logger
from scopewatch.files import write_whole
from scopewatch.inference.runtimes import Runtime

log = get_logger(__name__)

VERDICTS_FILE: Final = "runtime-check.json"
_MOST: Final = 50
MOST_POINTS: Final = 1.0
"""How far the efficiency of a frame may be off: one step of the last digit that people read."""
MOST_STEPS: Final = 1.0
"""How far the probabilities of tiles may be off on average, in steps of the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeVerdict:
    """How far a runtime is from LiteRT.

    Parameters
    ----------
    frames
        How many were compared.
    own
        Whether they are the bundle's own.
    points
        Largest difference of a frame's efficiency, in percentage points.
    steps
        Mean difference of the probabilities of tiles, in steps of the output.
    """

    runtime: Runtime
    runtime_version: str
    model_id: str
    processor: str
    frames: int
    own: bool
    points: float
    steps: float

    @property
    def holds(self) -> bool:
        """Whether the runtime may score."""
        return self.points <= MOST_POINTS and self.steps <= MOST_STEPS

    def describe(self) -> str:
        """Return a phrase for a person: how far it is off, on what."""
        kind = "of the bundle" if self.own else "made for it"
        return (
            f"{self.runtime} {self.runtime_version} (from LiteRT, on {self.frames} frames {kind}:"
            f" efficiency at most {self.points:.2f} points off, tiles {self.steps:.2f} steps)"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The verdicts that a state folder holds.

    Parameters
    ----------
    path
        Of the file; it need not be there.
    """

    path: Path

    def find(self, key: str) -> RuntimeVerdict | None:
        """Return the verdict of a `runtime_check.verdict_key`; None where there is none."""
        found = self._read().get(key)
        try:
            return None if found is None else RuntimeVerdict(**found)
        except TypeError as error:
            self._report(error)
            return None

    def keep(self, key: str, verdict: RuntimeVerdict) -> None:
        """Write a verdict, unless it is there; the oldest beyond fifty go. May raise OSError."""
        known = self._read()
        if known.get(key) == verdict.to_json():
            return
        known[key] = verdict.to_json()
        newest = dict(list(known.items())[-_MOST:])
        write_whole(self.path, (json.dumps(newest, indent=2) + "\n").encode())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self._report(error)
            return {}
        return found if isinstance(found, dict) else {}

    def _report(self, error: Exception) -> None:
        log.warning(
            "verdicts on runtimes cannot be read, they are made again",
            file=str(self.path),
            error=str(error),
        )
