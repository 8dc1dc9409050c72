"""The dashboard over the real result database."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from scopewatch.core.tickets import Refusal
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, files_of, key, open_store
from tests.unit.web.conftest import TOKEN, Dashboard
from tests.unit.web.fakes import FACTS


@pytest.fixture
def scene(tmp_path: Path, clock: FakeClock) -> Iterator[Scene]:
    clock.wall = START + timedelta(days=2)
    store = open_store(tmp_path / "state", clock)
    yield Scene(store=store, folder=tmp_path / "state")
    store.close()


@pytest.fixture
def page(scene: Scene, dashboard: Dashboard, clock: FakeClock) -> Iterator[Dashboard]:
    """The dashboard, with the store behind it instead of the run in memory."""
    clock.wall = START + timedelta(days=2)
    reader = Reader.open(scene.folder)
    dashboard.reader = reader  # type: ignore[assignment]  # the real one in place of the fake
    dashboard.alerts = scene.store  # type: ignore[assignment]  # the real one in place of the fake
    dashboard.folder = scene.folder / "overlays"
    dashboard.build(replace(FACTS, run="run 7"))
    yield dashboard
    reader.close()


def test_a_weak_well_goes_from_its_frames_to_the_plate_and_its_alert(
    page: Dashboard, scene: Scene
) -> None:
    for time_point in range(3):
        scene.score(key("A1", time_point), 0.2)
        scene.score(key("B2", time_point), 0.7)
    text = page.get("/").text
    assert "1 well is flagged:" in " ".join(text.split())
    # (0.2 - 0.05) / (0.8 - 0.05), and the same of 0.7.
    assert '<span class="value">20<span' in text
    assert '<span class="value">87<span' in text
    alerts = page.get("/alerts").text
    assert "mail: waiting" in alerts
    found = re.search(r'action="(/alerts/\d+/acknowledge)"', alerts)
    assert found
    assert page.post(found[1], {"token": TOKEN}).status_code == 303
    assert "No new flag; 1 acknowledged or snoozed." in page.get("/").text
    snooze = found[1].replace("acknowledge", "snooze")
    assert page.post(snooze, {"token": TOKEN, "hours": "6"}).status_code == 303
    assert "snoozed till" in page.get("/alerts").text
    undo = found[1].replace("acknowledge", "undo")
    assert page.post(undo, {"token": TOKEN}).status_code == 303
    assert "snoozed till" not in page.get("/alerts").text
    assert "1 well is flagged:" in " ".join(page.get("/").text.split())


def test_an_alert_that_is_not_in_the_database_is_refused(page: Dashboard, scene: Scene) -> None:
    answer = page.post("/alerts/77/acknowledge", {"token": TOKEN})
    assert answer.status_code == 409
    assert "there is no such alert: 77" in answer.text


def test_the_pictures_of_a_well_are_served_from_the_paths_of_the_database(
    page: Dashboard, scene: Scene
) -> None:
    frame = key("A1", 0)
    scene.score(frame, 0.4)
    path = page.folder / files_of(frame).overlay
    path.parent.mkdir(parents=True)
    Image.new("RGB", (400, 300), (10, 90, 30)).save(path)
    text = page.get("/wells/run%207/p1/A1").text
    found = re.search(r'<img src="(/overlays/[^"]+)"', text)
    assert found
    assert page.get(found[1]).headers["content-type"] == "image/jpeg"
    stain = files_of(frame).stain
    assert page.get(f"/overlays/{stain}").status_code == 404


def test_quarantined_frames_and_refused_files_are_both_listed(
    page: Dashboard, scene: Scene
) -> None:
    scene.spoil(key("A1", 0), "it is blank")
    scene.store.refuse(
        Refusal(
            source="folder",
            locator="/raw/notes.tif",
            fingerprint="1",
            reason="name does not match",
            seen_at=START,
        )
    )
    text = page.get("/quarantine").text
    for shown in ("it is blank", "/raw/notes.tif", "name does not match", "source folder"):
        assert shown in text
    assert "it is blank" in page.get("/wells/run%207/p1/A1").text
    assert '<a href="/quarantine">2</a>' in page.get("/").text


def test_the_course_is_the_same_in_the_chart_and_in_json(page: Dashboard, scene: Scene) -> None:
    for time_point, fraction in enumerate((0.1, 0.3, 0.5)):
        scene.score(key("A1", time_point), fraction)
    points = page.get("/api/wells/run%207/p1/A1.json").json()["points"]
    assert [point["day"] for point in points] == [0.0, 0.5, 1.0]
    values = [point["efficiency"]["value"] for point in points]
    assert values == pytest.approx([0.05 / 0.75, 0.25 / 0.75, 0.45 / 0.75])
    assert page.get("/wells/run%207/p1/A1").text.count('<circle class="dot"') == 3
