import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.config import (
    FolderSourceConfig,
    MicroManagerSourceConfig,
    load_config,
    read_sections,
)
from scopewatch.config.models import schema_text
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.errors import ConfigError

ROOT = Path(__file__).parents[2]

Write = Callable[[dict[str, Any]], Path]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {
        "experiment": {"name": "run 1"},
        "model": {"bundle": "models/m"},
        "sources": [{"kind": "folder", "path": "in"}],
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_config(settings: dict[str, Any]) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    return write_config


def refuse(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    return str(caught.value).splitlines()


def test_the_example_configuration_is_valid() -> None:
    config = load_config(ROOT / "config.yaml")
    assert config.model.bundle == ROOT / "models/simulated-cardiomyocyte"
    assert config.state.folder == ROOT / "state"
    assert {rule.kind for rule in config.alert_rules()} == set(RuleKind) - {RuleKind.OUTLIER_WELL}


def test_the_example_names_every_setting_with_its_default(
    write: Write, settings: dict[str, Any]
) -> None:
    example = load_config(ROOT / "config.yaml")
    bare = load_config(write(settings))
    for part in ("overlays", "web", "runtime"):
        assert getattr(example, part) == getattr(bare, part), part
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    for part in ("experiment", "model", "overlays", "web", "runtime"):
        for name in type(getattr(example, part)).model_fields:
            assert f"  {name}:" in text, f"{part}.{name} is not explained"


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "docs/config.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), (
        "write it again: python -c 'from scopewatch.config.models import schema_text;"
        ' print(schema_text(), end="")\' > docs/config.schema.json'
    )
    assert json.loads(committed)["title"] == "Config"


def test_relative_paths_start_from_the_file(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    settings["sources"].append(
        {
            "kind": "micromanager",
            "mode": "follow",
            "path": "/data/mda",
            "mm_config": "scope.cfg",
        }
    )
    config = load_config(write(settings))
    folder, microscope = config.sources
    assert isinstance(folder, FolderSourceConfig)
    assert folder.path == tmp_path / "in"
    assert isinstance(microscope, MicroManagerSourceConfig)
    assert microscope.path == Path("/data/mda")
    assert microscope.mm_config == tmp_path / "scope.cfg"
    assert microscope.mm_app_path is None


def test_a_tilde_is_the_home_of_whoever_runs_it(
    write: Write, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/lab")
    settings["state"] = {"folder": "~/state"}
    assert load_config(write(settings)).state.folder == Path("/home/lab/state")


def test_a_misspelt_key_is_named_with_what_was_probably_meant(
    write: Write, settings: dict[str, Any]
) -> None:
    settings["runtime"] = {"rescan": 10}
    path = write(settings)
    assert refuse(path) == [f"unknown key: {path}: runtime.rescan; did you mean rescan_s?"]


def test_every_problem_is_reported_at_once(write: Write, settings: dict[str, Any]) -> None:
    settings["experiment"]["interval_h"] = 0
    settings["web"] = {"port": 99999}
    settings["zzz"] = 1
    lines = refuse(write(settings))
    assert len(lines) == 3
    assert "experiment.interval_h (got 0)" in lines[0]
    assert "web.port (got 99999)" in lines[1]
    assert lines[2].endswith("zzz; remove it, or see docs/operating.md")


@pytest.mark.parametrize("wrong", ["foldr", None])
def test_a_wrong_kind_of_source_is_one_problem(
    write: Write, settings: dict[str, Any], wrong: str | None
) -> None:
    settings["sources"][0]["kind"] = wrong
    path = write(settings)
    (line,) = refuse(path)
    assert line == (
        f"Input tag '{wrong}' found using 'kind' does not match any of the expected tags:"
        f" 'folder', 'ndtiff', 'ome-zarr', 'micromanager': {path}: sources.0; see docs/operating.md"
    )


def test_no_source_at_all_is_still_reported(write: Write, settings: dict[str, Any]) -> None:
    settings["sources"] = []
    path = write(settings)
    assert refuse(path) == [
        "Tuple should have at least 1 item after validation, not 0:"
        f" {path}: sources; see docs/operating.md"
    ]


def test_the_value_of_an_unknown_key_is_not_shown(write: Write, settings: dict[str, Any]) -> None:
    settings["alerts"] = {"channels": [{"name": "mail", "urll": "mailto://me:secret@host"}]}
    assert "secret" not in "\n".join(refuse(write(settings)))


def test_a_state_folder_within_raw_data_is_refused(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    settings["state"] = {"folder": "in/run/state"}
    (line,) = refuse(write(settings))
    assert line.startswith("state folder lies within watched raw data: ")
    assert f"(expected a place outside {tmp_path / 'in'}" in line


def test_the_log_file_lies_in_the_state_folder_unless_it_says_where(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    assert load_config(write(settings)).logging.file is None
    settings["state"] = {"folder": "results"}
    for written, meant in (
        ("logs/scopewatch.log", tmp_path / "results/logs/scopewatch.log"),
        ("/var/log/scopewatch/scopewatch.log", Path("/var/log/scopewatch/scopewatch.log")),
    ):
        settings["logging"] = {"file": written}
        assert load_config(write(settings)).logging.file == meant


@pytest.mark.parametrize("name", ["scopewatch.db", "overlays/a.jpg", "logs"])
def test_a_log_file_that_could_be_another_of_ours_is_refused(
    write: Write, settings: dict[str, Any], name: str
) -> None:
    settings["logging"] = {"file": name}
    (line,) = refuse(write(settings))
    assert "the name of the log file ends in .log" in line


def test_a_log_file_within_raw_data_is_refused(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    settings["logging"] = {"file": str(tmp_path / "in/scopewatch.log")}
    (line,) = refuse(write(settings))
    assert line.startswith("log file lies within watched raw data: ")
    assert line.endswith("set another logging.file")


def test_a_state_folder_that_a_link_leads_into_raw_data_is_refused(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    settings["state"] = {"folder": "link/state"}
    assert "lies within watched raw data" in refuse(write(settings))[0]


def test_raw_data_beside_the_state_folder_is_fine(write: Write, settings: dict[str, Any]) -> None:
    settings["sources"][0]["path"] = "state/../in-state"
    settings["state"] = {"folder": "in"}
    assert load_config(write(settings)).state.folder.name == "in"


def test_names_that_stand_twice_are_refused(write: Write, settings: dict[str, Any]) -> None:
    settings["sources"] *= 2
    assert "sources: names must differ, but folder is used twice" in refuse(write(settings))[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [", "configuration is not YAML"),
        ("a: 1\na: 2\n", "key 'a' is used twice"),
        ("!!python/object/apply:os.system ['true']", "configuration is not YAML"),
        ("", "the file"),
        ("[" * 3000, "configuration is not YAML"),
    ],
)
def test_what_is_no_configuration_is_refused_in_one_line(
    tmp_path: Path, text: str, line: str
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    (reported,) = refuse(path)
    assert line in reported


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "(got not UTF-8 text)" in refuse(path)[0]
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    assert "(got more than 256 kB)" in refuse(path)[0]
    assert "(got No such file or directory)" in refuse(tmp_path / "none.yaml")[0]


def test_a_byte_order_mark_does_no_harm(
    write: Write, settings: dict[str, Any], tmp_path: Path
) -> None:
    path = write(settings)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_config(path).experiment.name == "run 1"


@pytest.mark.parametrize("sources", [7, {"kind": "folder"}, [7, None]])
def test_what_is_no_section_is_passed_over(
    write: Write, settings: dict[str, Any], sources: object
) -> None:
    settings |= {"sources": sources, "state": {"folder": "~nobody-of-that-name/state"}}
    sections = read_sections(write(settings))
    assert sections.sources == ()
    assert sections.state is None
    assert sections.model is not None


def test_a_home_folder_of_nobody_is_refused_in_one_line(
    write: Write, settings: dict[str, Any]
) -> None:
    settings["sources"][0]["path"] = "~nobody-of-that-name/in"
    (line,) = refuse(write(settings))
    assert line.startswith("nobody has such a home folder: ~nobody-of-that-name/in;")


@pytest.mark.parametrize(
    ("section", "change", "line"),
    [
        (
            "experiment",
            {"interval_hours": 4},
            "unknown key: {path}: experiment.interval_hours; did you mean interval_h?",
        ),
        (
            "experiment",
            {"interval_h": "12h"},
            "interval_h is a number of hours: {path}: experiment.interval_h (got 12h); write 12",
        ),
        (
            "experiment",
            {"started_at": "2026-11-20 09:00:00"},
            "started_at needs a zone: {path}: experiment.started_at (got 2026-11-20 09:00:00);"
            " write 2026-11-20T09:00:00+01:00, with your own zone",
        ),
        (
            "runtime",
            {"final_day": 3},
            "unknown key: {path}: runtime.final_day; it belongs to experiment, see"
            " docs/operating.md",
        ),
        (
            "sources",
            [{"kind": "folder", "path": "in", "mm_config": "x"}],
            "unknown key: {path}: sources.0.folder.mm_config; it belongs to sources of kind"
            " micromanager, see docs/operating.md",
        ),
        (
            "alerts",
            {"rules": [{"name": "w", "target": 50}]},
            "target is a share from 0 to 1: {path}: alerts.rules.0.weak-now.target (got 50); for"
            " 50 % write 0.5",
        ),
        (
            "alerts",
            {"rules": [{"name": "w", "target": "50 %"}]},
            "target is a share from 0 to 1: {path}: alerts.rules.0.weak-now.target (got 50 %); for"
            " 50 % write 0.5",
        ),
        (
            "alerts",
            {"rules": [{"name": "w", "target": 150}]},
            "target is a share from 0 to 1: {path}: alerts.rules.0.weak-now.target (got 150); for"
            " 50 % write 0.5",
        ),
        (
            "experiment",
            {"interval_h": "30 min"},
            "interval_h is a number of hours: {path}: experiment.interval_h (got 30 min); write"
            " 0.5",
        ),
        (
            "experiment",
            {"final_day": "day 10"},
            "final_day is a number of days: {path}: experiment.final_day (got day 10); write 10",
        ),
        (
            "experiment",
            {"started_at": "2026-11-20"},
            "started_at needs a zone: {path}: experiment.started_at (got 2026-11-20); write"
            " 2026-11-20T09:00:00+01:00, with your own hour and zone",
        ),
        (
            "experiment",
            {"started_at": 20261120},
            "a number is no time, write 2026-11-20T09:00:00+01:00: {path}: experiment.started_at"
            " (got 20261120); see docs/operating.md",
        ),
        (
            "runtime",
            {"inbox": "64 frames"},
            "inbox is a whole number: {path}: runtime.inbox (got 64 frames); write 64",
        ),
        (
            "experiment",
            {"started_at": "20.11.2026 9:00"},
            "started_at is no time that can be read: {path}: experiment.started_at (got"
            " 20.11.2026 9:00); write it like 2026-11-20T09:00:00+01:00",
        ),
        (
            "experiment",
            {"well_groups": {"a": ["A1-A6"], "b": ["B3;B4"]}},
            "pattern of wells 'A1-A6' is written A1:A6; pattern of wells 'B3;B4' is several: write"
            " a list, [B3, B4]: {path}: experiment.well_groups; see docs/operating.md",
        ),
    ],
)
def test_a_problem_says_what_to_write_instead(
    write: Write, settings: dict[str, Any], section: str, change: Any, line: str
) -> None:
    before = settings.get(section)
    settings[section] = {**before, **change} if isinstance(before, dict) else change
    path = write(settings)
    assert refuse(path) == [line.format(path=path)]
