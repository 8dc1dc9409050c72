"""`check`, a reload and a start report what a configuration changes in the current run."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.app.checking.checks import run_checks
from scopewatch.app.checking.run_changes import explain_run
from scopewatch.app.daemon_runner import DaemonRunner
from scopewatch.app.reloading import check_reload
from scopewatch.config import Config, load_config
from scopewatch.runtime.clock import SystemClock
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import Scene, key, open_store

BUNDLE = Path(__file__).parents[4] / "models/simulated-cardiomyocyte"
WARNING_TEXT = "settings are not those of the run so far"

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Site:
    """A configuration with a run of three days of results, the newest of an hour ago."""

    def __init__(self, root: Path) -> None:
        (root / "in").mkdir()
        self.path = root / "config.yaml"
        clock = FakeClock()
        clock.wall = SystemClock().now() - timedelta(hours=1)
        store = open_store(root / "state", clock)
        scene = Scene(store=store, folder=root / "state", rules=())
        for time_point in range(7):
            for site in range(2):
                scene.score(key("A1", time_point, site), 0.4)
        store.close()

    def configure(self, **run: Any) -> Config:
        settings = {
            "experiment": {"name": "run 7", "sites_per_well": 2, **run},
            "model": {"bundle": str(BUNDLE)},
            "sources": [{"kind": "folder", "path": "in"}],
            "state": {"folder": "state"},
            "web": {"enabled": False},
        }
        self.path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return load_config(self.path)

    def explain(self, **run: Any) -> list[str]:
        return explain_run(self.configure(**run), SystemClock().now())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_results_show_what_they_were_made_with(site: Site, tmp_path: Path) -> None:
    reader = Reader.open(tmp_path / "state")
    results = reader.run_results()
    assert results is not None
    assert (results.name, results.channel, results.sites) == ("run 7", "phase", 2)
    assert (results.day, results.interval_h, results.final_day) == (3.0, 12.0, 10.0)
    assert reader.run_results("run 9") is None
    reader.close()


def test_an_unchanged_configuration_is_not_mentioned(site: Site) -> None:
    assert site.explain() == []


def test_check_notes_what_a_change_in_the_middle_of_a_run_does(site: Site) -> None:
    site.configure(name="run 8")
    found = [each for each in run_checks(site.path, {}) if each.subject == "run"]
    assert [each.advice for each in found] == [True]
    assert not found[0].failed
    assert "'run 7', on day 3.0 of 10" in found[0].text
    site.configure(interval_h=2, phase_channel="PH", sites_per_well=1, final_day=14)
    assert len([each for each in run_checks(site.path, {}) if each.subject == "run"]) == 4


def test_a_reload_says_it_before_it_takes_effect(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    running = site.configure()
    check_reload(site.path, {}, running)
    assert WARNING_TEXT not in caplog.messages
    site.configure(interval_h=2)
    check_reload(site.path, {}, running)
    (record,) = [record for record in caplog.records if record.message == WARNING_TEXT]
    assert record.levelno == logging.WARNING
    assert "another distance" in vars(record)["event"]["why"]


def test_a_start_says_it_as_well(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    config = site.configure(name="run 8")
    none = config.model.model_copy(update={"bundle": site.path.parent / "none"})
    life = DaemonRunner(
        site.path,
        config.model_copy(update={"model": none}),
        clock=SystemClock(),
        environ={},
        pid=1,
        prepare=lambda _config: None,
    )
    with pytest.raises(Exception, match="model bundle does not exist"):
        life.build()
    assert caplog.messages.count(WARNING_TEXT) == 1


def test_without_results_there_is_nothing_to_change(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "config.yaml"
    path.write_text(
        f"experiment: {{name: x}}\nmodel: {{bundle: {BUNDLE}}}\n"
        "sources: [{kind: folder, path: in}]\nstate: {folder: state}\n",
        encoding="utf-8",
    )
    config = load_config(path)
    assert explain_run(config, SystemClock().now()) == []
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "scopewatch.db").write_bytes(b"no database")
    assert explain_run(config, SystemClock().now()) == [], "another check reports it"
