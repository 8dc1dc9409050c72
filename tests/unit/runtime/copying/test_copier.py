"""What the stage that copies pictures does when its place, its database or one picture fails."""

import threading
from dataclasses import dataclass, field

import pytest

from scopewatch.core.errors import StoreError
from scopewatch.runtime.copying.copier import BATCH, PictureCopier
from scopewatch.runtime.copying.lane import MOST_S
from tests.conftest import FakeClock

WHERE = "s3://bucket/lab"


@dataclass
class Due:
    number: int
    path: str


@dataclass
class FakeQueue:
    """What is due, as in a database; `earlier` are pictures that are entered when nothing is."""

    copies: list[Due] = field(default_factory=list)
    removals: list[Due] = field(default_factory=list)
    earlier: list[Due] = field(default_factory=list)
    marked: list[list[int]] = field(default_factory=list)
    broken: str = ""

    def due(self, limit: int, *, removal: bool) -> list[Due]:
        if self.broken:
            raise StoreError(self.broken)
        return (self.removals if removal else self.copies)[:limit]

    def done(self, numbers: list[int]) -> None:
        self.marked.append(list(numbers))
        self.copies = [each for each in self.copies if each.number not in numbers]
        self.removals = [each for each in self.removals if each.number not in numbers]

    def put_last(self, due: Due) -> None:
        self.copies.remove(due)
        self.copies.append(Due(due.number + 1000, due.path))

    def queue_earlier(self) -> bool:
        entered, self.earlier = self.earlier[:2], self.earlier[2:]
        self.copies += entered
        return bool(entered)

    def counts(self) -> tuple[int, int]:
        return len(self.copies), len(self.removals)


@dataclass
class FakePlace:
    """A place that refuses what contains one of `refuses`; `slow_s` passes with each copy."""

    clock: FakeClock
    copied: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    claims: int = 0
    other: bool = False
    slow_s: float = 0.0

    def claim(self) -> None:
        self.claims += 1
        if self.other:
            raise StoreError("another scopewatch copies there")

    def copy(self, path: str) -> bool:
        self.clock.advance(self.slow_s)
        self._refuse(path)
        if path in self.gone:
            return False
        self.copied.append(path)
        return True

    def remove(self, path: str) -> None:
        self._refuse(f"remove {path}")
        self.removed.append(path)

    def _refuse(self, what: str) -> None:
        if any(each in what for each in self.refuses):
            raise StoreError(f"no answer for {what}")


@pytest.fixture
def place(clock: FakeClock) -> FakePlace:
    return FakePlace(clock)


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue(copies=[Due(1, "a"), Due(2, "b"), Due(3, "c")], removals=[Due(4, "old")])


@pytest.fixture
def copier(queue: FakeQueue, place: FakePlace, clock: FakeClock) -> PictureCopier:
    return PictureCopier(queue, place, where=WHERE, clock=clock)  # type: ignore[arg-type]


def test_what_is_due_is_done_in_order_and_marked_together(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace
) -> None:
    place.gone = ["b"]
    assert not copier.round()
    assert place.copied == ["a", "c"]
    assert place.removed == ["old"]
    assert queue.marked == [[1, 2, 3], [4]]
    assert (copier.counts.copied, copier.counts.gone, copier.counts.removed) == (2, 1, 1)
    assert (copier.waiting, copier.failing, copier.troubles()) == (0, False, [])
    copier.round()
    assert place.claims == 1, "once is enough"


def test_pictures_of_before_follow_when_nothing_else_is_due(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace
) -> None:
    queue.earlier = [Due(10, "x"), Due(11, "y"), Due(12, "z")]
    while copier.round():
        assert len(queue.copies) <= 2
    assert place.copied == ["a", "b", "c", "x", "y", "z"]


