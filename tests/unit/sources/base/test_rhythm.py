from collections.abc import Hashable

import pytest

from scopewatch.sources.base.rhythm import Rhythm
from tests.unit.sources.fakes import FakeArrivals


class Scene:
    """A rhythm as its source uses it; the test sets the results of glances and looks."""

    def __init__(self, poll_s: float = 1.0) -> None:
        self.arrivals = FakeArrivals()
        self.shown = 0
        self.saved = 0
        self.now_s = 100.0
        self.looks_s: list[float] = []
        self.rhythm = Rhythm("scope", poll_s, self.arrivals, self.glance)
        self.tick()

    def glance(self) -> Hashable:
        return self.shown

    def save(self, images: int = 1) -> None:
        """Save images; a glance shows it."""
        self.saved += images
        self.shown += 1

    def tick(self) -> bool:
        """Do what the thread of the source does when it wakes up; return whether it looked."""
        due = self.rhythm.due(self.now_s)
        if due:
            self.look()
        self.now_s += self.rhythm.tick_s()
        return due

    def look(self) -> None:
        self.looks_s.append(round(self.now_s, 2))
        self.rhythm.begin_look(self.now_s)
        found, self.saved = self.saved, 0
        self.rhythm.looked(found)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_where_nothing_happens_a_look_comes_every_poll_s(scene: Scene) -> None:
    for _ in range(30):
        scene.tick()
    assert scene.looks_s == [100.0, 101.0, 102.0, 103.0]


def test_something_that_begins_is_reported_at_a_glance_and_counted_soon_after(scene: Scene) -> None:
    for _ in range(3):
        scene.tick()
    scene.save(1)
    scene.tick()
    assert scene.arrivals.calls == ["begins"]
    scene.save(15)
    assert [scene.tick(), scene.tick()] == [False, True]
    images, over_s = scene.arrivals.came_s[-1]
    assert (images, round(over_s, 1)) == (16, 0.3), "since the last glance that showed nothing"


def test_a_single_image_is_counted_and_then_there_are_usual_looks(scene: Scene) -> None:
    scene.tick()
    scene.save(1)
    for _ in range(20):
        scene.tick()
    assert [images for images, _ in scene.arrivals.came_s] == [1, 0, 0]
    assert scene.looks_s == [100.0, 100.4, 100.6, 101.6]


def test_a_folder_that_comes_before_its_files_is_looked_into_again(scene: Scene) -> None:
    scene.tick()
    scene.shown += 1
    for _ in range(8):
        scene.tick()
    assert scene.arrivals.calls == [
        "begins",
        "0 came",
        "begins",
        "0 came",
        "begins",
        "0 came",
        "begins",
    ]
    scene.saved = 3
    for _ in range(4):
        scene.tick()
    assert "3 came" in scene.arrivals.calls
    assert scene.arrivals.calls.count("begins") == 4


def test_something_else_that_changes_is_not_looked_into_for_ever(scene: Scene) -> None:
    scene.shown += 1
    for _ in range(60):
        scene.tick()
    assert len([look for look in scene.looks_s if look > 103]) <= 4


def grow_without_images(scene: Scene, seconds: float) -> int:
    """Let files change all the time; return how often a start was reported."""
    before, ends_s = scene.arrivals.calls.count("begins"), scene.now_s + seconds
    while scene.now_s < ends_s:
        scene.shown += 1
        scene.tick()
    return scene.arrivals.calls.count("begins") - before


def rest(scene: Scene, seconds: float) -> None:
    ends_s = scene.now_s + seconds
    while scene.now_s < ends_s:
        scene.tick()


def test_files_that_grow_without_images_are_one_beginning(scene: Scene) -> None:
    assert grow_without_images(scene, 3) > 0
    assert grow_without_images(scene, 300) == 0
    # Their writer has ended: what changes now is something else.
    rest(scene, 61)
    assert grow_without_images(scene, 1) > 0


def test_after_images_were_read_the_next_change_of_the_files_begins_again(
    scene: Scene,
) -> None:
    grow_without_images(scene, 30)
    scene.save(5)
    rest(scene, 5)
    assert "5 came" in scene.arrivals.calls
    assert grow_without_images(scene, 1) > 0


def test_during_a_burst_there_are_glances_alone(scene: Scene) -> None:
    scene.arrivals.burst = True
    looks = len(scene.looks_s)
    for _ in range(20):
        scene.save(50)
        scene.tick()
    assert len(scene.looks_s) == looks
    assert scene.rhythm.tick_s() == 0.5
    assert scene.arrivals.calls == ["goes on"] * 20


def test_the_end_of_a_burst_is_looked_at(scene: Scene) -> None:
    scene.arrivals.burst = True
    scene.save(50)
    scene.tick()
    assert scene.tick()
    assert scene.arrivals.calls == ["goes on", "50 came"]
    assert scene.tick()
    assert scene.arrivals.came_s[-1] == (0, 0.5), "which is how the worker hears of it"


def test_files_that_do_not_show_that_they_grow_are_looked_at_all_along(scene: Scene) -> None:
    scene.arrivals.burst = True
    for _ in range(5):
        scene.saved += 50
        assert scene.tick()
    assert [images for images, _ in scene.arrivals.came_s] == [50] * 5


@pytest.mark.parametrize(("poll_s", "tick_s"), [(0.05, 0.05), (0.2, 0.1), (1, 0.1), (60, 6)])
def test_glances_come_several_times_between_looks_where_those_are_seldom(
    poll_s: float, tick_s: float
) -> None:
    assert Scene(poll_s).rhythm.tick_s() == tick_s
