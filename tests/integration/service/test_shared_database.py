"""Two real daemons over one PostgreSQL database: killed, cut off, and each by itself."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.app.shared.daemons import daemon_seen
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.store.schema.place import Server
from tests.integration.conftest import Save
from tests.integration.daemon import Daemon
from tests.integration.receivers import Hook, Serving
from tests.postgres import PostgresServer, read_server

# Several starts, and a server that is away for a while.
pytestmark = pytest.mark.timeout(300)
WITHIN_S = 90
BOTH = ("scope-1", "scope-2")


class Pair:
    """Two daemons whose runs, sources, files and rules are called alike."""

    def __init__(self, daemons: dict[str, Daemon], hooks: dict[str, Hook]) -> None:
        self.daemons = daemons
        self.hooks = hooks

    def scored(self, name: str) -> int:
        return sum(frame.state == "done" for frame in self.daemons[name].frames())


@pytest.fixture
def pair(
    tmp_path: Path, bundle: Path, eventually: Callable[..., None], server_place: Server
) -> Iterator[Pair]:
    daemons, hooks = {}, {}
    with ExitStack() as held:
        for name in BOTH:
            (tmp_path / name).mkdir()
            hooks[name] = Hook()
            held.enter_context(Serving(hooks[name]))
            daemons[name] = daemon = Daemon(tmp_path / name, bundle, eventually)
            daemon.share(Server(url=server_place.url, daemon=name))
            daemon.settings["alerts"] = {
                # Every well is weak by it, at its first frame.
                "rules": [{"name": "weak", "target": 0.99, "from_day": 0, "consecutive": 1}],
                "channels": [{"name": "hook", "url": f"json://127.0.0.1:{hooks[name].port}/"}],
                "retry_s": 0.5,
            }
        yield Pair(daemons, hooks)
        for daemon in daemons.values():
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait(10)


def misses_database(daemon: Daemon, since: datetime) -> bool:
    """Whether a part of the daemon has logged so: the worker, a source, the outbox or a job."""
    return any(
        "result database cannot be used" in str(entry)
        for entry in daemon.log_lines()
        if datetime.fromisoformat(entry["time"]) > since
    )


def wells(place: Server) -> list[str]:
    found = read_server(place, "SELECT well FROM alerts ORDER BY well")
    return [well for (well,) in found]


def test_two_daemons_lose_and_double_nothing_though_one_is_killed_and_the_server_restarts(
    pair: Pair,
    postgres: PostgresServer,
    phase: NDArray[np.uint16],
    save: Save,
    eventually: Callable[..., None],
) -> None:
    first, second = (pair.daemons[name] for name in BOTH)

    def offer(daemon: Daemon, well: str, *time_points: int) -> None:
        for time_point in time_points:
            save(daemon.incoming / f"P1_{well}_s0_t{time_point:04d}_phase.tif", phase)

    for daemon in (first, second):
        daemon.start_ready(within_s=WITHIN_S)
        offer(daemon, "A1", 0, 1, 2)
    eventually(lambda: min(pair.scored(name) for name in BOTH) >= 1, WITHIN_S)
    first.end(signal.SIGKILL)
    offer(first, "B2", 0, 1)
    offer(second, "C3", 0, 1)
    postgres.restart("immediate")
    first.start_ready(within_s=WITHIN_S)
    postgres.stop("immediate")
    stopped_at = datetime.now(UTC)
    offer(first, "D4", 0)
    offer(second, "D4", 0)
    eventually(lambda: misses_database(second, since=stopped_at), WITHIN_S)
    postgres.start()
    eventually(lambda: (pair.scored("scope-1"), pair.scored("scope-2")) == (6, 6), WITHIN_S)
    found = {name: Counter(map(str, (f.key for f in pair.daemons[name].frames()))) for name in BOTH}
    assert {max(each.values()) for each in found.values()} == {1}
    assert {frame.attempts <= 2 for name in BOTH for frame in pair.daemons[name].frames()} == {True}
    # Each alert is raised once, by the daemon whose well it is, and its message has gone there.
    ours = {name: sorted({"A1", "D4", "B2" if name == "scope-1" else "C3"}) for name in BOTH}
    assert {name: wells(pair.daemons[name].place) for name in BOTH} == ours  # type: ignore[arg-type]
    eventually(lambda: min(hook.attempts for hook in pair.hooks.values()) >= 3, WITHIN_S)
    for daemon in (first, second):
        assert daemon.end(within_s=10) == 0
        assert isinstance(daemon.place, Server)
        sent = "SELECT count(*), count(done_at) FROM outbox"
        assert read_server(daemon.place, sent) == [(3, 3)]


def test_a_second_daemon_of_a_name_does_not_start_and_the_first_goes_on(
    pair: Pair, phase: NDArray[np.uint16], save: Save
) -> None:
    first, other = (pair.daemons[name] for name in BOTH)
    assert isinstance(first.place, Server)
    other.share(first.place)
    first.start_ready(within_s=WITHIN_S)
    other.start()
    assert other.wait(WITHIN_S) == 1, (
        "it may be its own session, which ends soon: systemd tries again"
    )
    lines = other.log.read_text(encoding="utf-8")
    assert "another daemon of this name writes to the database: store.daemon scope-1 in" in lines
    assert "secret-word" not in lines
    save(first.incoming / "P1_A1_s0_t0000_phase.tif", phase)
    first.eventually(lambda: pair.scored("scope-1") == 1, WITHIN_S)

    def seen_elsewhere() -> DaemonSeen:
        with first.reader() as reader:
            return daemon_seen(reader.liveness(), datetime.now(UTC))

    first.eventually(lambda: seen_elsewhere().ready, WITHIN_S)
    assert seen_elsewhere().complaints == ()
    assert seen_elsewhere().started_at is not None
    assert first.ask("status").returncode == 0
    assert first.ask("alert", "list").stdout.count("weak") >= 1
    assert first.ask("alert", "ack", "1").returncode == 0
    assert "1 frames scored" in first.ask("check").stdout
    assert first.end(within_s=10) == 0
    assert "the daemon was stopped at" in seen_elsewhere().complaints[0]
