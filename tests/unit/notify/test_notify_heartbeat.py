import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from scopewatch.notify.heartbeat import STARTING_S, Heartbeat
from tests.conftest import FakeClock

EVERY_S = 300.0


@dataclass
class Condition:
    ready: bool = True
    complaints: tuple[str, ...] = ()


@dataclass
class Service:
    """A healthchecks-like service that keeps path and body of each call."""

    port: int = 0
    status: int = 200
    calls: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def service() -> Iterator[Service]:
    heard = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.calls.append((self.path, body))
            self.send_response(heard.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield heard
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Scene:
    clock: FakeClock
    condition: Condition
    heartbeat: Heartbeat


@pytest.fixture
def scene(clock: FakeClock, service: Service) -> Scene:
    condition = Condition()
    url = SecretStr(f"http://127.0.0.1:{service.port}/s3cret")
    heartbeat = Heartbeat(url, condition=lambda: condition, clock=clock, every_s=EVERY_S)
    return Scene(clock, condition, heartbeat)


def test_it_calls_every_so_often_while_all_is_well(scene: Scene, service: Service) -> None:
    assert scene.heartbeat.beat() is True
    assert scene.heartbeat.beat() is None
    scene.clock.advance(EVERY_S)
    assert scene.heartbeat.beat() is True
    assert service.calls == [("/s3cret", ""), ("/s3cret", "")]


def test_trouble_goes_to_fail_with_what_is_wrong(scene: Scene, service: Service) -> None:
    scene.condition.complaints = ("worker has made no progress for 130 s", "disk is full")
    assert scene.heartbeat.beat() is False
    assert service.calls == [
        ("/s3cret/fail", "worker has made no progress for 130 s\ndisk is full")
    ]


def test_a_start_is_no_trouble_until_it_lasts(scene: Scene, service: Service) -> None:
    scene.condition.ready = False
    scene.condition.complaints = ("source microscope: its start has not ended yet",)
    assert scene.heartbeat.beat() is None
    assert service.calls == []
    scene.clock.advance(STARTING_S)
    assert scene.heartbeat.beat() is False


def test_a_daemon_that_never_gets_ready_says_so(scene: Scene, service: Service) -> None:
    scene.condition.ready = False
    scene.clock.advance(STARTING_S)
    assert scene.heartbeat.beat() is False
    assert service.calls == [("/s3cret/fail", "not ready to work")]


@pytest.mark.parametrize("broken", ["refuses", "gone"])
def test_a_service_that_does_not_answer_is_reported_once_and_its_address_never(
    scene: Scene,
    service: Service,
    caplog: pytest.LogCaptureFixture,
    clock: FakeClock,
    broken: str,
) -> None:
    service.status = 404
    heartbeat = scene.heartbeat
    if broken == "gone":
        url = SecretStr("http://user:s3cret@127.0.0.1:9/s3cret")
        heartbeat = Heartbeat(url, condition=Condition, clock=clock, every_s=EVERY_S)
    with caplog.at_level(logging.DEBUG):
        for _ in range(3):
            assert heartbeat.beat() is None
            clock.advance(EVERY_S)
    assert [record.message for record in caplog.records] == ["heartbeat was not heard"]
    assert "s3cret" not in caplog.text + str([vars(record) for record in caplog.records])


def test_an_answer_after_failures_is_reported(
    scene: Scene, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    service.status = 500
    scene.heartbeat.beat()
    service.status = 200
    scene.clock.advance(EVERY_S)
    with caplog.at_level(logging.INFO):
        assert scene.heartbeat.beat() is True
    assert "heartbeat is heard again" in caplog.text


def test_the_thread_calls_and_survives_a_condition_that_fails(
    service: Service,
    clock: FakeClock,
    eventually: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: Iterator[Condition | Exception] = iter([ValueError("no condition"), Condition()])

    def condition() -> Condition:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    url = SecretStr(f"http://127.0.0.1:{service.port}/s3cret")
    heartbeat = Heartbeat(url, condition=condition, clock=clock, every_s=EVERY_S)
    heartbeat.start()
    eventually(lambda: service.calls)
    assert "heartbeat failed" in caplog.text
    assert heartbeat.stop()
    eventually(lambda: not heartbeat.running)
