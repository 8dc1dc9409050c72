"""Loggers of events: a constant text, and its fields as keyword arguments.

    log = get_logger(__name__)
    log.info("frame scored", key="run 7/p1/A1/s0/t0003/phase", efficiency=0.61)

Each event becomes a record of the standard library's logger of that name, with the fields in
`record.event`. Levels, handlers and formats are those of the standard library, as
`runtime.process.logs` sets them up.
"""

import logging
from typing import Any, Final

from structlog.stdlib import BoundLogger, filter_by_level
from structlog.typing import EventDict, Processor, WrappedLogger


def get_logger(name: str) -> BoundLogger:
    """Return the logger of a module.

    It has processors of its own: structlog's global configuration is left to programs that use it.
    """
    return BoundLogger(logging.getLogger(name), _PROCESSORS, {})


def _as_record(
    _logger: WrappedLogger, _method: str, fields: EventDict
) -> tuple[tuple[str], dict[str, Any]]:
    """Return the arguments of the standard library's logger: text, fields and exception."""
    text = str(fields.pop("event"))
    options: dict[str, Any] = {}
    if "exc_info" in fields:
        options["exc_info"] = fields.pop("exc_info")
    if fields:
        options["extra"] = {"event": dict(fields)}
    return (text,), options


# First the level: an event that is not logged costs no more than this look.
_PROCESSORS: Final[list[Processor]] = [filter_by_level, _as_record]
