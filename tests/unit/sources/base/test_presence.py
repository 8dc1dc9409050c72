"""A folder that was there and is gone differs from one that has not appeared yet."""

from pathlib import Path

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.source import KnownFolder
from scopewatch.sources.base import away
from scopewatch.sources.base.away import Presence
from tests.unit.sources.fakes import FakeLedger


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


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> dict[Path, int]:
    """Return the devices of folders on which something is mounted."""
    mounted: dict[Path, int] = {}

    def identify(root: Path) -> away.Identity | None:
        if not root.is_dir():
            return None
        state = root.stat()
        return mounted.get(root, state.st_dev), state.st_ino

    monkeypatch.setattr(away, "identify", identify)
    return mounted


def test_a_mount_point_that_nothing_is_mounted_on_any_more_is_gone(
    tmp_path: Path, devices: dict[Path, int]
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    devices[share] = 77
    presence = Presence(share)
    assert reported(presence) == "there"
    del devices[share]
    assert reported(presence) == "gone"
    devices[share] = 78
    assert reported(presence) == "there", "mounted again, it has another device"
    del devices[share]
    (share / "HES_7_1").mkdir()
    assert reported(presence) == "there", "moved to this disk on purpose"


def test_the_next_process_knows_that_a_folder_was_there(tmp_path: Path) -> None:
    root, ledger = tmp_path / "run8", FakeLedger()
    root.mkdir()
    Presence(root).record("scope", ledger)
    root.rmdir()
    assert reported(Presence(root)) == "awaited"
    presence = Presence(root)
    presence.recall("scope", ledger)
    assert reported(presence) == "gone"
    root.mkdir()
    assert reported(presence) == "there"


def test_a_share_that_was_unmounted_between_two_processes_is_gone(
    tmp_path: Path, devices: dict[Path, int]
) -> None:
    share, ledger = tmp_path / "share", FakeLedger()
    share.mkdir()
    devices[share] = 77
    Presence(share).record("scope", ledger)
    assert ledger.folders == {("scope", str(share)): KnownFolder(mounted=True)}
    del devices[share]
    presence = Presence(share)
    presence.recall("scope", ledger)
    assert reported(presence) == "gone"
    presence.record("scope", ledger)
    devices[share] = 78
    assert reported(presence) == "there", "after a start of the machine it has another device"
    del devices[share]
    assert reported(presence) == "gone"


def test_a_ledger_that_was_away_at_the_start_does_not_lose_what_it_knows_of_a_share(
    tmp_path: Path, devices: dict[Path, int]
) -> None:
    share, ledger = tmp_path / "share", FakeLedger()
    share.mkdir()
    ledger.folders["scope", str(share)] = KnownFolder(mounted=True)
    ledger.broken = True
    presence = Presence(share)
    with pytest.raises(StoreError):
        presence.recall("scope", ledger)
    assert reported(presence) == "there"
    ledger.broken = False
    presence.record("scope", ledger)
    assert reported(presence) == "gone"
    assert ledger.folders == {("scope", str(share)): KnownFolder(mounted=True)}
