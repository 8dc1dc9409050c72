"""The checks of a reload before anything changes."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from scopewatch.app import reloading
from scopewatch.app.checking import checks as checking
from scopewatch.app.reloading import Reloading, check_reload, name_changes, sum_up
from scopewatch.config import Config, load_config
from scopewatch.core.errors import ConfigError

BUNDLE = Path(__file__).parents[3] / "models/simulated-cardiomyocyte"


class Site:
    """A running configuration, and the file in which it is changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "config.yaml"
        (root / "in").mkdir()
        self.settings: dict[str, Any] = {
            "experiment": {"name": "run 1"},
            "model": {"bundle": str(BUNDLE)},
            "sources": [{"kind": "folder", "path": "in"}],
            "state": {"folder": "state"},
        }
        self.write()
        self.running = load_config(self.path)

    def write(self) -> None:
        self.path.write_text(yaml.safe_dump(self.settings), encoding="utf-8")

    def refuse(self) -> list[str]:
        self.write()
        with pytest.raises(ConfigError) as caught:
            check_reload(self.path, {}, self.running)
        return str(caught.value).splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_valid_configuration_is_returned_with_its_model_open(site: Site) -> None:
    site.settings["overlays"] = {"grid": True}
    site.write()
    found = check_reload(site.path, {}, site.running)
    assert found.config.overlays.grid
    assert found.scorer.card.name
    assert name_changes(site.running, found.config) == ["overlays"]


def test_the_model_that_was_checked_is_handed_on(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    found = check_reload(site.path, {}, site.running)
    assert caplog.messages.count("model opened") == 1
    # In the worker's thread, which did not open the model.
    with ThreadPoolExecutor(1) as worker:
        scored = worker.submit(found.scorer.score, np.zeros((64, 64), np.float32)).result()
    assert scored.shape == (64 // found.scorer.card.tile_px,) * 2


def test_what_is_taken_up_is_what_was_checked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def change_the_file(*_: object) -> str:
        site.settings["overlays"] = {"grid": True}
        site.write()
        return "none yet"

    monkeypatch.setattr(checking, "_check_database", change_the_file)
    assert not check_reload(site.path, {}, site.running).config.overlays.grid


def test_every_problem_is_reported_at_once(site: Site) -> None:
    site.settings["model"]["bundle"] = "no-model"
    site.settings["alerts"] = {"channels": [{"name": "lab", "url": "env:NO_SUCH_ADDRESS"}]}
    (site.root / "in").rmdir()
    assert [line.split(": ")[0] for line in site.refuse()] == [
        "secret cannot be read",
        "model bundle does not exist",
        "folder does not exist",
    ]


def test_another_state_folder_is_refused(site: Site) -> None:
    site.settings["state"]["folder"] = "elsewhere"
    (line,) = site.refuse()
    assert line == (
        f"the state folder cannot be changed by a reload: {site.path}: state.folder"
        f" (expected {site.root}/state, got {site.root}/elsewhere);"
        " stop scopewatch, move the folder, start it again"
    )


def test_a_share_that_is_away_does_not_keep_a_reload(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    (site.root / "in").rmdir()
    site.settings["overlays"] = {"grid": True}
    site.write()
    assert check_reload(site.path, {}, site.running).config.overlays.grid
    assert caplog.messages.count("reload goes on without it") == 1


def test_an_alert_holds_the_first_problems_and_how_many_more_there_are() -> None:
    assert sum_up(()) == ""
    assert sum_up(("a", "b")) == "a | b"
    assert sum_up(tuple("abcde")) == "a | b | c | and 2 more in the log"


def test_a_refusal_stays_until_a_check_passes(site: Site, eventually: Callable[..., None]) -> None:
    checks = Reloading(site.path, {}, site.running)
    ends: list[bool] = []
    site.settings["wat"] = 1
    site.write()
    checks.begin(ends.append)
    eventually(lambda: ends == [False])
    assert "wat" in checks.refusal()
    assert checks.candidate is None
    del site.settings["wat"]
    site.write()
    checks.begin(ends.append)
    eventually(lambda: ends == [False, True])
    assert checks.refusal() == ""
    assert checks.candidate is not None


def test_the_result_of_an_abandoned_check_is_ignored(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    came_back = threading.Event()
    over: list[threading.Thread] = []

    def hang(*_: object) -> None:
        over.append(threading.current_thread())
        came_back.wait(10)
        raise ConfigError("unknown key: wat; remove it")

    monkeypatch.setattr(reloading, "check_reload", hang)
    checks = Reloading(site.path, {}, site.running)
    ends: list[bool] = []
    checks.begin(ends.append)
    checks.give_up("the check did not end within 120 s")
    came_back.set()
    for thread in over:
        thread.join(10)
    assert ends == []
    assert checks.refusal().startswith("the check did not end within 120 s: ")
    assert caplog.messages == ["reload refused"]


def test_a_check_that_breaks_is_a_refusal(
    site: Site, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., None]
) -> None:
    def break_down(_path: Path, _environ: object, _running: Config) -> None:
        raise ZeroDivisionError("nothing there")

    monkeypatch.setattr(reloading, "check_reload", break_down)
    checks = Reloading(site.path, {}, site.running)
    ends: list[bool] = []
    checks.begin(ends.append)
    eventually(lambda: ends == [False])
    assert checks.refusal() == "ZeroDivisionError: nothing there"
