"""The command line: help, wrong calls, wrong settings."""

import errno
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.cli.fit_options import (
    FitOptions,
    SearchOptions,
    choose_settings,
    few_steps,
    parse_binarise,
)
from scopewatch_training.cli.main import app, main
from scopewatch_training.dataset import prepare as preparing
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_data.pair_files import write_set

COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands)  # type: ignore[union-attr]


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Return (exit code, stdout, stderr) of a call."""
    code: object = 0
    try:
        main([str(each) for each in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert isinstance(code, int)
    return code, out, err


def choose(file: Path | None = None, **options: Any) -> FitSettings:
    return choose_settings(None, FitOptions(settings=file, **options))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, command, "--help")

    assert code == 0
    assert f"Example: scopewatch-train {command} " in " ".join(out.split())


def test_all_commands_of_the_design_are_there() -> None:
    wanted = {"prepare", "fit", "evaluate", "cross-validate", "quantise", "forecast"}

    assert wanted <= set(COMMANDS)


def test_a_wrong_option_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "fit", "data", "--out", "x", "--widht", "64")

    assert code == 2
    assert "No such option" in err


def fail_to_write(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def write(*_: object, **__: object) -> None:
        raise OSError(number, "it cannot be written")

    monkeypatch.setattr(preparing, "write_whole", write)


def test_a_full_disk_exits_with_1_and_one_line_that_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, out = write_set(tmp_path, ["a"]), tmp_path / "data"
    fail_to_write(monkeypatch, errno.ENOSPC)
    code, _, err = call(capsys, "prepare", manifest, "--out", out, "--workers", 1)

    assert code == 1
    assert err == (
        f"disk is full: {out} (got it cannot be written); make room, and call it again: prepare,"
        " fit, tune and cross-validate go on where they stopped\n"
    )
    monkeypatch.undo()
    code, printed, _ = call(capsys, "prepare", manifest, "--out", out, "--workers", 1)
    assert code == 0
    assert "2 of 2 pairs ready" in printed


def test_other_faults_of_a_disk_are_not_called_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_to_write(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="it cannot be written"):
        main(["prepare", str(write_set(tmp_path, ["a"])), "--out", str(tmp_path / "data")])


def test_a_missing_data_set_exits_with_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "fit", tmp_path / "nowhere", "--out", tmp_path / "x")

    assert code == 2
    assert err == (
        f"not a prepared data set: {tmp_path / 'nowhere' / 'dataset.json'} (got no such file);"
        " run scopewatch-train prepare to its end\n"
    )


def test_a_missing_bundle_exits_with_1_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "evaluate", tmp_path / "nowhere", tmp_path)

    assert code == 1
    assert err.startswith("model bundle does not exist: ")
    assert err.count("\n") == 1


def test_an_unknown_run_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_dataset(tmp_path / "data", runs=2, wells=1)

    code, _, err = call(capsys, "fit", data, "--out", tmp_path / "x", "--hold-out", "run9")

    assert code == 2
    assert "run is not in the data set" in err
    assert "got run9" in err


def test_options_win_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    stored = FitSettings(learning_rate=0.01, steps=300)
    file.write_text(json.dumps({"settings": stored.to_json(), "runs": ["a"]}))

    chosen = choose(file, steps=100, width=96, area_cutoff=0.3, tile_px=16)

    assert (chosen.learning_rate, chosen.steps) == (0.01, 100)
    assert (chosen.network.width, chosen.network.tile_px, chosen.labels.tile_px) == (96, 16, 16)
    assert chosen.labels.area_cutoff == 0.3
    assert choose() == FitSettings()


def sizes(settings: FitSettings) -> tuple[str, int, int, int]:
    network = settings.network
    return network.stem, network.width, network.depth, settings.steps


def test_a_stem_brings_its_own_width_depth_and_steps() -> None:
    assert sizes(choose()) == sizes(choose(stem="patches")) == ("patches", 48, 1, 1500)
    assert sizes(choose(stem="halvings")) == ("halvings", 64, 3, 500)
    assert sizes(choose(stem="halvings", width=32, steps=3)) == ("halvings", 32, 3, 3)
    assert choose(stem="halvings", steps=3).checks == 3


def test_networks_that_patches_do_not_suit_have_halvings_unless_patches_are_asked_for() -> None:
    assert sizes(choose(learn="brightness")) == ("halvings", 64, 3, 500)
    assert sizes(choose(tile_px=8, width=32)) == ("halvings", 32, 3, 500)
    assert sizes(choose(tile_px=16)) == sizes(choose(context="none")) == ("patches", 48, 1, 1500)
    assert sizes(choose(learn="brightness", stem="patches")) == ("patches", 48, 1, 1500)
    assert sizes(choose(tile_px=8, stem="patches")) == ("patches", 48, 1, 1500)


def test_the_stem_of_a_file_keeps_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    network = NetworkSpec(stem="halvings", width=96, depth=2)
    file.write_text(json.dumps(FitSettings(network=network, steps=700).to_json()))

    assert sizes(choose(file)) == ("halvings", 96, 2, 700)
    assert sizes(choose(file, stem="halvings")) == ("halvings", 96, 2, 700)
    assert sizes(choose(file, stem="patches")) == ("patches", 48, 1, 1500)

    file.write_text(json.dumps(FitSettings(steps=700).to_json()))
    assert sizes(choose(file, learn="brightness")) == ("patches", 48, 1, 700)


def test_a_search_may_be_of_either_stem() -> None:
    assert sizes(choose_settings(None, SearchOptions())) == ("patches", 48, 1, 1500)
    assert sizes(choose_settings(None, SearchOptions(stem="halvings"))) == ("halvings", 64, 3, 500)


def test_patches_with_fewer_steps_than_they_need_have_a_note() -> None:
    assert few_steps(choose(steps=300)) == (
        "note: 300 steps, and networks of patches need 1500: scores will be worse than they can be."
        " For a quick try take --stem halvings, which needs 500 and learns more from each, at three"
        " times the time for a frame"
    )
    assert few_steps(choose()) is None
    assert few_steps(choose(stem="halvings", steps=300)) is None
    assert few_steps(choose(learn="brightness")) is None


@pytest.mark.parametrize("command", ["fit", "cross-validate", "tune"])
def test_help_shows_what_is_taken_where_an_option_is_not_given(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, out, _ = call(capsys, command, "--help")

    assert code == 0
    text = " ".join(out.split())
    assert "1500, 500 with --stem halvings" in text
    assert "patches, halvings where brightness is learnt or tiles have 8 px" in text
    if command != "tune":
        assert "48, 64 with --stem halvings" in text
        assert "1, 3 with --stem halvings" in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 50}, "network is outside the family: width, depth"),
        ({"tile_px": 24}, "tile size is not supported"),
        ({"steps": 0}, "setting is wrong: steps"),
        ({"area_cutoff": 1.5}, "setting is wrong: area_cutoff"),
        ({"binarise": "fixed:lots"}, "threshold is no number: --binarise fixed:lots"),
        ({"binarise": "magic"}, "setting is wrong: method"),
        ({"binarise": "fixed"}, "setting is wrong: fixed_counts"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        choose(**options)


def test_a_fixed_threshold_is_read() -> None:
    assert parse_binarise("fixed:250").fixed_counts == 250


@pytest.mark.parametrize("text", ["", "[]", '{"settings": {"steps": 3}}', '{"stepz": 3}'])
def test_a_file_that_holds_no_settings_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)

    with pytest.raises(ConfigError, match="settings cannot be read: "):
        choose(file)


def test_classes_are_not_weighed_where_brightness_is_learnt() -> None:
    network = choose(learn="brightness").network
    assert FitSettings(network=network).network.learns == "brightness"

    with pytest.raises(ConfigError, match="positive_weight, focal_gamma"):
        FitSettings(network=network, focal_gamma=1.0)


def test_every_setting_changes_the_fingerprint_and_survives_json() -> None:
    base = FitSettings()

    assert FitSettings.from_json(json.loads(json.dumps(base.to_json()))) == base
    assert base.fingerprint() != FitSettings(seed=1).fingerprint()
    assert base.fingerprint() != choose(width=96).fingerprint()


@pytest.mark.parametrize("given", [("--out", "-"), ("--out=-",)])
def test_nothing_goes_to_standard_output(
    capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    code, _, err = call(capsys, "fit", "data", *given)

    assert code == 2
    assert err.startswith("what is written cannot go to standard output: --out - ")
