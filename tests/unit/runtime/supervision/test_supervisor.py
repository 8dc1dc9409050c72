import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from scopewatch.core.errors import ConfigError, SourceError
from scopewatch.runtime.supervision.stages import ExitReport, Stage
from scopewatch.runtime.supervision.supervisor import STARTING_TICK_S, TICK_S
from tests.conftest import FakeClock
from tests.unit.runtime.supervised import Daemon


@pytest.fixture
def ends(daemon: Daemon) -> Iterator[list[ExitReport]]:
    yield from daemon.begin()


def test_stages_start_in_order_and_stop_in_reverse(daemon: Daemon) -> None:
    daemon.supervisor.stop()
    assert daemon.supervisor.run() == ExitReport(failed_stage=None, clean=True)
    assert daemon.diary == ["start web", "start worker", "stop worker", "stop web"]
    assert daemon.systemd.count("STOPPING=1 STATUS=stopping") == 1


def test_ready_is_sent_once_and_only_when_a_source_is_watching(daemon: Daemon) -> None:
    daemon.start()
    missing = "folder does not exist: /mnt; mount it"
    daemon.source.start_failures = [SourceError(missing)]
    daemon.supervisor.tick()
    daemon.watcher.check()
    daemon.supervisor.tick()
    assert not any("READY=1" in sent for sent in daemon.systemd.sent)
    waiting = f"EXTEND_TIMEOUT_USEC=60000000 STATUS=source folder: {missing}; 3 frames scored"
    assert daemon.systemd.count(waiting) == 1
    daemon.clock.advance(2)
    daemon.watcher.check()
    daemon.supervisor.tick()
    daemon.supervisor.tick()
    assert daemon.systemd.count("READY=1 STATUS=3 frames scored") == 1
    assert daemon.supervisor.condition().well


