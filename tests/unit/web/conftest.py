"""The dashboard over a run in memory, asked without a network."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter

from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.phrases import Language
from scopewatch.notify.breaker import Receiver
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.monitor_store import Facts
from scopewatch.web.overlay_images import PictureCopies
from scopewatch.web.server import create_app
from tests.conftest import FakeClock
from tests.unit.web.fakes import FACTS, NOW, FakeAnswers, FakeHealth, FakeReader, states_of

TOKEN = "a token of this process"
HOST = "http://127.0.0.1:8787"


class Dashboard:
    """A browser, and the parts behind the page that a test may change."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.reader = FakeReader()
        self.alerts = FakeAnswers()
        self.health = FakeHealth()
        self.receivers: tuple[Receiver, ...] = ()
        self.acquisitions: tuple[AcquisitionStanding, ...] = ()
        self.pausing = ""
        self.waiting = 0
        self.language: Language | None = None
        self.folder = folder
        self.copies: PictureCopies | None = None
        self.clock = clock
        self.registry = CollectorRegistry()
        Counter("frames", "Frames.", registry=self.registry).inc(3)
        self.app = self.build(FACTS)

    def build(self, facts: Facts) -> FastAPI:
        self.app = create_app(
            DashboardContext(
                reader=self.reader,
                overlay_folder=self.folder,
                copies=self.copies,
                alerts=self.alerts,
                health=self.health,
                states=states_of(
                    self.reader, self.health, self.clock, lambda: self.waiting, facts.run
                ),
                waiting=lambda: self.waiting,
                pausing=lambda: self.pausing,
                receivers=lambda: self.receivers,
                acquisitions=lambda: self.acquisitions,
                registry=self.registry,
                facts=facts,
                clock=self.clock,
                token=TOKEN,
                language=self.language,
            ),
        )
        return self.app

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.ask("GET", path, headers=headers)

    def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        return self.ask("POST", path, headers=headers, form=form)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
                return await client.request(method, path, headers=headers, data=form)

        return asyncio.run(send())


@pytest.fixture
def dashboard(tmp_path: Path, clock: FakeClock) -> Dashboard:
    clock.wall = NOW
    folder = tmp_path / "overlays"
    folder.mkdir()
    return Dashboard(folder, clock)
