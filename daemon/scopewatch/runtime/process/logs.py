"""Log lines: a constant message and its fields, as text for people or JSON for machines.

Modules log events through `scopewatch.event_log`, which puts their fields in `record.event`.
"""

import json
import logging
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, TextIO

from scopewatch.core.redaction import hide
from scopewatch.runtime.process.former_events import FORMER_EVENTS
from scopewatch.runtime.process.log_file import LogFile, RotatedLog

# Libraries that log far more lines at `info` than the daemon itself.
_CHATTY = ("apprise", "alembic", "tifffile", "uvicorn", "watchdog", "asyncio", "PIL")
# APScheduler warns of each round that it leaves out while the one before still runs, as asked.
_CHATTIER = ("apscheduler",)


class TextLines(logging.Formatter):
    """`2026-03-01 09:00:00Z info    frame scored  key=... efficiency=0.61`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record on one line; only a traceback adds more."""
        when = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        fields = "".join(f" {name}={_shown(value)}" for name, value in _event(record).items())
        line = f"{when} {record.levelname.lower():<7} {_one_line(record.getMessage())}{fields}"
        return line + _traceback(self, record)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, level, logger, message, and the event's fields.

    An event that was renamed has its text of the minor version before in `former_message`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one JSON object."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{f"event.{name}": value for name, value in _event(record).items()},
        }
        former = FORMER_EVENTS.get(record.getMessage())
        if former is not None:
            entry["former_message"] = former
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)


class Hiding(logging.Formatter):
    """Writes lines as another does, tracebacks included, without values that must stay hidden."""

    def __init__(self, inner: logging.Formatter, secrets: Collection[str]) -> None:
        super().__init__()
        self._inner = inner
        # Also as JSON escapes them.
        self._secrets = {*secrets, *(json.dumps(value)[1:-1] for value in secrets)}

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        return hide(self._inner.format(record), self._secrets)


def set_up_logs(
    *,
    level: str,
    as_json: bool,
    stream: TextIO | None = None,
    secrets: Collection[str] = (),
    file: LogFile | None = None,
) -> None:
    """Send the process's log to `stream` (standard error), replacing what was set up before.

    Parameters
    ----------
    level
        `debug`, `info`, `warning` or `error`.
    secrets
        Values that are replaced in every line, whoever logs them.
    file
        A file that the log goes to as well; None for none.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(stream or sys.stderr)]
    if file is not None:
        handlers.append(RotatedLog(file))
    for handler in handlers:
        handler.setFormatter(Hiding(JsonLines() if as_json else TextLines(), secrets))
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    for names, least in ((_CHATTY, logging.WARNING), (_CHATTIER, logging.ERROR)):
        for name in names:
            logging.getLogger(name).setLevel(max(least, logging.getLogger().level))


def _event(record: logging.LogRecord) -> dict[str, Any]:
    event = getattr(record, "event", None)
    return event if isinstance(event, dict) else {}


def _shown(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    text = _one_line(text)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return "\n" + formatter.formatException(record.exc_info) if record.exc_info else ""