def test_it_looks_often_until_it_is_ready_and_then_each_second(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []

    class Orders(queue.SimpleQueue[object]):
        def get(self, block: bool = True, timeout: float | None = None) -> object:
            waits.append(timeout)
            if len(waits) == 2:
                daemon.watcher.check()
            if len(waits) == 4:
                daemon.supervisor.stop()
                return super().get(block)
            raise queue.Empty

    monkeypatch.setattr(daemon.supervisor, "_orders", Orders())
    daemon.supervisor.run()
    assert waits == [STARTING_TICK_S, STARTING_TICK_S, TICK_S, TICK_S]


def test_a_source_that_watches_but_gives_nothing_is_a_complaint(daemon: Daemon) -> None:
    daemon.watcher.check()
    daemon.source.failing = "time point 3: no camera"
    daemon.watcher.check()
    complaints = daemon.supervisor.condition().complaints
    assert "source folder: time point 3: no camera" in complaints
    daemon.source.failing = ""
    daemon.watcher.check()
    assert "time point 3" not in "".join(daemon.supervisor.condition().complaints)


def test_a_lost_source_is_reported_but_does_not_restart_the_daemon(daemon: Daemon) -> None:
    daemon.start()
    daemon.watcher.check()
    daemon.supervisor.tick()
    daemon.source.alive = False
    daemon.watcher.check()
    fed = daemon.systemd.count("WATCHDOG=1")
    daemon.clock.advance(2)
    assert daemon.supervisor.tick() is None
    assert daemon.systemd.count("WATCHDOG=1") == fed + 1
    assert daemon.systemd.sent[-2] == "STATUS=source folder: observer died; 3 frames scored"


def test_a_stage_that_ends_by_itself_ends_the_daemon(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    def start_and_die() -> None:
        daemon.diary.append("start dying")

    daemon.supervisor.add(
        Stage(name="dying", start=start_and_die, stop=lambda _s: True, running=lambda: False)
    )
    assert daemon.supervisor.run() == ExitReport(failed_stage="dying", clean=True)
    assert daemon.diary[-1] == "stop web"
    assert "stage ended by itself" in caplog.messages


def test_a_stage_that_cannot_start_stops_those_before_it(daemon: Daemon) -> None:
    daemon.worker.failure = ConfigError("port is in use: 8787; set web.port")
    with pytest.raises(ConfigError, match="port is in use"):
        daemon.supervisor.run()
    assert daemon.diary == ["start web", "stop web"]


def test_a_stage_that_does_not_stop_is_reported_and_the_others_still_stop(daemon: Daemon) -> None:
    daemon.worker.in_time = False
    daemon.supervisor.stop()
    assert daemon.supervisor.run() == ExitReport(failed_stage=None, clean=False)
    assert daemon.diary[-2:] == ["stop worker", "stop web"]


def test_a_stage_that_fails_to_stop_does_not_keep_the_others_from_it(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.worker.stop_failure = OSError("stale handle")
    daemon.supervisor.stop()
    assert not daemon.supervisor.run().clean
    assert daemon.diary[-1] == "stop web"
    assert "stage failed to stop" in caplog.messages


def test_another_thread_can_stop_a_running_daemon(
    daemon: Daemon, eventually: Callable[..., None]
) -> None:
    ends: list[ExitReport] = []
    thread = threading.Thread(target=lambda: ends.append(daemon.supervisor.run()))
    thread.start()
    eventually(lambda: daemon.systemd.count("WATCHDOG=1") >= 1)
    daemon.supervisor.stop()
    thread.join(5)
    assert ends == [ExitReport(failed_stage=None, clean=True)]


def test_a_valid_reload_ends_the_run_so_that_everything_is_rebuilt(
    daemon: Daemon, ends: list[ExitReport], eventually: Callable[..., None]
) -> None:
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    assert daemon.systemd.count("RELOADING=1 MONOTONIC_USEC=0 STATUS=reloading") == 1
    assert daemon.diary == ["start web", "start worker"], "the daemon works during the check"
    daemon.checks.end(able=True)
    eventually(lambda: ends)
    assert ends == [ExitReport(failed_stage=None, clean=True, reload=True)]
    assert daemon.diary[2:] == ["stop worker", "stop web"]
    assert not any("STOPPING" in sent for sent in daemon.systemd.sent)


def test_a_reload_that_is_refused_changes_nothing_and_is_ended_for_systemd(
    daemon: Daemon, ends: list[ExitReport], eventually: Callable[..., None]
) -> None:
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    daemon.checks.end(able=False)
    expected = "READY=1 STATUS=reload refused, see the log; 3 frames scored"
    eventually(lambda: daemon.systemd.count(expected) == 1)
    assert not ends
    assert daemon.diary == ["start web", "start worker"]


def test_a_second_reload_during_a_check_reads_the_files_again(
    daemon: Daemon, ends: list[ExitReport], eventually: Callable[..., None]
) -> None:
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    for _ in range(3):
        daemon.supervisor.reload()
    first = daemon.checks.under_way.pop()
    # Orders are executed one after another: this one follows the three.
    first(False)
    eventually(lambda: daemon.checks.under_way)
    daemon.checks.end(able=False)
    eventually(lambda: daemon.systemd.count("READY=1 STATUS=3 frames scored") == 1)
    eventually(lambda: any("reload refused" in sent for sent in daemon.systemd.sent))
    assert not daemon.checks.under_way
    assert not ends


def test_a_check_that_never_ends_is_given_up(
    daemon: Daemon, ends: list[ExitReport], clock: FakeClock, eventually: Callable[..., None]
) -> None:
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    clock.advance(119)
    daemon.supervisor.tick()
    assert daemon.checks.given_up == []
    clock.advance(1)
    eventually(lambda: daemon.checks.given_up)
    assert daemon.checks.given_up == ["the check did not end within 120 s"]
    eventually(lambda: any("reload refused" in sent for sent in daemon.systemd.sent))
    assert not ends


def test_a_stage_that_does_not_end_for_a_reload_ends_the_process(
    daemon: Daemon, ends: list[ExitReport], eventually: Callable[..., None]
) -> None:
    daemon.worker.in_time = False
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    daemon.checks.end(able=True)
    eventually(lambda: ends)
    # The stage that still runs holds the model or the database: nothing is built beside it.
    assert ends == [ExitReport(failed_stage="worker", clean=False, hung=True)]


def test_a_requested_stop_overrides_a_reload(
    daemon: Daemon, ends: list[ExitReport], eventually: Callable[..., None]
) -> None:
    daemon.supervisor.reload()
    eventually(lambda: daemon.checks.under_way)
    daemon.supervisor.stop()
    eventually(lambda: ends)
    daemon.checks.end(able=True)
    assert ends == [ExitReport(failed_stage=None, clean=True)]
