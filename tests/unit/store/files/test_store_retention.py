"""Old pictures are removed; results and files of other programs stay."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from scopewatch.config import OverlayConfig
from scopewatch.core.errors import StoreError
from scopewatch.store.files.retention import Removed, retain
from tests.conftest import FakeClock


def put(path: Path, clock: FakeClock, *, days_old: float, size_bytes: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    moment = (clock.now() - timedelta(days=days_old)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_pictures_beyond_their_age_are_removed(tmp_path: Path, clock: FakeClock) -> None:
    old = put(tmp_path / "run/A1/P1_t0000_s0.jpg", clock, days_old=91)
    stain = put(tmp_path / "run/A1/P1_t0000_s0_stain.ome.tif", clock, days_old=91)
    young = put(tmp_path / "run/A1/P1_t0001_s0.jpg", clock, days_old=89)
    removed = retain(tmp_path, OverlayConfig(keep_days=90, keep_gb=None), clock.now())
    assert (removed.files, removed.size_bytes) == (2, 2000)
    assert removed.newest_at == clock.now() - timedelta(days=91)
    assert not old.exists()
    assert not stain.exists()
    assert young.exists()


def test_the_oldest_go_where_all_together_are_too_large(tmp_path: Path, clock: FakeClock) -> None:
    pictures = [
        put(tmp_path / f"run/A1/P1_t000{index}_s0.jpg", clock, days_old=9 - index)
        for index in range(5)
    ]
    retain(tmp_path, OverlayConfig(keep_days=None, keep_gb=2.5e-6), clock.now())
    assert [path.exists() for path in pictures] == [False, False, False, True, True]


def test_within_the_hour_at_which_pictures_begin_to_be_kept_the_oldest_go(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Pictures of whole hours are summed up; those of one hour alone are put in order."""
    minutes = (0, 10, 20, 70, 80, 90, 130, 140, 200)
    pictures = [
        put(tmp_path / f"run/A{index}/P1_t0000_s0.jpg", clock, days_old=1 - minute / 1440)
        for index, minute in enumerate(minutes)
    ]
    removed = retain(tmp_path, OverlayConfig(keep_days=None, keep_gb=4.5e-6), clock.now())
    assert [path.exists() for path in pictures] == [False] * 5 + [True] * 4
    assert removed.newest_at == clock.now() - timedelta(days=1, minutes=-80)


def test_nothing_but_our_own_pictures_is_ever_removed(tmp_path: Path, clock: FakeClock) -> None:
    overlays, raw = tmp_path / "overlays", tmp_path / "raw"
    kept = [
        put(raw / "P1_A1_t0000_s0.jpg", clock, days_old=999),
        put(overlays / "run/A1/notes.txt", clock, days_old=999),
        put(overlays / "run/A1/P1_A1_s0_t0000_phase.tif", clock, days_old=999),
        put(overlays / "run/A1/holiday.jpg", clock, days_old=999),
    ]
    (overlays / "link").symlink_to(raw, target_is_directory=True)
    link = overlays / "run/A1/P1_t0007_s0.jpg"
    link.symlink_to(kept[0])
    retain(overlays, OverlayConfig(keep_days=1, keep_gb=1e-9), clock.now())
    assert all(path.exists() for path in kept)
    assert link.is_symlink()


def test_without_limits_everything_stays(tmp_path: Path, clock: FakeClock) -> None:
    put(tmp_path / "run/A1/P1_t0000_s0.jpg", clock, days_old=9999)
    options = OverlayConfig(keep_days=None, keep_gb=None)
    assert retain(tmp_path, options, clock.now()) == Removed(files=0, size_bytes=0)


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path, clock: FakeClock) -> None:
    assert retain(tmp_path / "none", OverlayConfig(), clock.now()).files == 0


def test_a_picture_that_cannot_be_removed_is_reported(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "run/A1/P1_t0000_s0.jpg", clock, days_old=999)

    def refuse(_path: Path, **_options: bool) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StoreError, match=r"picture cannot be removed: .*got Permission denied"):
        retain(tmp_path, OverlayConfig(keep_days=1), clock.now())
