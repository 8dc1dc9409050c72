"""Pictures that are not on this machine's disk are shown from their copies."""

from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from scopewatch.core.errors import StoreError
from scopewatch.web.overlay_images import SMALL_PX, may_be_read
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS, NOW, shot
from tests.unit.web.page_scene import A2, two_wells

NAME = "run/A2/new.jpg"
AWAY = "place of copies cannot be used: s3://bucket/lab, got EndpointConnectionError"


@dataclass
class FakeCopies:
    """Copies by their names; nothing can be had while `away`."""

    there: dict[str, bytes] = field(default_factory=dict)
    away: str = ""
    asked: list[str] = field(default_factory=list)

    def read(self, relative: str) -> bytes | None:
        self.asked.append(relative)
        if self.away:
            raise StoreError(self.away)
        return self.there.get(relative)

    def trouble(self, relative: str) -> str:
        self.asked.append(relative)
        return self.away


def picture() -> bytes:
    out = BytesIO()
    Image.fromarray(np.full((600, 900, 3), 90, dtype=np.uint8)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def copies(dashboard: Dashboard) -> FakeCopies:
    found = FakeCopies(there={NAME: picture()})
    dashboard.copies = found
    dashboard.build(FACTS)
    two_wells(dashboard)
    dashboard.reader.pictures = [shot(NAME), shot("run/A2/old.jpg", 11)]
    return found


def test_a_copy_is_served_whole_small_and_once(dashboard: Dashboard, copies: FakeCopies) -> None:
    answer = dashboard.get(f"/overlays/{NAME}")
    assert (answer.content, answer.headers["content-type"]) == (copies.there[NAME], "image/jpeg")
    small = dashboard.get(f"/overlays/{NAME}?small=1")
    with Image.open(BytesIO(small.content)) as image:
        assert max(image.size) <= SMALL_PX
    again = dashboard.get(f"/overlays/{NAME}", {"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_what_is_here_is_not_asked_for_elsewhere(dashboard: Dashboard, copies: FakeCopies) -> None:
    (dashboard.folder / NAME).parent.mkdir(parents=True)
    (dashboard.folder / NAME).write_bytes(b"here")
    assert dashboard.get(f"/overlays/{NAME}").content == b"here"
    assert copies.asked == []


def test_what_the_database_does_not_know_is_not_asked_for(
    dashboard: Dashboard, copies: FakeCopies
) -> None:
    assert dashboard.get("/overlays/run/A2/other.jpg").status_code == 404
    dashboard.reader.pictures = [shot("run/../../other/secret.jpg"), shot("card.yaml")]
    for name in ("run/%2e%2e/%2e%2e/other/secret.jpg", "card.yaml"):
        assert dashboard.get(f"/overlays/{name}").status_code == 404
    assert copies.asked == []


@pytest.mark.parametrize(
    "name",
    ["/etc/x.jpg", "a/../b.jpg", "../b.jpg", "a//b.jpg", "./a.jpg", "a\\b.jpg", "a\0.jpg",
     "a?versionId=1.jpg", "a#.jpg", "a.yaml", "a", ""],
)  # fmt: skip
def test_no_path_leads_out_of_the_copies(name: str) -> None:
    assert not may_be_read(name)


def test_a_picture_that_cannot_be_had_is_one_line(dashboard: Dashboard, copies: FakeCopies) -> None:
    copies.away = AWAY
    answer = dashboard.get(f"/overlays/{NAME}")
    assert (answer.status_code, AWAY in answer.text) == (503, True)
    page = dashboard.get(A2).text
    assert f"The picture cannot be had at the moment: {AWAY}" in page
    assert "1 earlier pictures cannot be had at the moment." in page
    assert "<img src=" not in page
    copies.away, copies.there = "", {}
    assert dashboard.get(f"/overlays/{NAME}").status_code == 404


def test_a_page_asks_once_and_shows_what_is_copied(
    dashboard: Dashboard, copies: FakeCopies
) -> None:
    page = dashboard.get(A2).text
    assert f'<img src="/overlays/{NAME}"' in page
    assert 'src="/overlays/run/A2/old.jpg?small=1"' in page
    assert copies.asked == [NAME]


def test_a_picture_that_waits_or_is_no_longer_kept_is_named_as_such(
    dashboard: Dashboard, copies: FakeCopies
) -> None:
    dashboard.reader.waiting_copies = {NAME}
    page = dashboard.get(A2).text
    assert "The picture has not been copied yet to where this dashboard reads it." in page
    dashboard.reader.waiting_copies = {"run/A2/old.jpg"}
    page = dashboard.get(A2).text
    assert "1 earlier pictures have not been copied yet" in page
    copies.asked = []
    dashboard.reader.removed_until = NOW
    page = dashboard.get(A2).text
    assert "The picture is no longer kept (retention of overlays); its result remains." in page
    assert copies.asked == []
