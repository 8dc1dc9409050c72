"""A small run to fill the database with: frames, their results, and what the tables then hold."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.app.messaging.composing import MessageComposer
from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.config import RunConfig
from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.rules import AlertRule, Severity
from scopewatch.core.clock import Clock
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.efficiency import ErrorRates, correct
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.held_out import ForecastDay
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.core.tickets import FrameTicket
from scopewatch.messages.message import Style
from scopewatch.messages.settled import Settled
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import Judging
from scopewatch.store.schema.place import Place, Server
from scopewatch.store.write.measuring import Measuring
from tests.postgres import read_all, read_server

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
GRID = TileGrid(height=48, width=40, tile_px=16)
RATES = ErrorRates(tpr=0.8, fpr=0.05, half_width=0.06)
RULE = AlertRule(name="weak", target=0.5, from_day=0, consecutive=2, hysteresis=0.05)
RULES = (RULE,)
# On day 5 a well's final efficiency is what it reads, within 10 points; before, nobody knows.
TABLE = tuple(
    ForecastDay(
        day=day,
        intercept=0.0,
        slope=1.0,
        half_width=0.1,
        better_than_prior=day >= 5,
        errors=(-0.1, -0.05, 0.0, 0.05, 0.1),
    )
    for day in range(11)
)


def key(
    well: str = "A1", time_point: int = 0, site: int = 0, *, channel: str = "phase"
) -> FrameKey:
    return FrameKey(
        run="run 7",
        plate="p1",
        well=well,
        site=site,
        time_point=time_point,
        channel=channel,
    )


def ticket(
    frame: FrameKey,
    *,
    locator: str | None = None,
    fingerprint: str = "1",
    source: str = "folder",
    **known: Any,
) -> FrameTicket:
    return FrameTicket(
        key=frame,
        source=source,
        locator=locator or f"/raw/{frame}.tif",
        fingerprint=fingerprint,
        seen_at=START + timedelta(hours=12 * frame.time_point, minutes=5),
        **known,
    )


def frame_of(
    frame: FrameKey,
    *,
    acquired_at: datetime | None = None,
    elapsed_s: float | None = None,
    dated: bool = True,
    pixel_size_um: float | None = 1.3,
) -> Frame:
    """A frame of every 12 hours; not `dated`, nothing says when it was taken but `elapsed_s`."""
    return Frame(
        key=frame,
        pixels=np.zeros((GRID.height, GRID.width), dtype=np.uint16),
        pixel_size_um=pixel_size_um,
        acquired_at=acquired_at or (START + timedelta(hours=12 * frame.time_point))
        if dated
        else None,
        elapsed_s=elapsed_s,
    )


def judged(frame: FrameKey, fraction: float, *, grid: TileGrid = GRID) -> FrameResult:
    """A result whose raw positive fraction is `fraction`."""
    probability = np.linspace(0, 1, grid.rows * grid.cols, dtype=np.float32).reshape(grid.shape)
    return FrameResult(
        key=frame,
        model_id="0123456789ab",
        verdict=Verdict(fault=None, reason="", measures={"focus": 0.5}),
        scores=TileScores(grid=grid, probability=probability, valid=grid.whole()),
        positive_fraction=fraction,
        efficiency=correct(fraction, RATES),
        view=np.zeros((grid.height, grid.width), dtype=np.float32),
        timings=Timings(normalise_ms=1, score_ms=2, total_ms=3),
        view_um_per_px=1.3,
    )


def files_of(frame: FrameKey) -> OverlayFiles:
    stem = f"run 7/{frame.well}/p1_t{frame.time_point:04d}_s{frame.site}"
    return OverlayFiles(overlay=f"{stem}.jpg", stain=f"{stem}_stain.ome.tif")


def composer_of(policy: RunPolicy, **channels: Severity) -> MessageComposer:
    """The composer of a run whose channels carry what is as grave, or graver."""
    return MessageComposer(
        style=Style(simulated=policy.simulated, final_day=policy.final_day),
        routes={name: Route(min_severity=least) for name, least in channels.items()},
    )


def open_store(
    place: Place,
    clock: Clock,
    *,
    channels: Mapping[str, Severity] | None = None,
    max_attempts: int = 3,
    rules: Sequence[AlertRule] = RULES,
    judging: Judging | None = None,
    measuring: Measuring | None = None,
    copies: bool = False,
    **run: Any,
) -> Store:
    policy = replace(
        policy_of(RunConfig.model_validate({"name": "run 7", **run})),
        rates=RATES,
        forecast=TABLE,
    )
    return Store.open(
        place,
        policy=policy,
        composer=composer_of(policy, **({"mail": Severity.INFO} if channels is None else channels)),
        clock=clock,
        max_attempts=max_attempts,
        judging=judging or Judging(),
        measuring=measuring,
        rules=rules,
        copies=copies,
    )


def use_rules(store: Store, rules: Sequence[AlertRule]) -> None:
    """Have a store step other rules, as if it had been opened with them."""
    store._recorder = replace(store._recorder, rules=tuple(rules))


@dataclass
class Scene:
    """Drives a store as the worker does. The store steps the rules of the scene.

    Parameters
    ----------
    place
        Where the results are; None: in the folder.
    """

    store: Store
    folder: Path = Path()
    rules: Sequence[AlertRule] = field(default=RULES)
    place: Place | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("store", "rules"):
            use_rules(self.store, self.rules)

    def score(
        self, frame: FrameKey, fraction: float, *, taken: dict[str, Any] | None = None, **where: Any
    ) -> Settled:
        offered = ticket(frame, **where)
        assert self.store.claim(offered)
        return self.commit(offered, fraction, **(taken or {}))

    def commit(self, offered: FrameTicket, fraction: float, **taken: Any) -> Settled:
        """Commit what was claimed; `taken` as for `frame_of`."""
        frame = frame_of(offered.key, **taken)
        result = judged(offered.key, fraction)
        files = files_of(offered.key)
        return self.store.commit(offered, frame, result, files)

    def spoil(self, frame: FrameKey, reason: str = "it is blank", **where: Any) -> Settled:
        offered = ticket(frame, **where)
        assert self.store.claim(offered)
        return self.store.quarantine(offered, Fault.BLANK, reason)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return read_rows(self.place or self.folder, query)


def read_rows(place: Place, query: str) -> list[tuple[Any, ...]]:
    if isinstance(place, Server):
        return read_server(place, query)
    connection = sqlite3.connect(place / "scopewatch.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


NATURAL = {
    "frames": "SELECT w.name, time_point, site, channel, source, locator, fingerprint, state,"
    " attempts, fault, reason FROM frames f JOIN wells w ON w.id = f.well_id",
    "results": "SELECT w.name, time_point, site, model_id, day, positive_fraction, efficiency,"
    " low, high, overlay, stain FROM results r JOIN frames f ON f.id = r.frame_id"
    " JOIN wells w ON w.id = f.well_id",
    "tile_scores": "SELECT w.name, time_point, site, height_px, width_px, tile_px,"
    " hex(probability), hex(valid) FROM tile_scores s JOIN frames f ON f.id = s.frame_id"
    " JOIN wells w ON w.id = f.well_id",
    "well_estimates": "SELECT w.name, time_point, day, efficiency, low, high, n_sites"
    " FROM well_estimates e JOIN wells w ON w.id = e.well_id",
    "well_outlooks": "SELECT w.name, time_point, day, now_day, now, now_low, now_high,"
    " trend_per_day, value, low, high, errors, cause, reason"
    " FROM well_outlooks o JOIN wells w ON w.id = o.well_id",
    "rule_states": "SELECT plate, well, rule, last_time_point, open, state FROM rule_states",
    "alerts": "SELECT plate, well, rule, kind, severity, raised_time_point, raised_day, evidence,"
    " resolved_time_point, resolved_day, resolution FROM alerts",
    "outbox": "SELECT channel, idempotency_key, message FROM outbox",
    "refusals": "SELECT source, locator, fingerprint, fault, reason FROM refusals",
}


def tables(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """What the database says, without row numbers, the order of rows and times of writing."""
    if isinstance(place, Server):
        found = read_all(place, NATURAL.values())
    else:
        found = [read_rows(place, query) for query in NATURAL.values()]
    return {name: sorted(rows, key=repr) for name, rows in zip(NATURAL, found, strict=True)}
