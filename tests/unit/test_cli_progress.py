from scopewatch.cli.progress import ProgressLines
from tests.conftest import FakeClock


def test_a_log_gets_a_line_a_minute_with_the_time_that_is_left(clock: FakeClock) -> None:
    written: list[str] = []
    lines = ProgressLines(100, write=written.append, monotonic=clock.monotonic)
    for _ in range(40):
        lines.advance(worked=False)
    for _ in range(13):
        clock.advance(10)
        lines.advance(worked=True)
    assert written == [
        "46 of 100 frames, 6 scored now, about 0:09:00 left",
        "52 of 100 frames, 12 scored now, about 0:08:00 left",
    ]


def test_where_nothing_took_time_no_end_is_predicted(clock: FakeClock) -> None:
    written: list[str] = []
    lines = ProgressLines(100, write=written.append, monotonic=clock.monotonic)
    clock.advance(61)
    lines.advance(worked=False)
    assert written == ["1 of 100 frames, 0 scored now"]


def test_frames_that_were_not_counted_have_no_time_left(clock: FakeClock) -> None:
    written: list[str] = []
    lines = ProgressLines(None, write=written.append, monotonic=clock.monotonic)
    clock.advance(61)
    lines.advance(worked=True)
    assert written == ["1 frames, 1 scored now"]
