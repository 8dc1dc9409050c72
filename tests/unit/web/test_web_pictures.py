"""Overlays are served from their folder and from nowhere else."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scopewatch.web.overlay_images import SMALL_PX, find_overlay
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import shot

NAME = "run/A2/s0_t0012.jpg"


def paint(path: Path, shade: int = 90) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((600, 900, 3), shade, dtype=np.uint8)).save(path)
    return path.read_bytes()


def know(dashboard: Dashboard, relative: str) -> None:
    dashboard.reader.pictures = [shot(relative)]


def test_an_overlay_the_database_knows_is_served_whole(dashboard: Dashboard) -> None:
    content = paint(dashboard.folder / NAME)
    know(dashboard, NAME)
    answer = dashboard.get(f"/overlays/{NAME}")
    assert answer.content == content
    assert answer.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("name", [NAME, "run/A2/s0.png"])
def test_the_film_strip_gets_small_pictures(dashboard: Dashboard, name: str) -> None:
    content = paint(dashboard.folder / name)
    know(dashboard, name)
    answer = dashboard.get(f"/overlays/{name}?small=1")
    assert len(answer.content) < len(content)
    with Image.open(BytesIO(answer.content)) as image:
        assert image.format == "JPEG"
        assert max(image.size) <= SMALL_PX
        assert image.size[0] > image.size[1]


def test_a_picture_is_sent_again_only_when_it_changed(dashboard: Dashboard) -> None:
    paint(dashboard.folder / NAME)
    know(dashboard, NAME)
    for address in (f"/overlays/{NAME}", f"/overlays/{NAME}?small=1"):
        etag = dashboard.get(address).headers["etag"]
        assert dashboard.get(address, {"if-none-match": etag}).status_code == 304
        paint(dashboard.folder / NAME, shade=len(address))
        assert dashboard.get(address, {"if-none-match": etag}).status_code == 200


def test_a_rewritten_picture_is_made_small_again(dashboard: Dashboard) -> None:
    paint(dashboard.folder / NAME, shade=10)
    know(dashboard, NAME)
    dark = dashboard.get(f"/overlays/{NAME}?small=1").content
    paint(dashboard.folder / NAME, shade=200)
    assert dashboard.get(f"/overlays/{NAME}?small=1").content != dark


def test_a_picture_the_database_does_not_know_is_not_served(dashboard: Dashboard) -> None:
    paint(dashboard.folder / NAME)
    answer = dashboard.get(f"/overlays/{NAME}")
    assert answer.status_code == 404
    assert "no such overlay" in answer.text


def test_a_picture_that_is_gone_is_shown_to_be_missing(dashboard: Dashboard) -> None:
    know(dashboard, NAME)
    assert dashboard.get(f"/overlays/{NAME}").status_code == 404


def test_a_broken_picture_is_shown_to_be_broken(dashboard: Dashboard) -> None:
    (dashboard.folder / "run/A2").mkdir(parents=True)
    (dashboard.folder / NAME).write_bytes(b"not a picture")
    know(dashboard, NAME)
    answer = dashboard.get(f"/overlays/{NAME}?small=1")
    assert answer.status_code == 404
    assert "overlay cannot be read" in answer.text


@pytest.mark.parametrize(
    "address",
    [
        "/overlays/../secret.jpg",
        "/overlays/%2e%2e/secret.jpg",
        "/overlays/..%2fsecret.jpg",
        "/overlays/run/..%2f..%2fsecret.jpg",
        "/overlays/%2fetc%2fpasswd",
        "/overlays//etc/passwd",
        "/overlays/..%5csecret.jpg",
        "/overlays/secret.jpg%00.jpg",
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
    ],
)
def test_no_path_leads_out_of_the_folders(dashboard: Dashboard, address: str) -> None:
    paint(dashboard.folder.parent / "secret.jpg")
    answer = dashboard.get(address)
    assert answer.status_code == 404
    assert b"JFIF" not in answer.content
    assert b"def " not in answer.content


@pytest.mark.parametrize("relative", ["../secret.jpg", "run/../../secret.jpg", "a\0.jpg", "", "."])
def test_even_a_path_the_database_knows_must_stay_within_the_folder(
    tmp_path: Path, relative: str
) -> None:
    folder = tmp_path / "overlays"
    folder.mkdir()
    paint(tmp_path / "secret.jpg")
    assert find_overlay(folder, relative) is None
    assert find_overlay(folder, str(tmp_path / "secret.jpg")) is None


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "overlays"
    folder.mkdir()
    paint(tmp_path / "secret.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    assert find_overlay(folder, "link.jpg") is None


def test_only_pictures_are_served(tmp_path: Path) -> None:
    (tmp_path / "scopewatch.db").write_bytes(b"")
    assert find_overlay(tmp_path, "scopewatch.db") is None
