"""`scopewatch-train review` as it is called: its address, its refusals, its last line."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from scopewatch_training.cli.main import main
from scopewatch_training.review.serve import HOST, listen
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_review.reviewed import FIRST

ROOT = Path(__file__).parents[3]
PATHS = os.pathsep.join(str(ROOT / part) for part in ("daemon", "training", "simulator"))


def test_it_serves_on_this_machine_alone_until_it_is_interrupted(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    arguments = ["review", str(folder), "--no-browser", "--author", "Mika"]
    with subprocess.Popen(
        [sys.executable, "-m", "scopewatch_training", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PATHS, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.search(r"at (http://127\.0\.0\.1:\d+/[0-9a-f]{32}/)$", line)
        assert found is not None, line + process.stderr.read()
        assert "Ctrl-C" in process.stdout.readline()
        change = {"row": 0, "col": 0, "label": "dropped"}
        answer = httpx.post(f"{found[1]}pairs/{FIRST}/tiles", json=change)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == (
            "labels were corrected in review: 1 tile\n"
            f"next: scopewatch-train fit {folder} --out bundle --hold-out run3\n"
        )
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_the_socket_is_bound_to_loopback() -> None:
    with listen(0) as bound:
        assert bound.getsockname()[0] == HOST == "127.0.0.1"


def test_a_port_that_is_taken_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_dataset(tmp_path / "data")
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match="2"):
            main(["review", str(folder), "--no-browser", "--port", str(port)])
    assert capsys.readouterr().err == (
        f"the review cannot be served: 127.0.0.1:{port} (got Address already in use);"
        " leave --port out, which takes a free one\n"
    )


def test_what_is_no_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["review", str(tmp_path), "--no-browser"])
    assert capsys.readouterr().err.startswith("not a prepared data set: ")


def test_without_a_user_name_the_author_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("scopewatch_training.dataset.corrections.author.getuser", nobody)
    folder = write_dataset(tmp_path / "data")
    with pytest.raises(SystemExit, match="2"):
        main(["review", str(folder), "--no-browser"])
    assert capsys.readouterr().err == (
        "nobody knows who reviews: --author (got no user name on this machine);"
        " give --author NAME\n"
    )


def test_an_author_of_too_many_letters_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_dataset(tmp_path / "data")
    with pytest.raises(SystemExit, match="2"):
        main(["review", str(folder), "--no-browser", "--author", "M" * 101])
    assert capsys.readouterr().err == (
        "name of the author cannot be kept: --author (expected one line of at most 100 letters, got"
        " 101 letters: 'MMMMMMMMMMMMMMMMMMMM'...); give a shorter name\n"
    )
