"""The server in its thread: it answers, stops, and says why it cannot start."""

import logging
import socket
import threading
from collections.abc import Callable

import httpx
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.web.access.listener import Listener
from scopewatch.web.serve import WebServer
from tests.conftest import FakeClock
from tests.unit.web.conftest import Dashboard


def test_it_answers_once_start_returns_and_no_more_after_stop(dashboard: Dashboard) -> None:
    server = WebServer(dashboard.app, Listener("127.0.0.1", 0))
    assert not server.running()
    server.start()
    assert server.running()
    answer = httpx.get(server.url + "healthz")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert server.stop()
    assert not server.running()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "healthz")
    assert server.stop()


def test_a_taken_port_is_shown_before_anything_is_started(dashboard: Dashboard) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = WebServer(dashboard.app, Listener("127.0.0.1", port))
        with pytest.raises(ConfigError) as caught:
            server.start()
    assert str(caught.value) == (
        f"the dashboard cannot listen: http://127.0.0.1:{port}/ (got Address already in use);"
        " stop the program that has the port, or set another web.port"
    )
    assert not server.running()


def test_the_port_is_free_for_the_next_start(dashboard: Dashboard) -> None:
    with WebServer(dashboard.app, Listener("127.0.0.1", 0)) as first:
        httpx.get(first.url)
        port = int(first.url.rstrip("/").rsplit(":", 1)[1])
    with WebServer(dashboard.app, Listener("127.0.0.1", port)) as second:
        assert httpx.get(second.url + "healthz").status_code == 200


def test_it_stops_in_time_while_a_browser_keeps_its_connection(dashboard: Dashboard) -> None:
    server = WebServer(dashboard.app, Listener("127.0.0.1", 0))
    server.start()
    with httpx.Client() as client:
        client.get(server.url)
        assert server.stop(within_s=4)


def test_a_page_that_fails_is_a_500_and_the_server_goes_on(
    dashboard: Dashboard, caplog: pytest.LogCaptureFixture
) -> None:
    dashboard.health.complaints = (None,)  # type: ignore[assignment]  # a bug in the daemon
    with WebServer(dashboard.app, Listener("127.0.0.1", 0)) as server:
        with caplog.at_level(logging.ERROR):
            assert httpx.get(server.url + "api/status.json").status_code == 500
        dashboard.health.complaints = ()
        assert httpx.get(server.url + "api/status.json").status_code == 200
    assert "Traceback" in caplog.text


def test_a_name_that_is_not_an_address_is_refused(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ConfigError, match="got Name or service not known"):
        WebServer(dashboard.app, Listener("localhost", 0)).start()


def test_it_says_when_its_thread_has_ended_by_itself(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> None:
    server = WebServer(dashboard.app, Listener("127.0.0.1", 0))
    server.start()
    # What an unhandled failure within the loop does, without one to provoke.
    server._server.should_exit = True
    eventually(lambda: not server.running())
    server.stop()


def test_a_loop_that_hangs_counts_as_stalled_though_its_thread_is_alive(
    dashboard: Dashboard, clock: FakeClock, eventually: Callable[..., None]
) -> None:
    heartbeats = Heartbeats(clock, stall_s=120)
    hung, release = threading.Event(), threading.Event()

    async def hang() -> None:
        hung.set()
        release.wait(30)

    dashboard.app.add_api_route("/hang", hang)
    server = WebServer(
        dashboard.app, Listener("127.0.0.1", 0), progress=lambda: heartbeats.beat("web")
    )
    server.start()
    browser = threading.Thread(target=httpx.get, args=(server.url + "hang",), daemon=True)
    try:
        clock.advance(121)
        eventually(lambda: not heartbeats.stalled())
        browser.start()
        assert hung.wait(10)
        clock.advance(121)
        assert server.running()
        assert heartbeats.stalled() == {"web": 121}
        release.set()
        eventually(lambda: not heartbeats.stalled())
    finally:
        release.set()
        browser.join(10)
        assert server.stop()
