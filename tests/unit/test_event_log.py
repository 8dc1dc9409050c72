"""Events go through the standard library's loggers, with their fields in one place."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from scopewatch.event_log import get_logger
from scopewatch.runtime.process.logs import JsonLines, TextLines


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(params=[TextLines, JsonLines])
def lines(request: pytest.FixtureRequest, written: io.StringIO) -> Iterator[io.StringIO]:
    """A stream that the logger `scopewatch.test_event_log` writes to, as text and as JSON."""
    handler = logging.StreamHandler(written)
    handler.setFormatter(request.param())
    logger = logging.getLogger("scopewatch.test_event_log")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_lines_are_those_of_the_standard_library_with_the_same_fields(lines: io.StringIO) -> None:
    log = get_logger("scopewatch.test_event_log")
    fields = {"key": "run 7/A1", "low": 0.25, "note": "", "from": "9:00"}
    log.info("frame scored", **fields)
    logging.getLogger("scopewatch.test_event_log").info("frame scored", extra={"event": fields})
    new, old = lines.getvalue().splitlines()
    if new.startswith("{"):
        ours, theirs = json.loads(new), json.loads(old)
        assert ours.pop("time") <= theirs.pop("time")
        assert ours == theirs
        assert ours["event.from"] == "9:00"
    else:
        assert new[20:] == old[20:], "but for the time"
        assert 'frame scored key="run 7/A1" low=0.25' in new


def test_the_fields_of_a_record_are_in_its_event(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("scopewatch.test_event_log").warning("disk is full", where="/state", free=3)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("scopewatch.test_event_log", "WARNING")
    assert record.message == "disk is full"
    assert record.__dict__["event"] == {"where": "/state", "free": 3}


def test_a_text_with_percent_signs_is_written_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    get_logger("scopewatch.test_event_log").error("100 % of %s")
    (record,) = caplog.records
    assert record.getMessage() == "100 % of %s"
    assert "event" not in record.__dict__, "no fields"


def test_an_exception_brings_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError:
        get_logger("scopewatch.test_event_log").exception("frame failed", file="a.tif")
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert record.__dict__["event"] == {"file": "a.tif"}


def test_an_event_below_the_level_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="scopewatch.test_event_log"):
        get_logger("scopewatch.test_event_log").info("frame scored", key="a")
    assert caplog.records == []
