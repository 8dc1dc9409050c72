"""A folder that was there and is gone differs from one that has not appeared yet."""

from pathlib import Path

import pytest

from scopewatch.sources.base import away
from scopewatch.sources.base.away import Presence


def reported(presence: Presence) -> str:
    answers = {
        "there": presence.is_there(),
        "gone": presence.is_gone(),
        "awaited": presence.is_awaited(),
    }
    return " ".join(name for name, answer in answers.items() if answer)


def test_a_folder_is_awaited_until_it_appears_and_gone_after_it_was_there(tmp_path: Path) -> None:
    root = tmp_path / "run8"
    presence = Presence(root)
    assert reported(presence) == "awaited"
    root.mkdir()
    assert reported(presence) == "there"
    root.rmdir()
    assert reported(presence) == "gone"
    root.mkdir()
    assert reported(presence) == "there", "whoever puts it back has it watched again"


def test_a_folder_whose_parent_is_not_there_is_not_awaited(tmp_path: Path) -> None:
    assert reported(Presence(tmp_path / "no" / "run8")) == ""


def test_a_file_in_its_place_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run8").touch()
    assert reported(Presence(tmp_path / "run8")) == "awaited"


def test_a_mount_point_that_nothing_is_mounted_on_any_more_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    devices = {share: 77}

    def identify(root: Path) -> away.Identity:
        state = root.stat()
        return devices.get(root, state.st_dev), state.st_ino

    monkeypatch.setattr(away, "identify", identify)
    presence = Presence(share)
    assert reported(presence) == "there"
    del devices[share]
    assert reported(presence) == "gone"
    devices[share] = 78
    assert reported(presence) == "there", "mounted again, it has another device"
    del devices[share]
    (share / "HES_7_1").mkdir()
    assert reported(presence) == "there", "moved to this disk on purpose"
