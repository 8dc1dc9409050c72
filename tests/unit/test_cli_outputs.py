"""`-` as a place to write: standard output where lines are written, refused elsewhere."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.cli.main import run
from scopewatch.cli.options.reading import read_pairs
from scopewatch.config import load_config
from scopewatch.core.errors import ConfigError
from scopewatch.runtime.clock import SystemClock
from tests.unit.store.scene import Scene, composer_of, key

# Apprise imports a module of Python 3.11's own that warns of its removal in 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CONFIG = """
experiment: {name: run 7}
model: {bundle: model}
sources: [{kind: folder, path: in}]
web: {enabled: false}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose daemon scored two frames; the test runs in its folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    settings = load_config(path)
    policy = policy_of(settings.experiment)
    store = Store.open(
        settings.state.folder, policy=policy, composer=composer_of(policy), clock=SystemClock()
    )
    scene = Scene(store=store, folder=settings.state.folder, rules=())
    for time_point in range(2):
        scene.score(key("A1", time_point), 0.4)
    store.close()
    return path


@pytest.mark.parametrize(
    "call",
    [
        ["score", "in", "--model", "model", "--out", "-"],
        ["init", "in", "--out", "-"],
        ["export", "--format", "ome-zarr", "--out", "-"],
        ["support-bundle", "--out", "-"],
        ["files", "-"],
        ["simulate", "-"],
        ["demo", "--out", "-"],
        ["alert", "test", "--write", "-"],
    ],
)
def test_what_is_no_text_of_lines_is_refused_on_standard_output(
    config: Path, capsys: pytest.CaptureFixture[str], call: list[str]
) -> None:
    before = sorted(config.parent.iterdir())
    assert run(call) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "cannot go to standard output: " in output.err
    assert len(output.err.splitlines()) == 1
    assert sorted(config.parent.iterdir()) == before, "no file called - is made"


def test_json_goes_to_standard_output_alone(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["export", "--format", "json", "--out", "-", "-c", str(config)]) == 0
    output = capsys.readouterr()
    assert len(json.loads(output.out)["wells"][0]["frames"]) == 2
    assert output.err == "2 frames written to standard output\n"
    assert not Path("-").exists()


def test_csv_on_standard_output_is_that_of_a_file(config: Path) -> None:
    command = [sys.executable, "-m", "scopewatch", "export", "-c", str(config), "--out"]
    done = subprocess.run([*command, "-"], capture_output=True, check=True, timeout=60)
    subprocess.run([*command, "results.csv"], capture_output=True, check=True, timeout=60)
    assert done.stdout == Path("results.csv").read_bytes()
    assert len(list(csv.DictReader(io.StringIO(done.stdout.decode())))) == 2


def test_a_reader_that_has_seen_enough_is_no_failure_to_tell_of(config: Path) -> None:
    command = f"{sys.executable} -m scopewatch export --format json --out - -c {config} | true"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ([], None),
        (["ch6=phase"], {"ch6": "phase"}),
        (["a=1", "b=2,c = 3"], {"a": "1", "b": "2", "c": "3"}),
        (["a=b=c"], {"a": "b=c"}),
    ],
)
def test_pairs_are_read(given: list[str] | None, expected: dict[str, str] | None) -> None:
    assert read_pairs("--channel-names", given) == expected


@pytest.mark.parametrize("given", ["phase", "=phase", "ch6=", "a=1,a=2", ""])
def test_what_is_no_pair_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(ConfigError, match="write it like --wells XY01=A1"):
        read_pairs("--wells", [given])
