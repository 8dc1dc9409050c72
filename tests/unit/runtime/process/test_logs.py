import io
import json
import logging
from collections.abc import Iterator

import pytest

from scopewatch.runtime.process.former_events import FORMER_EVENTS
from scopewatch.runtime.process.logs import set_up_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_text_line_holds_the_message_and_its_fields(stream: io.StringIO) -> None:
    set_up_logs(level="info", as_json=False, stream=stream)
    logging.getLogger("scopewatch.test").info(
        "frame scored", extra={"event": {"well": "A1", "efficiency": 0.61234, "why": "two words"}}
    )
    line = stream.getvalue()
    assert line.endswith('info    frame scored well=A1 efficiency=0.6123 why="two words"\n')


@pytest.mark.parametrize("level", ["info", "warning", "critical"])
def test_a_level_is_a_separate_word(stream: io.StringIO, level: str) -> None:
    set_up_logs(level="info", as_json=False, stream=stream)
    logging.getLogger("scopewatch.test").log(logging.getLevelName(level.upper()), "stage hangs")
    assert stream.getvalue().split()[2:] == [level, "stage", "hangs"]


def test_a_field_with_newlines_cannot_forge_a_second_line(stream: io.StringIO) -> None:
    set_up_logs(level="info", as_json=False, stream=stream)
    logging.getLogger("scopewatch.test").warning(
        "file refused", extra={"event": {"file": "a\n2026-01-01 info all is well.tif"}}
    )
    assert len(stream.getvalue().splitlines()) == 1


def test_a_json_line_holds_the_same_as_an_object(stream: io.StringIO) -> None:
    set_up_logs(level="info", as_json=True, stream=stream)
    try:
        raise ValueError("oh")
    except ValueError:
        logging.getLogger("scopewatch.test").exception(
            "frame failed", extra={"event": {"well": "A1"}}
        )
    entry = json.loads(stream.getvalue())
    assert (entry["level"], entry["message"], entry["event.well"]) == (
        "error",
        "frame failed",
        "A1",
    )
    assert entry["time"].endswith("+00:00")
    assert "ValueError: oh" in entry["traceback"]


def test_the_level_and_the_chatter_of_libraries_are_held_down(stream: io.StringIO) -> None:
    set_up_logs(level="info", as_json=False, stream=stream)
    logging.getLogger("scopewatch.test").debug("too fine")
    logging.getLogger("alembic.runtime").info("Context impl SQLiteImpl")
    logging.getLogger("alembic.runtime").warning("missed")
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    assert [line.split()[2:] for line in stream.getvalue().splitlines()] == [["warning", "missed"]]


@pytest.mark.parametrize("as_json", [False, True])
def test_known_secrets_show_nowhere_in_a_line(stream: io.StringIO, as_json: bool) -> None:
    secrets = ("hunter2", 'with"quote', "pä55wort")
    set_up_logs(level="info", as_json=as_json, stream=stream, secrets=secrets)
    log = logging.getLogger("scopewatch.test")
    try:
        raise ValueError(f"refused: {secrets}")
    except ValueError:
        log.exception("hunter2 in %s", 'with"quote', extra={"event": {"why": "pä55wort", "n": 1}})
    text = stream.getvalue()
    assert text.count("***") >= 6
    for secret in (*secrets, 'with\\"quote', "p\\u00e455wort"):
        assert secret not in text


def test_a_json_line_of_a_renamed_event_carries_its_former_text(stream: io.StringIO) -> None:
    set_up_logs(level="info", as_json=True, stream=stream)
    new, old = next(iter(FORMER_EVENTS.items()))
    logging.getLogger("scopewatch.test").info(new)
    logging.getLogger("scopewatch.test").info("frame scored")
    renamed, same = map(json.loads, stream.getvalue().splitlines())
    assert (renamed["message"], renamed["former_message"]) == (new, old)
    assert "former_message" not in same
