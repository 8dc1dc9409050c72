"""The support bundle: its content, and no secret in it."""

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scopewatch.cli.main import run
from scopewatch.store.files.pictures import list_pictures

CONFIG = """
experiment: {name: run 1}
model: {bundle: model}
sources: [{kind: folder, path: in}]
web: {enabled: false}
alerts: {channels: [{name: phone, url: 'ntfy://hidden-user:hidden-word@host/hidden-topic'}]}
"""


def bundled(tmp_path: Path, text: str, *more: str) -> dict[str, str]:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    out = tmp_path / "trouble.zip"
    assert (
        run(["support-bundle", "-c", str(tmp_path / "config.yaml"), "--out", str(out), *more]) == 0
    )
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    with zipfile.ZipFile(out) as bundle:
        return {name: bundle.read(name).decode("utf-8") for name in bundle.namelist()}


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a fake journalctl that runs `answer` in a shell."""

    def write(answer: str) -> None:
        command = tmp_path / "bin/journalctl"
        command.parent.mkdir()
        command.write_text(f"#!/bin/sh\necho {answer}\n", encoding="utf-8")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")

    return write


def test_it_holds_no_secret_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = bundled(tmp_path, CONFIG)
    assert set(parts) == {
        "versions.json", "log.txt", "config.yaml", "health.json", "ledger.json", "card.yaml"
    }  # fmt: skip
    assert "there are no results yet" in parts["ledger.json"]
    printed = capsys.readouterr().out
    assert "there are no results yet" in printed
    assert "hidden" not in printed + "".join(parts.values())


def test_the_newest_lines_of_the_journal_come_without_the_secrets_of_the_configuration(
    tmp_path: Path, journal: Callable[[str], None]
) -> None:
    journal("delivery failed: hidden-word, $*")
    text = bundled(tmp_path, CONFIG)["log.txt"]
    assert text.startswith("delivery failed: ")
    assert "--unit scopewatch --lines 5000" in text
    assert "hidden-word" not in text


def test_a_journal_without_a_line_of_the_service_is_no_log(
    tmp_path: Path, journal: Callable[[str], None]
) -> None:
    journal("'-- No entries --'")
    assert bundled(tmp_path, CONFIG)["log.txt"] == (
        "not available: OSError: the journal holds no line of scopewatch"
    )


def test_the_files_of_the_log_come_along_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    lines = "2026-03-01 info ready why=hidden-word\n" * 20
    (folder / "scopewatch.log").write_text("newest " + lines, encoding="utf-8")
    (folder / "scopewatch.log.1").write_text("older json://a.b/hidden-path\n", encoding="utf-8")
    (folder / "scopewatch.log.3").write_text("beyond what is kept", encoding="utf-8")
    (folder / "other.log").write_text("hidden: not ours", encoding="utf-8")
    monkeypatch.setattr("scopewatch.app.support.MOST_LOG_BYTES", 100)
    text = CONFIG + "logging: {file: scopewatch.log, keep: 2}\n"
    parts = {name: part for name, part in bundled(tmp_path, text).items() if "logs/" in name}
    assert set(parts) == {"logs/scopewatch.log", "logs/scopewatch.log.1"}
    assert parts["logs/scopewatch.log.1"] == "older json://***\n"
    size = len("newest " + lines)
    first, *rest = parts["logs/scopewatch.log"].splitlines()
    assert first == f"# cut here: {size} bytes in all"
    assert set(rest) == {"2026-03-01 info ready why=***"}


def test_a_machine_without_a_journal_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bundled(tmp_path, CONFIG)["log.txt"].startswith("not available: FileNotFoundError")


def test_a_bad_configuration_is_reported_without_its_text(tmp_path: Path) -> None:
    parts = bundled(tmp_path, CONFIG + "wat: hidden\n")
    assert "unknown key" in parts["config.txt"]
    assert "hidden" not in "".join(parts.values())


def test_a_damaged_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/scopewatch.db").write_bytes(b"no database" * 500)
    assert "result database cannot be used" in bundled(tmp_path, CONFIG)["ledger.json"]


def test_pictures_are_included_only_on_request_and_only_those_that_retention_knows(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state/overlays/run 1/A1"
    folder.mkdir(parents=True)
    ours = ("p1_t0000_s0.jpg", "p1_t0001_s0.jpg")
    stains = ("p1_t0000_s0_stain.ome.tif", "p1_t0001_s0_stain.ome.tif")
    for name in (*ours, *stains, "holiday.jpg", "p1_t0000_s0.png", ".p1_t0002_s0.jpg.part"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / "p1_t0009_s0.jpg").symlink_to(tmp_path / "config.yaml")
    os.utime(folder / ours[0], (1, 1))
    assert {each.path.name for each in list_pictures(folder)} == {*ours, *stains}
    assert not [name for name in bundled(tmp_path, CONFIG) if "images" in name]
    for count, sent in (("1", [ours[1]]), ("9", [ours[1], ours[0]])):
        asked = bundled(tmp_path, CONFIG, "--with-images", count)
        images = [name for name in asked if name.startswith("images/")]
        assert images == [f"images/{number:04d}-{name}" for number, name in enumerate(sent)]
