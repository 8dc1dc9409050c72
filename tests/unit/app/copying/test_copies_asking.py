import threading
from pathlib import Path

import pytest

from scopewatch.app.checking.copies import check_copies
from scopewatch.app.copying.asking import ask_within
from scopewatch.app.copying.place import RemotePictures
from scopewatch.config import Config
from scopewatch.core.errors import ConfigError, ScopewatchError, StoreError

URL = "s3://bucket/lab"


def test_an_answer_is_returned_from_another_thread() -> None:
    asked = ask_within(10, URL, threading.current_thread)
    assert asked is not threading.current_thread()
    assert asked.daemon, "the process may end meanwhile"


def test_no_answer_in_time_is_an_error_of_the_place() -> None:
    silent = threading.Event()
    try:
        with pytest.raises(StoreError) as found:
            ask_within(0.05, URL, silent.wait)
    finally:
        silent.set()
    assert str(found.value).startswith(f"place of copies cannot be used: {URL}")
    assert "no answer within 0.05 s" in str(found.value)


@pytest.mark.parametrize("error", [ConfigError("no s3fs"), StoreError("another's place")])
def test_errors_of_ours_are_raised_as_they_are(error: ScopewatchError) -> None:
    with pytest.raises(ScopewatchError) as found:
        ask_within(10, URL, lambda: raising(error))
    assert found.value is error


@pytest.mark.parametrize("error", [TimeoutError("password"), FileNotFoundError("password")])
def test_other_errors_are_named_without_their_words(error: Exception) -> None:
    with pytest.raises(StoreError, match=f"got {type(error).__name__}") as found:
        ask_within(10, URL, lambda: raising(error))
    assert "password" not in str(found.value)
    assert found.value.__cause__ is error


def test_check_writes_to_the_place_and_gives_up_one_that_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    config = Config.model_validate(
        {
            "experiment": {"name": "run 1"},
            "model": {"bundle": tmp_path},
            "sources": [{"kind": "folder", "path": tmp_path, "pattern": "scopewatch"}],
            "state": {"folder": tmp_path / "state"},
            "overlays": {"copy_to": f"file://{tmp_path}/there"},
        }
    )
    assert check_copies(config) == f"file://{tmp_path}/there can be written to and read"
    assert not list((tmp_path / "there").iterdir())
    silent = threading.Event()
    monkeypatch.setattr(RemotePictures, "read", lambda *_: silent.wait())
    monkeypatch.setattr("scopewatch.app.checking.copies._ANSWER_S", 0.05)
    try:
        with pytest.raises(StoreError, match=r"no answer within 0\.05 s"):
            check_copies(config)
    finally:
        silent.set()


def raising(error: Exception) -> None:
    raise error
