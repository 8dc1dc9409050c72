"""`scopewatch retry`: what it selects, and what it says."""

from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.cli.main import run
from scopewatch.config import load_config
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.tickets import FrameTicket, Refusal
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.process.lock import InstanceLock
from tests.unit.store.scene import composer_of

CONFIG = """
experiment: {name: run 1}
model: {bundle: model}
sources: [{kind: folder, path: in}]
web: {enabled: false}
"""


def store_of(config: Path) -> Store:
    settings = load_config(config)
    policy = policy_of(settings.experiment)
    return Store.open(
        settings.state.folder, policy=policy, composer=composer_of(policy), clock=SystemClock()
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two frames in quarantine, in the folder day 1, and a file of another source that is none."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    now = SystemClock().now()
    with closing(store_of(path)) as store:
        for well in ("A1", "A2"):
            ticket = FrameTicket(
                key=FrameKey(
                    run="run 1",
                    plate="P1",
                    well=well,
                    site=0,
                    time_point=0,
                    channel="phase",
                ),
                source="folder",
                locator=f"day 1/{well}.tif",
                fingerprint="1",
                seen_at=now,
            )
            store.claim(ticket)
            store.quarantine(ticket, "blank", "it is blank")
        store.refuse(
            Refusal(source="old", locator="x.tif", fingerprint="1", reason="no key", seen_at=now)
        )
    return path


def retry_requests(config: Path) -> list[str]:
    with closing(store_of(config)) as store:
        return [each.locator for each in store.retry_requests("folder", 0, 10)]


def test_without_arguments_it_shows_the_reasons_and_what_to_write(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry", "-c", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("     2  blank; the newest: run 1/P1/A")
    assert lines[1] == "     1  refused; the newest: x.tif"
    assert "--reason NAME" in lines[2]
    assert retry_requests(config) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--all"], ["A1", "A2"]),
        (["--reason", "blank"], ["A1", "A2"]),
        (["--well", "A2"], ["A2"]),
        (["--plate", "P1", "--run", "run 1"], ["A1", "A2"]),
        (["day 1/A1.tif"], ["A1"]),
        (["day 1"], ["A1", "A2"]),
        (["run 1/P1/A2/s0/t0000/phase"], ["A2"]),
        (["IN/day 1/A2.tif"], ["A2"]),
    ],
)
def test_what_is_selected_is_asked_for(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: list[str]
) -> None:
    folder = str(config.parent / "in")
    arguments = [each.replace("IN", folder) for each in arguments]
    assert run(["retry", *arguments, "-c", str(config)]) == 0
    assert retry_requests(config) == [f"day 1/{well}.tif" for well in expected]
    out = capsys.readouterr().out
    assert f"{len(expected)} to be tried again, once the daemon is started" in out


def test_while_a_daemon_runs_it_says_that_it_is_soon(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with InstanceLock(load_config(config).state.folder):
        assert run(["retry", "--well", "A1", "-c", str(config)]) == 0
    assert capsys.readouterr().out == "1 to be tried again, within seconds\n"


def test_asking_twice_is_reported(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["retry", "--well", "A1", "-c", str(config)])
    capsys.readouterr()
    assert run(["retry", "--reason", "blank", "-c", str(config)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "1 wait for it already",
        "1 to be tried again, once the daemon is started",
    ]
    run(["retry", "-c", str(config)])
    assert "2  blank, 2 of them are to be tried again" in capsys.readouterr().out


def test_nothing_new_to_ask_for_is_no_failure(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["retry", "--all", "-c", str(config)])
    capsys.readouterr()
    assert run(["retry", "--all", "-c", str(config)]) == 0
    assert capsys.readouterr().out == "2 wait for it already\n"


def test_what_is_not_there_is_reported_and_the_call_fails(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry", "C7", "-c", str(config)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        "not in quarantine: C7; `scopewatch status` and the dashboard name what is",
        "nothing to try again",
    ]


def test_what_is_of_a_source_that_is_gone_is_left_and_reported(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["retry", "--reason", "refused", "-c", str(config)]) == 1
    assert "source 'old' is not configured any more" in capsys.readouterr().err
