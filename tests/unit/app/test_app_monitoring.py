"""The alert when the daemon cannot start."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from scopewatch.app.daemon import build
from scopewatch.app.monitoring import image_folders, raise_model_refused
from scopewatch.config import Config
from scopewatch.core.errors import ModelError
from scopewatch.runtime.process.lock import InstanceLock
from tests.conftest import FakeClock
from tests.unit.store.scene import read_rows

REFUSAL = "model does not match its card: model.tflite; copy the bundle again"


def config_of(tmp_path: Path, *rules: Mapping[str, str]) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run 7"},
            "model": {"bundle": tmp_path / "no-bundle"},
            "sources": [{"kind": "folder", "path": tmp_path / "in"}],
            "state": {"folder": tmp_path / "state"},
            # Nothing listens there: the message has to wait.
            "alerts": {
                "rules": rules,
                "channels": [{"name": "hook", "url": "json://127.0.0.1:9/hook"}],
            },
        }
    )


RULE = {"name": "model", "kind": "model-refused"}


def test_a_start_without_a_model_raises_its_alert_and_fails_all_the_same(
    tmp_path: Path, clock: FakeClock
) -> None:
    with pytest.raises(ModelError) as refusal:
        build(config_of(tmp_path, RULE), clock=clock, environ={}, pid=1)
    ((kind, severity, evidence, day),) = read_rows(
        tmp_path / "state", "SELECT kind, severity, evidence, raised_day FROM alerts"
    )
    assert (kind, severity, day) == ("model-refused", "critical", None)
    assert json.loads(evidence)["detail"] == str(refusal.value)
    waiting = read_rows(tmp_path / "state", "SELECT channel, attempts, done_at FROM outbox")
    assert waiting == [("hook", 1, None)], "tried once, then waiting for the next start"


def test_every_start_in_vain_is_one_alert(tmp_path: Path, clock: FakeClock) -> None:
    for _ in range(3):
        raise_model_refused(config_of(tmp_path, RULE), ModelError(REFUSAL), clock)
        clock.advance(60)
    assert read_rows(tmp_path / "state", "SELECT count(*) FROM outbox") == [(1,)]


def test_without_a_rule_nothing_is_written(tmp_path: Path, clock: FakeClock) -> None:
    raise_model_refused(config_of(tmp_path), ModelError(REFUSAL), clock)
    assert not (tmp_path / "state").exists()


def test_a_state_folder_that_another_holds_does_not_hide_the_refusal(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").mkdir()
    with InstanceLock(tmp_path / "state"):
        raise_model_refused(config_of(tmp_path, RULE), ModelError(REFUSAL), clock)
    assert "refusal of the model cannot be reported" in caplog.text


def test_the_disk_of_pictures_is_watched_where_it_is_another_one(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    assert image_folders(config) == []
    share = config.overlays.model_copy(update={"folder": tmp_path / "share"})
    store = config.store.model_copy(update={"daemon": "scope-1"})
    apart = config.model_copy(update={"overlays": share, "store": store})
    assert image_folders(apart) == [tmp_path / "share" / "scope-1"]
