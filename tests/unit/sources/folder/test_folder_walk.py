import os
from pathlib import Path

import pytest

from scopewatch.sources.folder.walk import (
    as_locator,
    look_at,
    network_file_system,
    walk_images,
)
from tests.unit.sources.images import write


def names(root: Path, *, recursive: bool = True) -> set[str]:
    return {seen.locator for seen in walk_images(root, recursive=recursive)}


def test_images_are_found_in_all_folders(tmp_path: Path) -> None:
    for name in ("a.tif", "p1/b.png", "p1/p2/c.jpg", "p1/metadata.txt", "notes.csv"):
        write(tmp_path / name) if name.endswith(".tif") else _touch(tmp_path / name)
    assert names(tmp_path) == {"a.tif", "p1/b.png", "p1/p2/c.jpg"}
    assert names(tmp_path, recursive=False) == {"a.tif"}


@pytest.mark.parametrize(
    "name", [".a.tif", "._a.tif", "~a.tif", "a.tif.part", "a.tif.tmp", "a.tif~", ".cache/a.tif"]
)
def test_hidden_and_temporary_files_are_no_frames(tmp_path: Path, name: str) -> None:
    _touch(tmp_path / name)
    assert names(tmp_path) == set()


def test_links_that_loop_are_walked_once(tmp_path: Path) -> None:
    _touch(tmp_path / "p1/a.tif")
    (tmp_path / "p1/again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "p1/self").symlink_to(tmp_path / "p1", target_is_directory=True)
    assert len(names(tmp_path)) == 1


def test_a_linked_folder_and_a_linked_file_are_followed(tmp_path: Path) -> None:
    _touch(tmp_path / "elsewhere/a.tif")
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched/far").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "watched/b.tif").symlink_to(tmp_path / "elsewhere/a.tif")
    (tmp_path / "watched/dead.tif").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path / "watched") == {"far/a.tif", "b.tif"}


def test_ndtiff_data_sets_are_left_to_their_own_source(tmp_path: Path) -> None:
    _touch(tmp_path / "set_1/NDTiff.index")
    _touch(tmp_path / "set_1/set_NDTiffStack.tif")
    _touch(tmp_path / "set_1/inner/a.tif")
    assert names(tmp_path) == {"set_1/inner/a.tif"}


def test_names_may_hold_newlines_and_any_script(tmp_path: Path) -> None:
    for name in ("pl\nate.tif", "Tr\u00e4ger/\u7d30\u80de.tif"):
        _touch(tmp_path / name)
    assert names(tmp_path) == {"pl\nate.tif", "Tr\u00e4ger/\u7d30\u80de.tif"}


def test_a_folder_named_like_an_image_is_entered_but_is_no_frame(tmp_path: Path) -> None:
    _touch(tmp_path / "x.tif/a.tif")
    assert names(tmp_path) == {"x.tif/a.tif"}
    assert look_at(tmp_path, "x.tif") is None


def test_a_deep_tree_ends_at_a_bound(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(70):
        folder /= "d"
    _touch(folder / "a.tif")
    _touch(tmp_path / "d/d/b.tif")
    assert names(tmp_path) == {"d/d/b.tif"}


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        names(tmp_path / "gone")


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    path = _touch(tmp_path / "a.tif")
    before = look_at(tmp_path, "a.tif")
    os.utime(path, ns=(5, 5))
    after = look_at(tmp_path, "a.tif")
    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint == "0:5"
    assert look_at(tmp_path, "b.tif") is None


def test_a_path_outside_the_folder_has_no_locator(tmp_path: Path) -> None:
    assert as_locator(tmp_path, str(tmp_path / "a/b.tif")) == "a/b.tif"
    assert as_locator(tmp_path, "/elsewhere/b.tif") is None


def test_a_network_share_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "mounts"
    table.write_text(
        f"/dev/sda1 / ext4 rw 0 0\n//nas/scope {tmp_path} cifs rw 0 0\n"
        f"tmpfs {tmp_path}/local tmpfs rw 0 0\nodd line\n"
    )
    monkeypatch.setattr("scopewatch.sources.folder.walk._MOUNTS", table)
    monkeypatch.setattr("sys.platform", "linux")
    assert network_file_system(tmp_path / "run") == "cifs"
    assert network_file_system(tmp_path / "local") is None
    assert network_file_system(Path("/usr")) is None
    monkeypatch.setattr("sys.platform", "win32")
    assert network_file_system(tmp_path / "run") is None


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path
