from pathlib import Path

import pytest

from scopewatch.app.checking.checks import run_checks

# Apprise imports a module of Python 3.11's own that warns of its removal in 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

CONFIG = """
experiment: {{name: run 1}}
model: {{bundle: model}}
sources: [{{kind: folder, path: {path}, pattern: '{pattern}'}}]
state: {{folder: {state}}}
alerts: {{channels: [{{name: mail, url: '{url}'}}], rules: [{{name: weak}}]}}
"""


def findings(
    tmp_path: Path,
    *,
    path: str = "in",
    pattern: str = "scopewatch",
    state: str = "state",
    url: str = "json://localhost",
) -> dict[str, list[tuple[bool, str]]]:
    file = tmp_path / "config.yaml"
    file.write_text(
        CONFIG.format(path=path, pattern=pattern, state=state, url=url), encoding="utf-8"
    )
    found: dict[str, list[tuple[bool, str]]] = {}
    for finding in run_checks(file, {}):
        found.setdefault(finding.subject, []).append((finding.failed, finding.text))
    return found


def test_every_problem_of_a_configuration_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("experiment: {name: x}\nwat: 1\n", encoding="utf-8")
    found = list(run_checks(file, {}))
    # The state folder is usable; it is checked all the same.
    assert [finding.failed for finding in found] == [True, True, True, False]
    assert any("wat" in finding.text for finding in found)


def test_folders_that_can_be_used_are_ok(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    found = findings(tmp_path)
    assert found["source folder"] == [
        (False, "kind folder"),
        (False, f"{tmp_path / 'in'} can be read"),
    ]
    assert found["state folder"] == [
        (False, f"{tmp_path / 'state'} can be written to (made at the start)")
    ]
    assert found["database"] == [(False, "none yet (made at the start)")]
    assert found["alert channels"] == [(False, "mail; `scopewatch alert test` sends a message")]
    assert found["heartbeat"] == [
        (False, "without alerts.heartbeat nobody hears that this machine is off")
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"in", "config.yaml"}


def test_a_source_that_is_a_file_fails(tmp_path: Path) -> None:
    (tmp_path / "in").touch()
    assert "path is not a folder" in findings(tmp_path)["source folder"][1][1]


def test_a_network_share_with_native_events_deserves_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.setattr("scopewatch.app.checking.checks.network_file_system", lambda _path: "cifs")
    (failed, text) = findings(tmp_path)["source folder"][2]
    assert not failed
    assert "on a network file system (cifs)" in text
    assert text.endswith("set observer: polling")


def test_a_wrong_pattern_fails(tmp_path: Path) -> None:
    (failed, text) = findings(tmp_path, pattern="(?P<weel>A1)")["source folder"][0]
    assert failed
    assert "file name pattern has the wrong named groups" in text


def test_a_state_folder_that_cannot_be_made_fails(tmp_path: Path) -> None:
    (tmp_path / "blocker").touch()
    ((failed, text),) = findings(tmp_path, state="blocker/state")["state folder"]
    assert failed
    assert text.startswith("state folder cannot be written to: ")


def test_an_alert_channel_that_is_not_understood_fails_without_its_secret(
    tmp_path: Path,
) -> None:
    ((failed, text),) = findings(tmp_path, url="nonsense://me:secret@host")["alert channels"]
    assert failed
    assert "nonsense://..." in text
    assert "secret" not in text


def test_a_damaged_database_fails(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "scopewatch.db").write_bytes(b"no database" * 100)
    ((failed, text),) = findings(tmp_path)["database"]
    assert failed
    assert "scopewatch.db" in text


def test_a_digest_without_a_receiver_gets_an_advice(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    channels = "[{name: mail, url: 'json://localhost', digest: false}]"
    alerts = f"alerts: {{channels: {channels}, digest: {{}}}}"
    plain = CONFIG.format(path="in", pattern="scopewatch", state="state", url="json://x")
    file.write_text(plain.rsplit("alerts:", 1)[0] + alerts, encoding="utf-8")
    (found,) = [each for each in run_checks(file, {}) if each.subject == "digest"]
    assert found.advice
    assert "no channel takes it" in found.text