def test_an_outage_is_one_line_one_complaint_and_rarer_attempts(
    copier: PictureCopier,
    queue: FakeQueue,
    place: FakePlace,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    place.refuses = ["a", "b", "c", "old"]
    attempts = 0
    for _ in range(600):
        before = len(queue.copies), [each.number for each in queue.copies]
        copier.round()
        attempts += before != (len(queue.copies), [each.number for each in queue.copies])
        clock.advance(1)
    assert 10 <= attempts <= 20, f"after 1, 2, 4 ... {MOST_S:g} s"
    copying, removing = copier.troubles()
    assert copier.waiting == 3
    assert copying.startswith("pictures cannot be copied since 2026-03-01 09:00 UTC: no answer for")
    assert removing.startswith("copies of old pictures cannot be removed since 2026-03-01 09:00")
    assert copier.failing
    assert sum("pictures cannot be copied" in each.getMessage() for each in caplog.records) == 1
    place.refuses = []
    clock.advance(MOST_S)
    copier.round()
    assert sorted(place.copied) == ["a", "b", "c"]
    assert place.removed == ["old"]
    assert copier.troubles() == []
    assert sum("are copied again" in each.getMessage() for each in caplog.records) == 1


def test_one_picture_that_cannot_be_copied_holds_up_no_other(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace, clock: FakeClock
) -> None:
    place.refuses = ["a"]
    copier.round()
    assert (place.copied, [each.path for each in queue.copies]) == ([], ["b", "c", "a"])
    clock.advance(1)
    copier.round()
    assert place.copied == ["b", "c"]
    assert "no answer for a" in copier.troubles()[0]
    assert place.removed == ["old"]


def test_a_key_that_may_not_remove_still_copies(
    copier: PictureCopier, place: FakePlace, queue: FakeQueue
) -> None:
    place.refuses = ["remove"]
    copier.round()
    assert place.copied == ["a", "b", "c"]
    assert [each.path for each in queue.removals] == ["old"]
    (line,) = copier.troubles()
    assert "copies of old pictures cannot be removed" in line


def test_nothing_is_written_to_a_place_of_somebody_else(
    copier: PictureCopier, place: FakePlace, queue: FakeQueue, clock: FakeClock
) -> None:
    place.other = True
    copier.round()
    assert (place.copied, place.removed) == ([], [])
    assert [each.number for each in queue.copies] == [1, 2, 3], "it is no fault of the first"
    place.other = False
    clock.advance(1)
    copier.round()
    assert place.copied == ["a", "b", "c"]


def test_what_was_copied_before_a_failure_is_marked(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace
) -> None:
    place.refuses = ["b"]
    copier.round()
    assert queue.marked[0] == [1]
    assert [each.path for each in queue.copies] == ["c", "b"]


def test_marks_are_written_while_copies_take_long(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace
) -> None:
    queue.copies = [Due(number, str(number)) for number in range(2 * BATCH)]
    place.slow_s = 2.0
    assert copier.round(), "there is more"
    assert [len(each) for each in queue.marked] == [3, 1]


def test_a_database_that_is_away_is_waited_for(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace, clock: FakeClock
) -> None:
    queue.broken = "result database cannot be used"
    copier.round()
    assert "result database cannot be used" in copier.troubles()[0]
    queue.broken = ""
    clock.advance(1)
    copier.round()
    assert place.copied == ["a", "b", "c"]


def test_after_its_end_nothing_is_asked_of_the_database(
    copier: PictureCopier, queue: FakeQueue, place: FakePlace, clock: FakeClock
) -> None:
    under_way, answer = threading.Event(), threading.Event()

    def hang(path: str) -> bool:
        under_way.set()
        return answer.wait(30)

    place.copy = hang  # type: ignore[method-assign]
    copier.start()
    assert under_way.wait(30)
    assert copier.running()
    clock.advance(31)
    assert "has given no answer for more than 30 s" in copier.troubles()[0]
    assert copier.stop(within_s=0.01), "the copy is left"
    answer.set()
    assert copier._thread is not None
    copier._thread.join(30)
    assert queue.marked == [], "the database is closed by then"
    assert [each.number for each in queue.copies] == [1, 2, 3], "and made again"
