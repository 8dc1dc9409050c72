"""Fixtures for all tests."""

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from scopewatch.store.schema.place import Server
from tests.postgres import Folders, OnServer, Places, PostgresServer, running_server

# No test is timed: on a busy machine an example takes as long as it takes.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--crash-seed", type=int, default=None, help="repeat the random crashes of this number"
    )


@pytest.fixture
def crash_seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of random crashes: another number each day, shown where a test fails."""
    given = request.config.getoption("--crash-seed")
    seed = datetime.now(UTC).toordinal() if given is None else int(given)
    request.node.add_report_section("call", "crashes", f"to repeat them: --crash-seed {seed}")
    return seed


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real images; tests that need it skip where it is not set."""
    folder = os.environ.get("SCOPEWATCH_DATA")
    if not folder:
        pytest.skip("real images: set SCOPEWATCH_DATA to their folder")
    path = Path(folder).resolve()
    if not path.is_dir():
        pytest.fail(f"SCOPEWATCH_DATA names no folder: {path}")
    return path


class FakeClock:
    """A fake clock that moves only when a test advances or sets it."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 3, 1, 9, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def steady(self) -> float:
        return self.seconds

    def set_by(self, seconds: float) -> None:
        """Set the time of day only, as a person or a time service does."""
        self.wall += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


class HastyClock(FakeClock):
    """A clock that advances a second per reading: every transaction ends as early as it can."""

    def monotonic(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a running PostgreSQL server, of this process of the tests alone."""
    with running_server() as server:
        yield server


@pytest.fixture
def server_place(postgres: PostgresServer) -> Iterator[Server]:
    """Return where a daemon's results are on a server: in an empty database."""
    database = postgres.new_database(postgres.next_name())
    yield postgres.place(database)
    postgres.start()
    postgres.drop_database(database)


@pytest.fixture(params=["sqlite", "postgresql"], scope="session")
def kind_of_places(request: pytest.FixtureRequest) -> Places:
    """Return where the results of folders are, for each kind of database in turn."""
    if request.param == "sqlite":
        return Folders()
    return OnServer(request.getfixturevalue("postgres"))


@pytest.fixture
def places(kind_of_places: Places) -> Iterator[Places]:
    """Return where the results of folders are in this test, for each kind of database in turn."""
    yield kind_of_places
    if isinstance(kind_of_places, OnServer):
        kind_of_places.drop()


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Wait for another thread or process: `eventually(lambda: done, within_s=10)`."""

    def wait(condition: Callable[[], object], within_s: float = 10.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"did not happen within {within_s} s")
            time.sleep(0.02)

    return wait


@pytest.fixture(autouse=True)
def log_as_at_the_start() -> Iterator[None]:
    """Reset the log to that of a fresh process before each test."""
    _reset_log()
    yield
    _reset_log()


def _reset_log() -> None:
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    for handler in list(root.handlers):
        # pytest adds and removes handlers of its own.
        if not type(handler).__module__.startswith("_pytest."):
            root.removeHandler(handler)
