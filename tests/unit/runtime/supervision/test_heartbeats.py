from scopewatch.runtime.supervision.heartbeats import Heartbeats
from tests.conftest import FakeClock


def test_a_stage_that_keeps_beating_is_never_stalled(clock: FakeClock) -> None:
    heartbeats = Heartbeats(clock, stall_s=10)
    for _ in range(5):
        heartbeats.beat("worker")
        clock.advance(9)
        assert heartbeats.stalled() == {}


def test_a_silent_stage_is_called_stalled_with_its_silence(clock: FakeClock) -> None:
    heartbeats = Heartbeats(clock, stall_s=10)
    heartbeats.beat("worker")
    clock.advance(4)
    heartbeats.beat("schedule")
    clock.advance(9)
    assert heartbeats.stalled() == {"worker": 13}


def test_a_stage_that_left_is_not_missed(clock: FakeClock) -> None:
    heartbeats = Heartbeats(clock, stall_s=10)
    heartbeats.beat("worker")
    heartbeats.leave("worker")
    heartbeats.leave("never seen")
    clock.advance(100)
    assert heartbeats.stalled() == {}


def test_a_jump_of_the_wall_clock_stalls_no_stage(clock: FakeClock) -> None:
    heartbeats = Heartbeats(clock, stall_s=10)
    heartbeats.beat("worker")
    clock.wall = clock.wall.replace(year=2031)
    assert heartbeats.stalled() == {}
