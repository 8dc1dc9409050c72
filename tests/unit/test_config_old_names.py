"""Names of earlier versions are still read, and each is reported in one line."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.app.checking.checks import run_checks
from scopewatch.config import Config, load_config
from scopewatch.config.old_names import modernise
from scopewatch.core.alerts.rules import RENAMED_KINDS, RuleKind

LINE = "alerts.rules[1]: setting 'kind: blind' is deprecated since 0.2.0; write 'kind: no-frames'"


def settings(kind: str) -> dict[str, Any]:
    return {
        "experiment": {"name": "run 7", "interval_h": 12},
        "model": {"bundle": "bundle"},
        "sources": [{"name": "microscope", "kind": "folder", "path": "raw"}],
        "alerts": {"rules": [{"name": "weak"}, {"name": "silence", "kind": kind, "intervals": 3}]},
    }


def write(folder: Path, kind: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(settings(kind)), encoding="utf-8")
    return path


def test_the_old_kind_of_a_rule_means_what_the_new_one_means(tmp_path: Path) -> None:
    old, new = (load_config(write(tmp_path, kind)) for kind in ("blind", "no-frames"))
    assert old.alert_rules() == new.alert_rules()
    assert old.alert_rules()[1].kind is RuleKind.NO_FRAMES
    assert [str(each) for each in old.deprecations] == [LINE]
    assert new.deprecations == ()


def test_check_notes_an_old_name(tmp_path: Path) -> None:
    findings = [each for each in run_checks(write(tmp_path, "blind"), {}) if each.text == LINE]
    assert [(each.subject, each.advice, each.failed) for each in findings] == [
        ("configuration", True, False)
    ]


def test_what_the_file_stated_is_left_as_it_is() -> None:
    raw = settings("blind")
    before = deepcopy(raw)
    modernise(raw)
    assert raw == before


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "alerts",
        {},
        {"alerts": None},
        {"alerts": []},
        {"alerts": {"rules": None}},
        {"alerts": {"rules": {"kind": "blind"}}},
        {"alerts": {"rules": ["blind", None, {"kind": ["blind"]}, {}]}},
    ],
)
def test_what_is_no_list_of_rules_goes_on_to_validation(raw: Any) -> None:
    assert modernise(raw) == (raw, ())


def test_a_copy_of_a_configuration_keeps_its_old_names() -> None:
    config = Config.model_validate(settings("blind"))
    assert [str(each) for each in config.model_copy().deprecations] == [LINE]


@pytest.mark.parametrize(("old", "new"), RENAMED_KINDS.items())
def test_a_stored_kind_of_before_is_its_new_kind(old: str, new: str) -> None:
    assert RuleKind(old) is RuleKind(new)


def test_any_other_kind_is_still_refused() -> None:
    with pytest.raises(ValueError, match="'deaf' is not a valid RuleKind"):
        RuleKind("deaf")
