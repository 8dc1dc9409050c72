"""A z-stack as a frame: the marks of its planes, its fingerprint, and which plane was chosen."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_STACK: Final = "stack:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneMark:
    """A plane of a z-stack of which the sharpest plane is scored.

    Parameters
    ----------
    locator, fingerprint
        As in `FrameTicket`.
    z
        Its number, as the program counts.
    """

    locator: str
    fingerprint: str
    z: int


def stack_fingerprint(planes: Sequence[str]) -> str:
    """Return the fingerprint of a stack by those of its planes."""
    digest = hashlib.sha256("\n".join(planes).encode()).hexdigest()[:24]
    return f"{_STACK}{len(planes)}:{digest}"


def stack_size(fingerprint: str) -> int:
    """Return the number of planes of a stack by its fingerprint; 0 for that of anything else.

    >>> stack_size(stack_fingerprint(["a", "b"])), stack_size("512:1700000000")
    (2, 0)
    """
    if not fingerprint.startswith(_STACK):
        return 0
    size = fingerprint.split(":")[1]
    return int(size) if size.isdecimal() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPlane:
    """The plane of a z-stack that a frame is, as the sharpest; see `core.imaging.sharpest`.

    Parameters
    ----------
    z
        Its number, as the program counts.
    scores
        Share of the votes of each plane that was compared, by its number.
    unread
        How many planes could not be read.
    """

    z: int
    scores: Mapping[int, float]
    unread: int = 0

    def measures(self) -> dict[str, float]:
        """Return it as measures of a frame: ``z``, ``z_planes``, ``z_score_N`` of each plane N."""
        scores = {f"z_score_{z}": score for z, score in self.scores.items()}
        return {"z": float(self.z), "z_planes": float(len(self.scores)), **scores}

    def __str__(self) -> str:
        if len(self.scores) + self.unread == 1:
            return f"plane {self.z} is the only one"
        share = f"{self.scores[self.z]:.0%} of the votes"
        line = f"plane {self.z} is the sharpest of {len(self.scores)} ({share})"
        return f"{line}, {self.unread} more cannot be read" if self.unread else line
