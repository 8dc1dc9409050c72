"""Sessions and failures over a clock that tests move."""

from datetime import timedelta

import pytest

from scopewatch.web.access.sessions import (
    FORGIVEN_S,
    MOST_ADDRESSES,
    MOST_FAILURES,
    SESSION,
    Failures,
    Sessions,
)
from tests.conftest import FakeClock

TOKEN = "correct horse battery"


def test_a_session_holds_until_it_runs_out(clock: FakeClock) -> None:
    sessions = Sessions(TOKEN, clock)
    session = sessions.begin()
    clock.advance(SESSION.total_seconds() - 2)
    assert sessions.holds(session)
    clock.advance(3)
    assert not sessions.holds(session)


def test_a_session_outlives_a_restart_and_ends_with_its_token(clock: FakeClock) -> None:
    session = Sessions(TOKEN, clock).begin()
    assert Sessions(TOKEN, clock).holds(session)
    assert not Sessions(TOKEN + "2", clock).holds(session)


def test_a_session_made_while_the_clock_stood_ahead_is_not_taken(clock: FakeClock) -> None:
    sessions = Sessions(TOKEN, clock)
    clock.wall += timedelta(days=300)
    session = sessions.begin()
    clock.wall -= timedelta(days=300)
    assert not sessions.holds(session)


@pytest.mark.parametrize("session", ["", ".", "..", "x.y.z", "9999999999..", "é.é.é", "." * 300])
def test_what_is_no_session_is_none(clock: FakeClock, session: str) -> None:
    assert not Sessions(TOKEN, clock).holds(session)


def test_a_session_whose_end_was_moved_is_none(clock: FakeClock) -> None:
    sessions = Sessions(TOKEN, clock)
    until, _, rest = sessions.begin().partition(".")
    assert not sessions.holds(f"{int(until) - 1}.{rest}")


@pytest.mark.parametrize("offered", ["", TOKEN[:-1], TOKEN + " ", TOKEN.upper(), "é" * 21])
def test_only_the_whole_token_is_the_token(clock: FakeClock, offered: str) -> None:
    sessions = Sessions(TOKEN, clock)
    assert sessions.is_token(TOKEN)
    assert not sessions.is_token(offered)


def test_an_address_that_guesses_is_refused_until_it_is_forgiven(clock: FakeClock) -> None:
    failures = Failures(clock)
    for _ in range(MOST_FAILURES - 1):
        failures.add("10.0.0.7")
        assert failures.wait_s("10.0.0.7") == 0
    failures.add("10.0.0.7")
    assert failures.wait_s("10.0.0.7") == FORGIVEN_S
    assert failures.wait_s("10.0.0.8") == 0
    clock.advance(FORGIVEN_S - 1)
    assert failures.wait_s("10.0.0.7") == 1
    clock.advance(1)
    assert failures.wait_s("10.0.0.7") == 0
    assert len(failures) == 0


def test_a_few_failures_are_forgotten_by_the_next_day(clock: FakeClock) -> None:
    failures = Failures(clock)
    for _ in range(MOST_FAILURES * 3):
        assert failures.add("10.0.0.7") == 1
        clock.advance(FORGIVEN_S)


def test_who_knows_the_token_starts_again(clock: FakeClock) -> None:
    failures = Failures(clock)
    failures.add("10.0.0.7")
    failures.forgive("10.0.0.7")
    assert failures.add("10.0.0.7") == 1


def test_the_table_forgets_who_failed_longest_ago(clock: FakeClock) -> None:
    failures = Failures(clock)
    for number in range(MOST_ADDRESSES + 50):
        failures.add(f"10.0.{number // 256}.{number % 256}")
    assert len(failures) == MOST_ADDRESSES
    assert failures.add("10.0.0.0") == 1
    assert failures.add("10.0.4.0") == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.7", "10.0.0.7", True),
        ("unknown", "unknown", True),
    ],
)
def test_a_network_of_one_host_counts_as_one(
    clock: FakeClock, one: str, other: str, same: bool
) -> None:
    failures = Failures(clock)
    failures.add(one)
    assert failures.add(other) == (2 if same else 1)
