"""A database of 0.1, with an open alert and a message that waits, goes on unchanged."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from scopewatch.core.alerts.rules import Severity
from scopewatch.messages.chart_data import Trend
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store

DUMP = Path(__file__).with_name("databases") / "schema_0007.sql"
KEY = "d9c0d0744263ffb8b28fb4f8f8e38c90"


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    connection = sqlite3.connect(tmp_path / "scopewatch.db")
    connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    opened = Scene(store=open_store(tmp_path, clock), folder=tmp_path)
    yield opened
    opened.store.close()


def test_a_message_that_waits_is_delivered_as_it_was_composed(
    scene: Scene, clock: FakeClock
) -> None:
    (item,) = scene.store.due(clock.now(), 10)
    message = item.message
    assert (item.channel, message.idempotency_key) == ("mail", KEY)
    assert (message.severity, message.title) == (Severity.WARNING, "A1: weak now, 7% on day 0.5")
    assert message.body.startswith("run 7 / p1 / A1 reads 7% on day 0.5")
    assert message.html.startswith('<div lang="en"')
    assert message.attachments == ("run 7/A1/p1_t0001_s0.jpg",)
    (trend,) = message.figures
    assert isinstance(trend, Trend)
    assert [point.day for point in trend.points] == [0.0, 0.5]
    scene.store.delivered(item.row, clock.now())
    assert scene.store.due(clock.now(), 10) == []


def test_an_open_alert_is_not_raised_again_and_is_resolved(scene: Scene) -> None:
    before = scene.rows("SELECT rule, well, resolved_at IS NULL FROM alerts")
    assert before == [("weak", "A1", 1)]
    assert scene.score(key(time_point=2), 0.1).alerts == ()
    assert scene.score(key(time_point=3), 0.7).alerts == ()
    (message,) = scene.score(key(time_point=4), 0.7).alerts
    assert message.idempotency_key != KEY
    assert scene.rows("SELECT id, resolved_time_point FROM alerts") == [(1, 4)]


def test_a_rule_goes_on_counting_where_it_was(scene: Scene) -> None:
    # A2 was weak once; the rule asks for two in a row.
    (message,) = scene.score(key("A2", 1), 0.1).alerts
    assert message.title.startswith("A2: weak now")
