import pytest

from scopewatch.runtime.pipeline.burst_pause import MOMENT_S, STEP_S, WINDOW_S, Bursts
from tests.conftest import FakeClock

SCOPE = "scope"


@pytest.fixture
def bursts(clock: FakeClock) -> Bursts:
    return Bursts(clock, per_s=5, wait_s=60)


def wait(bursts: Bursts, clock: FakeClock) -> float:
    """Wait as the worker does; return the seconds waited."""
    began_s = clock.monotonic()
    while (hold_s := bursts.hold_s()) > 0:
        clock.advance(hold_s)
    return clock.monotonic() - began_s


def save(bursts: Bursts, clock: FakeClock, per_s: float, for_s: float) -> list[bool]:
    """Save images one by one; return whether scoring waited after each."""
    held = []
    for _ in range(round(per_s * for_s)):
        clock.advance(1 / per_s)
        bursts.images_saved(SCOPE, 1, 0.0)
        held.append(bursts.hold_s() > 0)
    return held


def test_without_images_nothing_waits(bursts: Bursts) -> None:
    assert bursts.hold_s() == 0
    assert (bursts.bursting(SCOPE), bursts.reason) == (False, "")


def test_scoring_waits_while_images_come_fast_and_goes_on_when_they_end(
    bursts: Bursts, clock: FakeClock
) -> None:
    held = save(bursts, clock, per_s=100, for_s=3)
    assert held[:9] == [False] * 9, "ten images within two seconds are five a second"
    assert all(held[9:])
    assert bursts.bursting(SCOPE)
    assert bursts.reason == "scoring waits while images are being saved"
    assert wait(bursts, clock) == pytest.approx(WINDOW_S, abs=STEP_S)
    assert (bursts.bursting(SCOPE), bursts.reason) == (False, "")


def test_scoring_does_not_wait_for_a_stage_that_moves_between_wells(
    bursts: Bursts, clock: FakeClock
) -> None:
    assert not any(save(bursts, clock, per_s=1, for_s=600))


def test_each_source_has_a_rate_of_its_own(bursts: Bursts, clock: FakeClock) -> None:
    for _ in range(20):
        clock.advance(0.25)
        bursts.images_saved("one", 1, 0.0)
        bursts.images_saved("two", 1, 0.0)
        assert bursts.hold_s() == 0


@pytest.mark.parametrize(("images", "over_s", "waits"), [(30, 1, True), (30, 60, False)])
def test_what_counts_is_the_time_in_which_images_came(
    bursts: Bursts, images: int, over_s: float, waits: bool
) -> None:
    bursts.images_saved(SCOPE, images, over_s)
    assert (bursts.hold_s() > 0) is waits


def test_a_scan_without_new_images_ends_a_burst(bursts: Bursts, clock: FakeClock) -> None:
    bursts.images_saved(SCOPE, 100, 1)
    assert bursts.hold_s() > 0
    clock.advance(1)
    bursts.images_saved(SCOPE, 0, 1)
    assert bursts.hold_s() == 0


def test_a_burst_lasts_as_long_as_it_was_announced_for(bursts: Bursts, clock: FakeClock) -> None:
    bursts.images_saved(SCOPE, 100, 1)
    for _ in range(20):
        clock.advance(1)
        bursts.still_growing(SCOPE)
        assert bursts.hold_s() > 0
    bursts.finished(SCOPE)
    assert bursts.hold_s() == 0


def test_a_burst_that_was_never_counted_cannot_continue(bursts: Bursts) -> None:
    bursts.still_growing(SCOPE)
    assert bursts.hold_s() == 0


def test_a_starting_burst_is_waited_for_until_its_rate_is_known(
    bursts: Bursts, clock: FakeClock
) -> None:
    bursts.write_started(SCOPE)
    assert bursts.hold_s() > 0
    assert not bursts.bursting(SCOPE), "a source that counts images delays nothing"
    clock.advance(0.2)
    bursts.images_saved(SCOPE, 1, 0.2)
    assert bursts.hold_s() > 0
    clock.advance(0.2)
    bursts.images_saved(SCOPE, 0, 0.2)
    assert bursts.hold_s() == 0


def test_a_burst_that_is_never_counted_is_waited_for_briefly(
    bursts: Bursts, clock: FakeClock
) -> None:
    bursts.write_started(SCOPE)
    assert wait(bursts, clock) == MOMENT_S


def test_scoring_waits_for_an_endless_burst_only_up_to_its_limit(
    bursts: Bursts, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    held = save(bursts, clock, per_s=10, for_s=200)
    assert sum(held) == pytest.approx(600, abs=2)
    assert not any(held[620:]), "once overdue it is scored beside the burst until that ends"
    assert not bursts.bursting(SCOPE)
    assert [record.message for record in caplog.records] == [
        "scoring waits for a burst of images",
        "burst goes on, scoring waits no longer",
    ]
    assert caplog.records[1].__dict__["event"] == {"source": SCOPE, "waited_s": 60.0}


def test_bursts_that_follow_closely_leave_half_of_the_time(
    bursts: Bursts, clock: FakeClock
) -> None:
    held = []
    for _ in range(40):
        held += save(bursts, clock, per_s=10, for_s=20)
        clock.advance(2.5)
        bursts.hold_s()
    assert sum(held) <= len(held) * 0.6


def test_a_burst_after_a_rest_is_waited_for_as_long_as_the_first(
    bursts: Bursts, clock: FakeClock
) -> None:
    for _ in range(3):
        assert sum(save(bursts, clock, per_s=10, for_s=70)) == pytest.approx(600, abs=12)
        clock.advance(600)


def test_it_is_reported_once_per_burst(
    bursts: Bursts, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for _ in range(2):
        save(bursts, clock, per_s=20, for_s=4)
        wait(bursts, clock)
        clock.advance(30)
    expected = ["scoring waits for a burst of images", "scoring goes on"]
    assert [record.message for record in caplog.records] == expected * 2
    assert caplog.records[0].__dict__["event"]["source"] == SCOPE


def test_0_seconds_never_wait(clock: FakeClock) -> None:
    bursts = Bursts(clock, per_s=5, wait_s=0)
    bursts.write_started(SCOPE)
    assert not any(save(bursts, clock, per_s=100, for_s=3))
    assert (bursts.bursting(SCOPE), bursts.reason) == (False, "")


def test_a_camera_at_full_speed_fills_no_memory(bursts: Bursts, clock: FakeClock) -> None:
    save(bursts, clock, per_s=1000, for_s=5)
    assert len(bursts._arrivals[SCOPE]) <= 50
