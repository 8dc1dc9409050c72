"""A long run for the daemon: its configuration, its filled database and its open store."""

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from alembic import command
from sqlalchemy import create_engine, event

from benchmarks.history.filled import History
from benchmarks.paired.builds import Build
from scopewatch.app.judging import make_judging
from scopewatch.app.model import mark_simulated, open_scorer
from scopewatch.app.recording.store import Store
from scopewatch.app.results import open_store
from scopewatch.config import Config, load_config
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.runtime.clock import SystemClock
from scopewatch.store.schema.migrating import alembic_config

RULES: list[dict[str, Any]] = [
    {"name": "will end weak", "kind": "weak-forecast", "target": 0.5, "consecutive": 2},
    {
        "name": "weak",
        "kind": "weak-now",
        "target": 0.5,
        "from_day": 8,
        "consecutive": 3,
        "hysteresis": 0.05,
    },
    {"name": "collapse", "kind": "plate-collapse", "share": 0.5, "severity": "critical"},
    {"name": "unlike the others", "kind": "outlier-well", "z": 4, "from_day": 6},
    {"name": "sudden change", "kind": "sudden-change", "consecutive": 2},
    {"name": "unfit", "kind": "unfit-frames", "consecutive": 2},
]


@dataclass
class Holds:
    """The times for which transactions held the writer, by the clock and by the processor."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        """The longest of each."""
        return f"{max(self.wall_s):.2f} s ({max(self.cpu_s):.2f} s of the processor)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """A run of many time points in a folder of its own."""

    root: Path
    time_points: int
    config: Config
    card: ModelCard
    history: History

    @property
    def filled(self) -> Path:
        """Folder of the database as filled: no rule has evaluated anything."""
        return self.root / "filled"

    @property
    def stepped(self) -> Path:
        """Folder of the database after all rules have evaluated all of it."""
        return self.root / "stepped"

    @property
    def state(self) -> Path:
        """The daemon's state folder."""
        return self.root / "state"

    @property
    def config_file(self) -> Path:
        """Its configuration."""
        return self.root / "config.yaml"

    def last_step(self) -> int:
        """Return the newest time point that a rule has evaluated; -1 before any."""
        connection = sqlite3.connect(self.state / "scopewatch.db")
        try:
            (last,) = connection.execute("SELECT max(last_time_point) FROM rule_states").fetchone()
        finally:
            connection.close()
        return -1 if last is None else int(last)

    @contextmanager
    def opened(self, config: Config) -> Iterator[tuple[Store, Holds]]:
        """Open the store as the daemon does, and time each of its transactions."""
        holds, began = Holds(), [0.0, 0.0]

        def begin(*_: object) -> None:
            began[:] = [time.perf_counter(), time.thread_time()]

        def end(*_: object) -> None:
            holds.wall_s.append(time.perf_counter() - began[0])
            holds.cpu_s.append(time.thread_time() - began[1])

        with ExitStack() as held:
            store = open_store(mark_simulated(config, self.card), self.card, SystemClock(), held)
            event.listen(store._writer, "begin", begin)
            event.listen(store._writer.pool, "checkin", end)
            yield store, holds


def long_run(root: Path, build: Build, wells: int, time_points: int) -> LongRun:
    """Write the files of a run that ended long enough ago to await no more frames; return it."""
    config = configure(root, build, time_points)
    scorer = open_scorer(config.model)
    scorer.close()
    card, now = scorer.card, datetime.now(UTC)
    history = History(
        began_at=now - timedelta(days=10, hours=3),
        settled_at=now - timedelta(hours=2),
        rates=card.errors.rates() if card.errors else None,
        table=card.forecast,
        wells=wells,
        time_points=time_points,
        judged_under=make_judging(mark_simulated(config, card), card).under("folder"),
    )
    return LongRun(root=root, time_points=time_points, config=config, card=card, history=history)


def configure(root: Path, build: Build, time_points: int) -> Config:
    """Write the configuration of a build's daemon; return it as this build reads it."""
    (root / "incoming").mkdir(parents=True, exist_ok=True)
    settings = {
        "experiment": {
            "name": "history",
            "interval_h": 240 / time_points,
            "final_day": 10,
            "simulated": True,
        },
        "model": {"bundle": str(build.model), "threads": 1},
        "sources": [{"kind": "folder", "name": "folder", "path": "incoming"}],
        "state": {"folder": "state"},
        "alerts": {"rules": RULES},
        "web": {"enabled": False},
    }
    path = root / "config.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return load_config(path)


def copy(source: Path, target: Path) -> None:
    """Replace a folder by a copy of another one."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def take_back_to(build: Build, state: Path) -> None:
    """Downgrade a database to the schema of an earlier build."""
    # Builds before 0.2.0 keep their migrations in `store/schema/migrations`.
    store = build.tree / "daemon" / "scopewatch" / "store"
    newest = max(path.name[1:5] for path in store.rglob("migrations/versions/v*.py"))
    engine = create_engine(f"sqlite:///{state / 'scopewatch.db'}")
    settings = alembic_config()
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.downgrade(settings, newest)
    engine.dispose()
