"""Pictures that are to be copied are entered with the results that name them."""

from pathlib import Path
from typing import Any

import pytest

from scopewatch.app.copying.queue import CopyRemovals, PictureQueue, end_copies
from scopewatch.core.errors import StoreError
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.place import Place
from tests.conftest import FakeClock
from tests.postgres import Places
from tests.unit.store.scene import Scene, files_of, key, open_store, ticket

PLACE = "s3://bucket/lab"


@pytest.fixture
def place(places: Places, tmp_path: Path) -> Place:
    return places.of(tmp_path / "state")


def paths(queue: PictureQueue, *, removal: bool = False) -> list[str]:
    return [each.path for each in queue.due(100, removal=removal)]


def names(*frames: tuple[str, int]) -> list[str]:
    """The names of pictures as `scene` gives them."""
    found = [files_of(key(*each)) for each in frames]
    return sorted(name for each in found for name in (each.overlay, each.stain) if name)


def all_done(queue: PictureQueue) -> None:
    for removal in (False, True):
        queue.done([each.number for each in queue.due(100, removal=removal)])


def test_a_result_enters_its_pictures_and_one_that_is_gone_has_them_removed(
    place: Place, clock: FakeClock
) -> None:
    store = open_store(place, clock, copies=True)
    scene, queue = Scene(store=store, place=place), PictureQueue(store, PLACE, clock)
    assert paths(queue) == []
    scene.score(key("A1", 0), 0.1)
    assert sorted(paths(queue)) == names(("A1", 0))
    assert queue.counts() == (len(names(("A1", 0))), 0)
    all_done(queue)
    assert queue.counts() == (0, 0)
    # Its file was written again, and cannot be judged any more.
    again = ticket(key("A1", 0), fingerprint="2")
    assert store.claim(again)
    store.quarantine(again, "blank", "it is blank")
    assert paths(queue) == []
    assert sorted(paths(queue, removal=True)) == names(("A1", 0))
    store.close()


def test_a_copy_is_never_removed_by_what_was_wanted_before_it(
    place: Place, clock: FakeClock, tmp_path: Path
) -> None:
    store = open_store(place, clock, copies=True)
    scene, queue = Scene(store=store, place=place), PictureQueue(store, PLACE, clock)
    queue.owner()
    scene.score(key("A1", 0), 0.1)
    first = queue.due(100, removal=False)
    CopyRemovals(store, tmp_path).before([tmp_path / each.path for each in first])
    removals = queue.due(100, removal=True)
    assert (paths(queue), sorted(each.path for each in removals)) == ([], names(("A1", 0)))
    again = ticket(key("A1", 0), fingerprint="2")
    assert store.claim(again)
    scene.commit(again, 0.2)
    assert sorted(paths(queue)) == names(("A1", 0))
    assert paths(queue, removal=True) == []
    # What was under way meanwhile marks nothing of what became due since.
    queue.done([each.number for each in (*first, *removals)])
    assert sorted(paths(queue)) == names(("A1", 0))
    store.close()


def test_earlier_pictures_are_entered_bit_by_bit_and_goes_on_after_a_restart(
    place: Place, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(place, clock)
    scene = Scene(store=store, place=place)
    for time_point in range(5):
        scene.score(key("A1", time_point), 0.1)
    store.close()
    monkeypatch.setattr("scopewatch.app.copying.queue._RESULTS", 2)
    entered: list[str] = []
    rounds = 0
    while True:
        store = open_store(place, clock, copies=True)
        queue = PictureQueue(store, PLACE, clock)
        owner = queue.owner()
        if rounds == 0:
            # One that came since is entered by itself, and not twice.
            Scene(store=store, place=place).score(key("B2", 0), 0.1)
        entered += paths(queue)
        all_done(queue)
        more = queue.queue_earlier()
        rounds += 1
        assert queue.owner() == owner
        store.close()
        if not more:
            break
    every = [("A1", time_point) for time_point in range(5)]
    assert sorted(entered) == names(*every, ("B2", 0))
    assert rounds == 4


def test_another_place_gets_all_and_no_place_forgets_what_was_due(
    place: Place, clock: FakeClock
) -> None:
    store = open_store(place, clock, copies=True)
    first = PictureQueue(store, PLACE, clock)
    Scene(store=store, place=place).score(key("A1", 0), 0.1)
    all_done(first)
    second = PictureQueue(store, "s3://other/lab", clock)
    assert second.owner() == first.owner(), "the same results"
    assert paths(second) == []
    assert second.queue_earlier()
    assert sorted(paths(second)) == names(("A1", 0))
    end_copies(store, clock)
    assert paths(PictureQueueWithoutBegin(store, clock)) == []
    assert not second.queue_earlier()
    end_copies(store, clock)
    third = PictureQueue(store, "s3://other/lab", clock)
    third.owner()
    assert third.queue_earlier(), "what came meanwhile was not entered"
    store.close()


class PictureQueueWithoutBegin(PictureQueue):
    """A queue that is looked at alone."""

    def __init__(self, store: Any, clock: FakeClock) -> None:
        super().__init__(store, "", clock)
        self._owner = "nobody"


def test_a_picture_that_failed_lets_others_go_first(place: Place, clock: FakeClock) -> None:
    store = open_store(place, clock, copies=True)
    scene, queue = Scene(store=store, place=place), PictureQueue(store, PLACE, clock)
    queue.owner()
    scene.score(key("A1", 0), 0.1)
    before = queue.due(100, removal=False)
    queue.put_last(before[0])
    after = queue.due(100, removal=False)
    assert [each.path for each in after] == [each.path for each in (*before[1:], before[0])]
    queue.put_last(before[0])
    assert queue.due(100, removal=False) == after, "it was moved already"
    store.close()


def test_the_dashboard_knows_what_is_not_copied_yet(place: Place, clock: FakeClock) -> None:
    store = open_store(place, clock, copies=True)
    queue = PictureQueue(store, PLACE, clock)
    Scene(store=store, place=place).score(key("A1", 0), 0.1)
    overlay = files_of(key("A1", 0)).overlay
    reader = Reader.open(place)
    assert reader.copies_owner() == ""
    queue.owner()
    assert reader.copies_owner() == queue.owner()
    assert reader.uncopied([overlay, "other.jpg"]) == set(), "the place was new, and all is earlier"
    queue.queue_earlier()
    assert reader.uncopied([overlay, "other.jpg"]) == {overlay}
    reader.close()
    store.close()


def test_a_database_that_is_full_does_not_keep_old_pictures(
    place: Place, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(place, clock, copies=True)
    queue = PictureQueue(store, PLACE, clock)
    queue.owner()
    removals = CopyRemovals(store, tmp_path)
    with monkeypatch.context() as full:

        def refuse() -> None:
            raise StoreError("no space left")

        full.setattr(store, "write_unit", refuse)
        removals.before([tmp_path / "a.jpg"])
        with pytest.raises(StoreError, match="no space left"):
            removals.catch_up()
    removals.before([tmp_path / "b.jpg"])
    assert paths(queue, removal=True) == ["a.jpg", "b.jpg"]
    store.close()
