import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch import __version__
from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.cli.alerts import parse_duration
from scopewatch.cli.main import run
from scopewatch.config import load_config
from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import Refusal
from scopewatch.runtime.clock import SystemClock
from tests.unit.store.scene import composer_of

# Apprise imports a module of Python 3.11's own that warns of its removal in 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

COMMANDS = ("run", "check", "score", "status", "export", "retry", "alert", "simulate", "demo")

CONFIG = """
experiment: {name: run 1}
model: {bundle: model}
sources: [{kind: folder, path: in}]
web: {enabled: false}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def results(config: Path) -> Path:
    """Return a configuration whose daemon ran before, and saw nothing."""
    settings = load_config(config)
    policy = policy_of(settings.experiment)
    Store.open(
        settings.state.folder, policy=policy, composer=composer_of(policy), clock=SystemClock()
    ).close()
    return config


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    output = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n  {command} " in output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    output = capsys.readouterr().out
    assert command == "alert" or f"Example: scopewatch {command}" in output


def test_help_does_not_load_what_only_commands_need() -> None:
    heavy = (
        "numpy",
        "sqlalchemy",
        "scipy",
        "tifffile",
        "fastapi",
        "apprise",
        "ai_edge_litert",
        "structlog",
    )
    code = (
        "import sys; from scopewatch.cli.main import run; run(['--help']);"
        f"print(sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr.strip() == "[]"


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"scopewatch {__version__}\n"


@pytest.mark.parametrize(
    "call", [["fly"], ["score"], ["run", "--fast"], ["simulate", "out", "--runs", "0"]]
)
def test_a_wrong_call_exits_with_2(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(call) == 2
    assert "Usage: " in capsys.readouterr().err


def test_a_missing_configuration_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.yaml"
    assert run(["run", "-c", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"configuration cannot be read: {path} (got No such file or directory);"
        " name the file with -c, or copy config.yaml from the documentation\n"
    )


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_traceback_is_shown_with_debug_only(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["run", "-c", str(tmp_path / "none.yaml")]
    run(["--debug", *call] if place == "before" else [*call, "--debug"])
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_missing_model_exits_with_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "-c", str(config)]) == 2
    assert capsys.readouterr().err.startswith("model bundle does not exist: ")


def test_scoring_what_is_not_there_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", str(tmp_path / "none.tif"), "--model", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"there is no such file or folder: {tmp_path / 'none.tif'}; correct the path\n"
    )


def test_stains_are_never_written_into_raw_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["score", str(tmp_path), "--model", str(tmp_path), "--out", str(tmp_path)]
    assert run(call) == 2
    assert "stains would be written into the raw data" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["status"], ["alert", "list"], ["alert", "ack", "1"]])
def test_commands_about_results_say_that_there_are_none_yet(
    command: list[str], config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "-c", str(config)]) == 1
    assert "there are no results yet" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_the_status_names_the_well_and_time_point_of_a_frame_that_was_missed(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_config(results)
    clock = SystemClock()
    policy = policy_of(settings.experiment)
    store = Store.open(
        settings.state.folder, policy=policy, composer=composer_of(policy), clock=clock
    )
    missed = FrameKey(run="run 1", plate="plate", well="B2", site=0, time_point=3, channel="phase")
    gap = Refusal(
        source="scope",
        locator="run 1: time point 3, position B2",
        fingerprint="missed",
        reason="never acquired: no camera",
        seen_at=clock.now(),
        missed=missed,
    )
    store.refuse(gap)
    store.close()
    assert run(["status", "-c", str(results)]) == 0
    output = capsys.readouterr().out
    assert "frames: 0 scored, 0 quarantined, 1 missed," in output
    assert "\n1 missed: The frame was due and was never taken: " in output
    assert "\n  run 1/plate/B2/s0/t0003/phase: never acquired: no camera\n" in output


def test_the_status_is_reported_to_people_and_to_programs(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "-c", str(results)]) == 0
    assert "frames: 0 scored, 0 quarantined" in capsys.readouterr().out
    assert run(["status", "--json", "-c", str(results)]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["schema_version"] == 1
    assert output["counts"]["scored"] == 0
    assert output["daemon"] == {
        "healthy": None,
        "detail": ["it has no dashboard at a fixed port"],
        "receivers": [],
        "pausing": "",
        "acquisitions": [],
        "running": False,
    }


@pytest.mark.parametrize("file_format", ["csv", "json"])
def test_results_are_exported(
    file_format: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"results.{file_format}"
    assert run(["export", "-c", str(results), "--format", file_format, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"0 frames written to {out}\n"
    assert out.stat().st_size > 0


def test_an_alert_that_does_not_exist_is_reported(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["alert", "undo", "7", "-c", str(results)]) == 1
    assert "there is no such alert: 7" in capsys.readouterr().err
    assert run(["alert", "ack", "7", "-c", str(results)]) == 1
    assert "7" in capsys.readouterr().err
    assert run(["alert", "list", "-c", str(results)]) == 0
    assert capsys.readouterr().out == "no alert is raised\n"


def test_testing_alerts_without_channels_is_a_wrong_call(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["alert", "test", "-c", str(config)]) == 2
    assert "there are no alert channels" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30m", timedelta(minutes=30)),
        ("6h", timedelta(hours=6)),
        (" 2d ", timedelta(days=2)),
    ],
)
def test_durations_are_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "6 hours", "31d", "99999d"])
def test_durations_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="duration is not understood: --for"):
        parse_duration(text)


def test_checks_say_what_is_right_and_what_to_do(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "-c", str(config)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ok    configuration: {config}"
    assert lines[1].startswith("FAIL  model: model bundle does not exist: ")
    assert f"FAIL  source folder: folder does not exist: {tmp_path / 'in'}; " in lines[3]
    assert lines[4].startswith("ok    state folder: ")
    assert not (tmp_path / "state").exists()


def test_simulating_writes_frames_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sim"
    call = ["simulate", str(out), "--runs", "1", "--wells", "1", "--size-px", "128"]
    assert run([*call, "--final-day-only", "--seed", "3"]) == 0
    assert capsys.readouterr().out.startswith("1 phase-contrast and 1 fluorescence frames of 1")
    assert (out / "SIMULATED.txt").is_file()


def test_a_failure_that_nobody_foresaw_is_one_line_too(
    results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_folder: Path) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("scopewatch.store.read.reader.Reader.open", fail)
    assert run(["status", "-c", str(results)]) == 1
    assert capsys.readouterr().err == (
        "scopewatch failed: RuntimeError: two lines; --debug shows where\n"
    )


def test_a_reader_that_leaves_early_is_no_error(
    results: Path, eventually: Callable[..., None]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scopewatch", "status", "--json", "-c", str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    output = process.stderr.read()
    process.stderr.close()
    process.wait(30)
    assert output == ""


def test_test_messages_are_written_in_the_configured_language(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alerts = "alerts: {language: ja, digest: {hour: 8}}"
    config.write_text(f"{CONFIG}\n{alerts}\n", encoding="utf-8")
    out = tmp_path / "look"
    assert run(["alert", "test", "-c", str(config), "--write", str(out)]) == 0
    written = sorted(path.name for path in out.iterdir())
    assert written == [
        "alert-trend-run-1-P1-B3.png",
        "alert.html",
        "alert.txt",
        "digest-plate-run-1-P1.png",
        "digest.html",
        "digest.txt",
    ]
    assert sorted(Path(line).name for line in capsys.readouterr().out.splitlines()) == written
    assert (out / "alert.txt").read_text(encoding="utf-8").startswith("【テスト】B3:")


def test_an_address_that_is_no_web_address_is_refused_and_not_shown(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heartbeat = "alerts: {heartbeat: {url: ftp://host/s3cret}}"
    config.write_text(f"{CONFIG}\n{heartbeat}\n", encoding="utf-8")
    assert run(["check", "-c", str(config)]) == 1
    output = capsys.readouterr()
    assert "the address of a heartbeat starts with http:// or https://" in output.out + output.err
    assert "s3cret" not in output.out + output.err
