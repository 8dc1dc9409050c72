"""A dashboard holds its port at once, and serves once the daemon is ready, or soon without it."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI

from scopewatch.app import dashboard
from scopewatch.app.dashboard import Dashboard
from scopewatch.core.errors import ConfigError
from scopewatch.web.access.listener import Listener
from scopewatch.web.serve import WebServer


class Scene:
    """A dashboard of one page; `ready` says whether its daemon is."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.made = threading.Event()
        self.broken = False
        self.dashboard = Dashboard(Listener("127.0.0.1", 0), self._make, self.ready.is_set)

    def _make(self, listener: Listener) -> WebServer:
        self.made.set()
        if self.broken:
            raise RuntimeError("a template is missing")
        app = FastAPI()
        app.add_api_route("/", lambda: "page")
        return WebServer(app, listener)


@pytest.fixture
def scene() -> Iterator[Scene]:
    made = Scene()
    yield made
    made.dashboard.stop()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "LATEST_S", 60.0)


@pytest.mark.usefixtures("patient")
def test_a_request_that_comes_too_early_is_answered_once_the_daemon_is_ready(scene: Scene) -> None:
    scene.dashboard.start()
    assert scene.dashboard.running()
    answers: list[int] = []
    early = threading.Thread(
        target=lambda: answers.append(httpx.get(scene.dashboard.url, timeout=30).status_code)
    )
    early.start()
    early.join(0.2)
    assert early.is_alive()
    assert not scene.made.is_set()
    scene.ready.set()
    early.join(30)
    assert answers == [200]
    assert scene.dashboard.stop()
    assert not scene.dashboard.running()


def test_a_daemon_that_does_not_become_ready_shows_its_pages_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "LATEST_S", 0.05)
    scene.dashboard.start()
    assert httpx.get(scene.dashboard.url, timeout=30).status_code == 200


@pytest.mark.usefixtures("patient")
def test_it_ends_while_it_still_waits_and_gives_its_port_back(scene: Scene) -> None:
    scene.dashboard.start()
    port = int(scene.dashboard.url.rstrip("/").rsplit(":", 1)[1])
    assert scene.dashboard.stop()
    assert not scene.made.is_set()
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_a_taken_port_is_refused_at_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        held = Scene()
        held.dashboard = Dashboard(
            Listener("127.0.0.1", taken.getsockname()[1]), held._make, held.ready.is_set
        )
        with pytest.raises(ConfigError, match="the dashboard cannot listen"):
            held.dashboard.start()
    assert not held.dashboard.running()


def test_pages_that_cannot_be_made_end_the_stage_with_their_reason_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture, eventually: Callable[..., None]
) -> None:
    scene.broken = True
    scene.ready.set()
    with caplog.at_level(logging.ERROR):
        scene.dashboard.start()
        eventually(lambda: not scene.dashboard.running())
    assert "a template is missing" in caplog.text
