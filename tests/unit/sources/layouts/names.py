"""File names read by a layout."""

from datetime import UTC, datetime

from scopewatch.config import RunConfig
from scopewatch.config.sources import POSITION_LABEL
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.reading import (
    FrameReading,
    ReadingSettings,
    read_frame,
)
from scopewatch.sources.layouts.naming import NamePattern

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)


RUN = RunConfig(name="HES7", started_at=STARTED, interval_h=12)


def read(pattern: str, name: str, run: RunConfig = RUN) -> FrameReading | None:
    """Read a frame that only its name describes."""
    statements = NamePattern(pattern).statements(name)
    settings = ReadingSettings(run=run, position=PositionPattern(POSITION_LABEL))
    return read_frame(statements, settings, name) if statements else None


def facts(pattern: str, name: str, **counts_from: int) -> PlaneFacts:
    found = NamePattern(pattern, counts_from).read(name)  # type: ignore[arg-type]
    assert found is not None
    return found
