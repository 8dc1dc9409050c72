"""A daemon's database with its dashboard, at the end of a history: what is asked of it, by name."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import httpx
from prometheus_client import CollectorRegistry

from benchmarks.history.recorded import PLATE, Recording
from benchmarks.history.script import SOURCE, Script
from benchmarks.set_clock import SetClock
from scopewatch.app.messaging.digest import DailyDigest
from scopewatch.app.results import channel_routes, gather_facts, message_style
from scopewatch.app.run_policy import policy_of, standard_of
from scopewatch.app.run_states import RunStates, StateLog
from scopewatch.app.status.reading import read_status
from scopewatch.config import Config
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.tickets import Mark
from scopewatch.monitoring.expectation import Standard
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.reader import Reader
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.server import create_app

WELL: Final = "A2"
# Files of which a walk asks the ledger at once.
FILES: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """The store and the reader of a database, as the daemon holds them, and its clock.

    Parameters
    ----------
    script
        The newest run of the database.
    """

    config: Config
    card: ModelCard
    script: Script
    recording: Recording
    reader: Reader
    app: Any

    @property
    def clock(self) -> SetClock:
        """The clock of the daemon."""
        return self.recording.clock

    def pages(self) -> Mapping[str, str]:
        """Return the addresses that people and programs ask for."""
        run = self.script.run
        return {
            "plate page": "/",
            "well page": f"/wells/{run}/{PLATE}/{WELL}",
            "alerts page": "/alerts",
            "quarantine page": "/quarantine",
            "acquisition page": "/acquisition",
            "health check": "/healthz",
            "status API": "/api/status.json",
            "wells API": f"/api/wells.json?experiment={run}",
            "well API": f"/api/wells/{run}/{PLATE}/{WELL}.json",
        }

    def get(self, address: str) -> bytes:
        """Return a page. Raises RuntimeError where there is none."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:8787"
            ) as client:
                return await client.get(address)

        answer = asyncio.run(ask())
        if answer.status_code not in (200, 503):
            raise RuntimeError(f"{address}: {answer.status_code}: {answer.text[:500]}")
        return answer.content

    def questions(self) -> Mapping[str, Callable[[], object]]:
        """Return what is asked of the database while the daemon runs; none changes a history."""
        store, reader, run = self.recording.store, self.reader, self.script.run
        states = RunStates(reader, self.config.experiment, clock=self.clock)
        log = StateLog(states, self.clock)
        marks = self._marks()
        return {
            "plate query": lambda: reader.overview(run),
            "status query": lambda: self._status(states),
            **{name: partial(self.get, address) for name, address in self.pages().items()},
            "scopewatch status": lambda: read_status(self.config, {}),
            "monitor tick": store.let_time_pass,
            "last frame": store.last_frame,
            "state of the runs": log.look,
            "messages due": lambda: store.due(self.clock.now(), 100),
            "requests to try again": lambda: (
                store.retry_requests(SOURCE, 0, 100),
                store.close_retry_requests(),
            ),
            "frame given up": lambda: store.second_try([SOURCE]),
            "500 known files": lambda: store.settled(SOURCE, marks),
            "names of a source": lambda: store.names_changed(SOURCE),
            "pictures without result": reader.without_result,
            "digest": self._digest(states).post,
        }

    def _status(self, states: RunStates) -> object:
        return self.reader.counts(self.script.run), states.current()

    def _marks(self) -> list[Mark]:
        """Return files of the newest run as a walk finds them."""
        tickets = [
            self.recording.ticket(well, time_point)
            for time_point in range(self.script.time_points)
            for well in self.script.names
        ]
        return [
            Mark(locator=each.locator, fingerprint=each.fingerprint) for each in tickets[-FILES:]
        ]

    def _digest(self, states: RunStates) -> DailyDigest:
        config, store = self.config, self.recording.store
        return DailyDigest(
            self.reader,
            announce=store.announce,
            complaints=tuple,
            routes=channel_routes(config),
            style=message_style(config),
            clock=self.clock,
            hour=0,
            zone="UTC",
            states=states,
            policy=policy_of(config.experiment),
            standard=Standard(
                rules=config.stepped_rules(), table=self.card.forecast, final_day=10.0
            ),
        )


@contextmanager
def opened(config: Config, card: ModelCard, script: Script) -> Iterator[Lab]:
    """Open the database of a configuration at the end of its newest run."""
    with ExitStack() as held:
        recording = Recording(config, card, script, held)
        recording.clock.wall = script.taken_at(script.time_points - 1) + timedelta(minutes=5)
        reader = Reader.open(config.state.folder)
        held.callback(reader.close)
        app = create_app(
            DashboardContext(
                reader=reader,
                overlay_folder=config.pictures,
                alerts=recording.store,
                health=lambda: Condition(ready=True, complaints=()),
                states=RunStates(
                    reader,
                    config.experiment,
                    clock=recording.clock,
                    target=standard_of(config).main_target,
                ),
                waiting=lambda: 0,
                registry=CollectorRegistry(),
                facts=gather_facts(config, card),
                clock=recording.clock,
                token="a token of this benchmark",
            )
        )
        yield Lab(
            config=config, card=card, script=script, recording=recording, reader=reader, app=app
        )
