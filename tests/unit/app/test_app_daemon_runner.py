"""One daemon after another in one process; the daemons are fakes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scopewatch.app import daemon_runner as module
from scopewatch.app.daemon_runner import DaemonRunner
from scopewatch.app.reloading import Candidate, Reloading
from scopewatch.config import Config
from scopewatch.core.errors import ConfigError, ScopewatchError, StoreError
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.runtime.supervision.stages import ExitReport
from tests.conftest import FakeClock

STOPPED = ExitReport(failed_stage=None, clean=True)
RELOAD = ExitReport(failed_stage=None, clean=True, reload=True)
SCORER = cast("Scorer", SimpleNamespace(card=SimpleNamespace(model_id="m1")))


def configure(name: str) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": name},
            "model": {"bundle": "m"},
            "sources": [{"kind": "folder", "path": "in"}],
        }
    )


@dataclass
class Played:
    """A fake daemon; `run` calls the test's function."""

    config: Config
    run: Callable[[], ExitReport]
    orders: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.orders.append("stop")

    def reload(self) -> None:
        self.orders.append("reload")


@dataclass
class Stage:
    """A builder that returns the given daemons in order, or raises a given exception."""

    parts: list[Callable[[Played], ExitReport] | Exception]
    built: list[Played] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    reloading: Reloading | None = None

    def build(self, config: Config, *, reloading: Reloading, **_: Any) -> Played:
        part = self.parts.pop(0)
        self.reloading = reloading
        self.refusals.append(reloading.refusal())
        if isinstance(part, Exception):
            raise part
        daemon = Played(config=config, run=lambda: part(daemon))
        self.built.append(daemon)
        return daemon

    def reload_to(self, name: str) -> Callable[[Played], ExitReport]:
        """Return a run that ends in a reload with another valid configuration."""

        def run(_: Played) -> ExitReport:
            assert self.reloading is not None
            self.reloading.candidate = Candidate(config=configure(name), scorer=SCORER)
            return RELOAD

        return run

    @property
    def names(self) -> list[str]:
        return [daemon.config.experiment.name for daemon in self.built]


def end_with(daemon: Played, act: Callable[[], None]) -> None:
    """Call a function as the run of a daemon ends."""
    part = daemon.run

    def run() -> ExitReport:
        exit_report = part()
        act()
        return exit_report

    daemon.run = run


Begin = Callable[..., tuple[DaemonRunner, Stage]]


@pytest.fixture
def begin(clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    def make(
        *parts: Callable[[Played], ExitReport] | Exception | str,
    ) -> tuple[DaemonRunner, Stage]:
        stage = Stage(parts=[])
        stage.parts = [stage.reload_to(part) if isinstance(part, str) else part for part in parts]
        monkeypatch.setattr(module, "build", stage.build)
        life = DaemonRunner(
            tmp_path / "config.yaml",
            configure("first"),
            clock=clock,
            environ={},
            pid=1,
            prepare=lambda _: None,
        )
        life.build()
        return life, stage

    return make


def stopped(_: Played) -> ExitReport:
    return STOPPED


def fail(_: Played) -> ExitReport:
    raise ConfigError("the dashboard cannot listen: 8787; set web.port")


def test_reload_after_reload_is_built_in_one_process(begin: Begin) -> None:
    life, stage = begin("second", "third", stopped)
    assert life.run() == STOPPED
    assert stage.names == ["first", "second", "third"]


@pytest.mark.parametrize("cannot", [fail, StoreError("disk is full; free some")])
def test_a_daemon_that_cannot_start_is_replaced_by_the_previous_one_with_the_reason(
    begin: Begin, cannot: Callable[[Played], ExitReport] | Exception
) -> None:
    life, stage = begin("second", cannot, stopped)
    assert life.run() == STOPPED
    assert stage.names[-1] == "first"
    assert stage.refusals[:2] == ["", ""]
    assert stage.refusals[2].startswith(("the dashboard cannot listen", "disk is full"))


def test_where_nothing_can_start_any_more_starting_again_may_help(begin: Begin) -> None:
    life, _ = begin("second", fail, fail)
    with pytest.raises(ScopewatchError, match="cannot listen") as caught:
        life.run()
    # A ConfigError would be status 2, after which systemd does not restart.
    assert not isinstance(caught.value, ConfigError)


def test_a_stop_that_is_requested_during_a_rebuild_is_kept(begin: Begin) -> None:
    life, stage = begin("second", stopped)
    end_with(stage.built[0], life.stop)
    assert life.run() == RELOAD
    assert stage.names == ["first"]


def test_a_reload_that_is_requested_during_a_rebuild_is_kept(begin: Begin) -> None:
    life, stage = begin("second", stopped)
    end_with(stage.built[0], life.reload)
    assert life.run() == STOPPED
    assert stage.built[1].orders == ["reload"]


def test_a_failure_is_no_reload(begin: Begin) -> None:
    failed = ExitReport(failed_stage="worker", clean=False, hung=True)
    life, _ = begin("second", lambda _: failed)
    assert life.run() == failed
