"""Record frames at the end of a long history and time each step: claim, day, commit.

Run by `measure.py` under each build; prints JSON: step -> milliseconds, one for each frame. `at`
counts the frames of a time point: the last one completes the plate, so that its rules step.

    python commit_workload.py CONFIG FIRST_TIME_POINT TIME_POINTS WELLS...
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import fields
from datetime import UTC, datetime
from inspect import signature
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scopewatch.app.model import mark_simulated, open_scorer
from scopewatch.app.results import open_store
from scopewatch.config import load_config
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.core.imaging.efficiency import correct
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.overlay import OverlayFiles
from scopewatch.core.imaging.result import FrameResult, Timings, Verdict
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.core.tickets import FrameTicket
from scopewatch.runtime.clock import SystemClock

GRID = TileGrid(height=256, width=256, tile_px=32)
MEASURES = {"coverage": 0.9, "contrast": 0.3, "band_4px": 0.02, "band_8px": 0.1, "focus": 0.6}


def main() -> None:
    """Record all wells of some time points."""
    path, first, count, *wells = sys.argv[1:]
    config = load_config(Path(path))
    scorer = open_scorer(config.model)
    card = scorer.card
    scorer.close()
    rules, random = config.alert_rules(), np.random.default_rng(7)
    took_ms: dict[str, list[float]] = {name: [] for name in ("claim", "day", "commit", "cpu")}
    with ExitStack() as held:
        store = open_store(mark_simulated(config, card), card, SystemClock(), held)
        for time_point in range(int(first), int(first) + int(count)):
            for well in wells:
                ticket, frame, result = judged(well, time_point, card, random)
                files = OverlayFiles(overlay=f"{well}_{time_point}.jpg", stain=None)
                moments = [time.perf_counter()]
                claim(store, ticket, rules)
                moments.append(time.perf_counter())
                day = day_of(store, ticket, frame)
                moments.append(time.perf_counter())
                cpu_s = time.thread_time()
                commit(store, ticket, frame, result, files, day, rules)
                took_ms["cpu"].append(1000 * (time.thread_time() - cpu_s))
                moments.append(time.perf_counter())
                for step, (begin, end) in zip(took_ms, pairwise(moments), strict=False):
                    took_ms[step].append(1000 * (end - begin))
    print(json.dumps(took_ms))


def claim(store: Any, ticket: FrameTicket, rules: Sequence[AlertRule]) -> None:
    """Claim a frame; builds before 0.2.0 get the rules with each call."""
    store.claim(*(ticket, rules) if _takes_rules(store) else (ticket,))


def commit(
    store: Any,
    ticket: FrameTicket,
    frame: Frame,
    result: FrameResult,
    files: OverlayFiles,
    day: float,
    rules: Sequence[AlertRule],
) -> None:
    """Commit a frame; builds before 0.2.0 get its day and the rules with each call."""
    known = (ticket, frame, result, files)
    store.commit(*(*known, day, rules) if _takes_rules(store) else known)


def _takes_rules(store: Any) -> bool:
    return "rules" in signature(store.claim).parameters


def day_of(store: Any, ticket: FrameTicket, frame: Frame) -> float:
    """Return the day of a frame, by the interface of this build."""
    if "ticket" in signature(store.day_of).parameters:
        return float(store.day_of(ticket, frame))
    return float(store.day_of(ticket.key, frame.acquired_at, ticket.seen_at))


def judged(
    well: str, time_point: int, card: ModelCard, random: np.random.Generator
) -> tuple[FrameTicket, Frame, FrameResult]:
    """Return a frame with its result."""
    # The first field names the run: `experiment` in older builds.
    named: dict[str, Any] = {fields(FrameKey)[0].name: "history", "plate": "p1", "well": well}
    key = FrameKey(**named, site=0, time_point=time_point, channel="phase")
    now = datetime.now(UTC)
    ticket = FrameTicket(
        key=key, source="folder", locator=f"/raw/{key}.tif", fingerprint="1", seen_at=now
    )
    pixels = np.zeros((GRID.height, GRID.width), dtype=np.uint16)
    frame = Frame(key=key, pixels=pixels, pixel_size_um=1.3, acquired_at=now)
    raw = float(random.uniform(0.2, 0.6))
    scores = TileScores(
        grid=GRID, probability=random.random(GRID.shape, dtype=np.float32), valid=GRID.whole()
    )
    result = FrameResult(
        key=key,
        model_id="0" * 12,
        verdict=Verdict(fault=None, reason="", measures=MEASURES),
        scores=scores,
        positive_fraction=raw,
        efficiency=correct(raw, card.errors.rates() if card.errors else None),
        view=np.zeros((GRID.height, GRID.width), dtype=np.float32),
        timings=Timings(normalise_ms=1, score_ms=2, total_ms=3),
        view_um_per_px=1.3,
    )
    return ticket, frame, result


if __name__ == "__main__":
    main()
