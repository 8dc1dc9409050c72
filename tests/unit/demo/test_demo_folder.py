"""The demo's folder and configuration."""

from pathlib import Path

import pytest

from scopewatch.config import load_config
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.errors import ConfigError
from scopewatch.demo.folder import MARKER, TARGET, prepare_folder, write_config


def test_a_new_demo_folder_says_that_it_is_simulated(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "demo")

    assert "simulated" in (folder.root / MARKER).read_text()
    assert folder.data_sets.is_dir()


def test_an_earlier_demo_is_replaced(tmp_path: Path) -> None:
    earlier = prepare_folder(tmp_path / "demo")
    (earlier.root / "summary.json").write_text("{}")

    assert not prepare_folder(tmp_path / "demo").summary.exists()


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("do not delete")

    with pytest.raises(ConfigError, match=r"demo folder holds something else.*--out"):
        prepare_folder(tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "do not delete"


def test_the_demo_runs_on_an_ordinary_configuration(tmp_path: Path) -> None:
    folder = prepare_folder(tmp_path / "demo")
    write_config(folder, bundle=tmp_path / "bundle", margin=0.07, port=9000)

    config = load_config(folder.config)

    assert config.experiment.simulated
    assert config.experiment.interval_h == 12
    assert [source.path for source in config.sources] == [folder.data_sets]
    targets = {rule.kind: rule.target for rule in config.alert_rules()}
    assert targets[RuleKind.WEAK_FORECAST] == TARGET
    assert targets[RuleKind.WEAK_NOW] == pytest.approx(TARGET + 0.07)
    assert RuleKind.PLATE_COLLAPSE in targets
    assert config.experiment.final_day == 10
    assert config.web.port == 9000
