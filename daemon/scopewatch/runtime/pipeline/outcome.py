"""The outcome of one item of the inbox, for metrics and progress displays."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.messages.message import Message


class FrameOutcome(StrEnum):
    """The outcome of an item. The values are labels of metrics: never rename one."""

    SCORED = "scored"
    MEASURED = "measured"
    QUARANTINED = "quarantined"
    SKIPPED = "not-scored"
    KNOWN = "known"
    RETIMED = "retimed"
    REFUSED = "refused"
    MISSED = "missed"
    PUT_BACK = "put-back"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReport:
    """The outcome of one item, with its times.

    Parameters
    ----------
    key
        None for something that never became a frame.
    latency_s
        From when the source first saw it until now, by the time of day.
    steps_s
        Seconds spent on each step, by its name: claim, load, analyse, draw, commit and the like,
        see `runtime.pipeline.frame_pipeline`.
    reason
        Why it was not scored; empty when it was.
    alerts
        Messages that the frame caused.
    """

    outcome: FrameOutcome
    key: FrameKey | None
    latency_s: float
    steps_s: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    alerts: tuple[Message, ...] = ()


class Observer(Protocol):
    """Is called by the worker's thread as it works: return at once."""

    def ended(self, report: FrameReport) -> None:
        """Note the end of the work on an item."""
        ...

    def failed(self, step: str) -> None:
        """Note that a step failed and will be tried again."""
        ...
