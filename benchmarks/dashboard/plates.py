"""Six plates in states that an operator may meet, each a state folder filled through the store.

    all-well        day 8, every well on its way
    weak-wells      day 6.5, three wells on their way to a weak end
    wrong-channel   every frame is of a channel that is not scored
    out-of-domain   24 of 36 frames are unlike the model's training frames
    finished        day 10 was scored four days ago
    day-2           four time points, no forecast yet

Results are made up and marked as simulated; they take the shipped model's error rates and forecast
table, so that estimates, forecasts and alerts follow from them as in the daemon.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from benchmarks.dashboard.plans import PLANS, SCORED, Plan
from benchmarks.set_clock import SetClock
from scopewatch.app.model import mark_simulated
from scopewatch.app.recording.store import Store
from scopewatch.app.results import gather_facts, open_overlays, open_store
from scopewatch.app.run_policy import standard_of
from scopewatch.app.run_states import RunStates
from scopewatch.config import Config, load_config
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import correct
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.normalise import normalise
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.core.imaging.verdict import judge
from scopewatch.core.tickets import FrameTicket
from scopewatch.inference.bundle import load_bundle
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.files.overlays import OverlayFolder
from scopewatch.store.read.liveness import PICTURES_REMOVED
from scopewatch.store.read.reader import Reader
from scopewatch.web.access.listener import Listener
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.serve import WebServer
from scopewatch.web.server import create_app
from scopewatch_simulator.simulation import Simulation

SHIPPED = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"
RUN = "HES-NKX2.5 run 7"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
INTERVAL = timedelta(hours=12)
# The microscope images well after well.
PER_WELL = timedelta(seconds=20)
SIZE_PX = 256
# Number of the last time points whose pictures are kept.
DRAWN = 3

CONFIG = """
experiment: {{name: {run}, final_day: 10, interval_h: 12, sites_per_well: 1}}
model: {{bundle: {bundle}, threads: 1}}
sources: [{{kind: folder, name: microscope, path: incoming}}]
state: {{folder: state}}
overlays: {{stain_tiff: false}}
alerts:
  rules:
    - {{name: will end weak, kind: weak-forecast, target: 0.5}}
    - {{name: weak differentiation, kind: weak-now, target: 0.5, from_day: 8, consecutive: 3}}
    - {{name: plate collapse, kind: plate-collapse, share: 0.5, severity: critical}}
    - {{name: no frame fit to judge, kind: unfit-frames, consecutive: 2}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plate that is ready to be viewed, and the time of the view."""

    name: str
    config: Config
    card: ModelCard
    now: datetime


def prepare(name: str, folder: Path) -> Prepared:
    """Fill the state folder of a plate below `folder`, and write its configuration."""
    plan = PLANS[name]
    (folder / "incoming").mkdir(parents=True)
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(run=RUN, bundle=SHIPPED), encoding="utf-8")
    card = load_bundle(SHIPPED).card
    config = mark_simulated(load_config(path), card)
    clock = SetClock(START)
    with ExitStack() as held:
        store = open_store(config, card, clock, held)
        reader = Reader.open(config.state.folder)
        held.callback(reader.close)
        overlays = open_overlays(config, card, reader)
        _Filler(store, overlays, card, clock).fill(plan)
    return Prepared(name=name, config=config, card=card, now=clock.wall + plan.seen_after)


def assess_runs(prepared: Prepared, reader: Reader) -> RunStates:
    """Return the states of the runs of a plate at the time of the view."""
    return RunStates(
        reader,
        prepared.config.experiment,
        clock=SetClock(prepared.now),
        target=standard_of(prepared.config).main_target,
    )


@contextmanager
def serve(prepared: Prepared) -> Iterator[WebServer]:
    """Serve the dashboard of a plate as it is then, on any free port."""
    clock = SetClock(prepared.now)
    folder = prepared.config.state.folder
    with ExitStack() as held:
        store = open_store(prepared.config, prepared.card, clock, held)
        reader = Reader.open(folder)
        held.callback(reader.close)
        app = create_app(
            DashboardContext(
                reader=reader,
                overlay_folder=prepared.config.pictures,
                alerts=store,
                health=lambda: Condition(ready=True, complaints=()),
                states=assess_runs(prepared, reader),
                waiting=lambda: 0,
                registry=CollectorRegistry(),
                facts=gather_facts(prepared.config, prepared.card),
                clock=clock,
                token="a token of these pictures",
            ),
        )
        yield held.enter_context(WebServer(app, Listener("127.0.0.1", 0)))


class _Filler:
    """Drive a store as the worker does, with made-up results."""

    def __init__(
        self,
        store: Store,
        overlays: OverlayFolder,
        card: ModelCard,
        clock: SetClock,
    ) -> None:
        self._store = store
        self._overlays = overlays
        self._card = card
        self._clock = clock
        self._random = np.random.default_rng(7)
        self._field = Simulation(seed=11, size_px=SIZE_PX).frame(0, 0, 0, 16)
        self._view = normalise(self._field, card.normalisation.spec())

    def fill(self, plan: Plan) -> None:
        """Record every frame of a plan, time point by time point."""
        ends = [
            (plan.ends or {}).get(well, 0.58 + 0.24 * self._random.random()) for well in plan.wells
        ]
        reason = self._refusal()
        for time_point in range(plan.time_points):
            for index, well in enumerate(plan.wells):
                taken_at = START + time_point * INTERVAL + index * PER_WELL
                self._clock.wall += PER_WELL if plan.at_once else taken_at - self._clock.wall
                key = FrameKey(
                    run=RUN,
                    plate="plate-1",
                    well=well,
                    site=0,
                    time_point=time_point,
                    channel=plan.channel,
                )
                ticket = FrameTicket(
                    key=key,
                    source="microscope",
                    locator=f"/srv/microscope/{well}_t{time_point:04d}_{plan.channel}.tif",
                    fingerprint="1",
                    seen_at=self._clock.wall,
                )
                if plan.channel != SCORED:
                    self._store.skip(ticket, f"not scored: channel {plan.channel}")
                elif plan.unfit(index, time_point):
                    self._store.claim(ticket)
                    self._store.quarantine(ticket, Fault.OUT_OF_DOMAIN, reason)
                else:
                    day = time_point * INTERVAL / timedelta(days=1)
                    newest = time_point >= plan.time_points - DRAWN
                    self._score(ticket, taken_at, _efficiency(ends[index], day), draw=newest)
                    if not newest:
                        self._store.record_liveness(PICTURES_REMOVED, self._clock.wall)

    def _score(
        self, ticket: FrameTicket, taken_at: datetime, efficiency: float, *, draw: bool
    ) -> None:
        self._store.claim(ticket)
        frame = Frame(key=ticket.key, pixels=self._field, pixel_size_um=1.0, acquired_at=taken_at)
        result = self._result(ticket.key, efficiency + self._random.normal(0, 0.012))
        files = OverlayFiles(
            overlay=f"gone/{ticket.key.well}-{ticket.key.time_point}.jpg", stain=None
        )
        if draw:
            files = self._overlays.write(frame, result, self._store.day_of(ticket, frame))
        self._store.commit(ticket, frame, result, files)

    def _result(self, key: FrameKey, efficiency: float) -> FrameResult:
        errors = self._card.errors
        rates = None if errors is None else errors.rates()
        share = float(np.clip(efficiency, 0, 1))
        if rates is not None:
            share = rates.fpr + (rates.tpr - rates.fpr) * share
        grid = TileGrid(height=SIZE_PX, width=SIZE_PX, tile_px=self._card.tile_px)
        return FrameResult(
            key=key,
            model_id=self._card.model_id,
            verdict=Verdict(fault=None, reason="", measures={"focus": 0.3}),
            scores=TileScores(grid=grid, probability=self._tiles(grid, share), valid=grid.whole()),
            positive_fraction=share,
            efficiency=correct(share, rates),
            view=self._view,
            timings=Timings(normalise_ms=1, score_ms=2, total_ms=3),
            view_um_per_px=self._card.um_per_px,
        )

    def _tiles(self, grid: TileGrid, share: float) -> NDArray[np.float32]:
        """Return probabilities of which a given share is positive, in patches."""
        coarse = self._random.random((grid.rows // 2 + 1, grid.cols // 2 + 1))
        values = np.kron(coarse, np.ones((2, 2)))[: grid.rows, : grid.cols]
        ranks = (values + 1e-3 * self._random.random(values.shape)).argsort(axis=None).argsort()
        ordered = (ranks.reshape(values.shape) + 0.5) / ranks.size
        threshold = self._card.threshold
        above = threshold + (ordered - (1 - share)) / max(share, 1e-6) * (1 - threshold)
        below = ordered / max(1 - share, 1e-6) * threshold * 0.99
        return np.where(ordered >= 1 - share, above, below).astype(np.float32)

    def _refusal(self) -> str:
        """Return the reason for which the model refuses frames of a camera with unknown noise."""
        noise = self._random.normal(0, 3000.0, self._field.shape)
        pixels = np.clip(self._field / 2 + 8000 + noise, 0, 60_000).astype(np.uint16)
        view = normalise(pixels, self._card.normalisation.spec())
        verdict = judge(pixels, view, self._card, 1.0)
        if verdict.fault is not Fault.OUT_OF_DOMAIN:
            raise RuntimeError(f"the model takes what it should not know: {verdict}")
        return verdict.reason


def _efficiency(end: float, day: float) -> float:
    """Return the efficiency of a well on a day: low before day 4, nearly final on day 9."""
    return float(end / (1 + np.exp(-1.3 * (day - 5.6))))
