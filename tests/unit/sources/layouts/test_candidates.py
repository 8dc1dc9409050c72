"""Which files may be frames, by their path and name."""

import pytest

from scopewatch.sources.layouts.candidates import MAX_DEPTH, is_candidate

FRAME = "plate_A1_s0_t0003_phase.tif"


@pytest.mark.parametrize(
    "folder",
    [
        ".~tmp~",  # rsync --delay-updates
        ".rsync-partial",  # rsync --partial-dir, as its manual names it
        ".stversions",  # Syncthing
        ".snapshot",  # NetApp; and .zfs
        "~snapshot",
        ".zfs/snapshot/monday",
        ".Trash-1000/files",
        ".recycle",  # Samba
        "$RECYCLE.BIN/S-1-5-21",
        "System Volume Information",
        "@eaDir",  # Synology
        "#recycle",
        "__MACOSX/run",
        "RecycleBin.ffs_tmp",  # FreeFileSync
        "plate_A1_s0_t0003_phase.tif.download",  # Safari
        "run.part",
    ],
)
@pytest.mark.parametrize("place", ["{}", "run 7/{}", "{}/deeper/still"])
def test_a_file_below_a_hidden_or_foreign_folder_is_no_candidate(folder: str, place: str) -> None:
    assert not is_candidate(f"{place.format(folder)}/{FRAME}")


@pytest.mark.parametrize(
    "name",
    [
        f".{FRAME}.Xy12Ab",  # rsync
        f".{FRAME}",
        f"._{FRAME}",  # macOS
        f"~{FRAME}",
        f".syncthing.{FRAME}.tmp",
        f"~syncthing~{FRAME}.tmp",
        f"{FRAME}.part",
        f"{FRAME}.tmp",
        f"{FRAME}.partial",
        f"{FRAME}.1a2b3c4d.partial",  # rclone since 1.63
        f"{FRAME}.filepart",  # WinSCP
        f"{FRAME}.crdownload",  # Chrome
        f"{FRAME}.aria2",
        f"{FRAME}.lftp-pget-status",
        f"{FRAME}~",
        "plate_A1_s0_t0003_phase.part.tif",
        "plate_A1_s0_t0003_phase.TMP.TIF",
        "plate_A1_s0_t0003_phase.partial.png",
    ],
)
def test_a_hidden_or_begun_file_is_no_candidate(name: str) -> None:
    assert not is_candidate(name)
    assert not is_candidate(f"run 7/{name}")


@pytest.mark.parametrize(
    "locator",
    [
        FRAME,
        f"Plate (1)/{FRAME}",
        f"run.2026-03-01/part/{FRAME}",
        f"tmp/{FRAME}",
        "A02.2020-08-27-20-07-49/A02_Bottom Slide_R_p01_0_A01f10d2.TIF",
        "part.tif",
        "x.ome.tif",
        "Copy of x.tif",  # seen, and refused with its reason
    ],
)
def test_an_image_elsewhere_is_a_candidate(locator: str) -> None:
    assert is_candidate(locator)


def test_a_file_deeper_than_walks_go_is_no_candidate() -> None:
    assert is_candidate("d/" * MAX_DEPTH + FRAME)
    assert not is_candidate("d/" * (MAX_DEPTH + 1) + FRAME)


def test_what_is_no_image_is_no_candidate() -> None:
    assert not any(map(is_candidate, ("run/metadata.txt", "a.aria2", "tif", "run/.tif", "a.tif/b")))
