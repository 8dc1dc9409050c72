"""A start that cannot succeed reports every fault, and systemd does not repeat it."""

from pathlib import Path

from tests.integration.daemon import Daemon


def test_a_bad_configuration_a_missing_model_and_folder_are_reported_at_once(
    daemon: Daemon, tmp_path: Path
) -> None:
    daemon.settings["runtime"]["max_attempts"] = 0
    daemon.settings["experiment"]["interval"] = 12
    daemon.settings["model"]["bundle"] = str(tmp_path / "no-model")
    daemon.incoming.rmdir()
    daemon.start()
    assert daemon.wait() == 2
    lines = [entry["message"] for entry in daemon.log_lines()]
    assert [line.split(": ")[0] for line in lines] == [
        "unknown key",
        "Input should be greater than or equal to 1",
        "model bundle does not exist",
        "folder does not exist",
    ]
    assert str(tmp_path / "no-model") in lines[2]
    assert str(daemon.incoming) in lines[3]
    assert not daemon.state.exists()


def test_a_missing_model_and_folder_and_a_bad_channel_are_reported_at_once(
    daemon: Daemon, tmp_path: Path
) -> None:
    daemon.settings["model"]["bundle"] = str(tmp_path / "no-model")
    daemon.settings["alerts"] = {"channels": [{"name": "mail", "url": "nonsense://x"}]}
    daemon.settings["sources"][0]["pattern"] = "(unclosed"
    daemon.incoming.rmdir()
    daemon.start()
    assert daemon.wait() == 2
    lines = [entry["message"] for entry in daemon.log_lines()]
    for expected in ("no-model", "(unclosed", str(daemon.incoming), "channel"):
        assert sum(expected in line for line in lines) == 1, lines


def test_a_missing_secret_does_not_hide_a_missing_model(daemon: Daemon, tmp_path: Path) -> None:
    daemon.settings["model"]["bundle"] = str(tmp_path / "no-model")
    daemon.settings["alerts"] = {"channels": [{"name": "lab", "url": "env:NO_SUCH_ADDRESS"}]}
    daemon.start()
    assert daemon.wait() == 2
    lines = [entry["message"] for entry in daemon.log_lines()]
    assert [line.split(": ")[0] for line in lines] == [
        "secret cannot be read",
        "model bundle does not exist",
    ]
