"""The time course as geometry."""

from scopewatch.core.estimation.forecast import NoForecast, Silence
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.store.read.records.runs_and_wells import CoursePoint
from scopewatch.web.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw_course
from tests.unit.web.fakes import alert_row, outlook, seen


def point(day: float, value: float) -> CoursePoint:
    return CoursePoint(time_point=int(day * 2), day=day, efficiency=seen(value, 0.1), sites=2)


def test_no_point_gives_no_chart() -> None:
    assert draw_course([], [], [0.5]) is None


def test_efficiency_runs_from_nought_to_a_hundred_percent() -> None:
    chart = draw_course([point(0, 0), point(4, 1)], [], [])
    assert chart is not None
    first, last = chart.dots
    assert (first.x, first.y) == (LEFT, HEIGHT - BOTTOM)
    assert (last.x, last.y) == (WIDTH - RIGHT, TOP)
    assert [tick.label for tick in chart.days] == ["0", "1", "2", "3", "4"]


def test_the_band_goes_along_the_upper_bounds_and_back_along_the_lower() -> None:
    chart = draw_course([point(0, 0.5), point(2, 0.5)], [], [])
    assert chart is not None
    ys = [float(pair.split(",")[1]) for pair in chart.band.split()]
    middle = chart.dots[0].y
    assert ys[0] == ys[1] < middle < ys[2] == ys[3]


def test_no_band_is_drawn_where_the_interval_says_nothing() -> None:
    raw = CoursePoint(
        time_point=0,
        day=0,
        efficiency=Efficiency(value=0.3, low=0, high=1, corrected=False),
        sites=1,
    )
    chart = draw_course([raw, point(1, 0.4)], [], [0.5])
    assert chart is not None
    assert chart.band == ""
    assert chart.dots[0].text == "day 0.0: 30\N{NARROW NO-BREAK SPACE}%"


def test_target_and_flags_are_marked_with_their_words() -> None:
    chart = draw_course([point(0, 0.2), point(8, 0.2)], [alert_row(day=6.0)], [0.5])
    assert chart is not None
    (target,) = chart.targets
    assert target.label == "target 50\N{NARROW NO-BREAK SPACE}%"
    assert target.at == (TOP + HEIGHT - BOTTOM) / 2
    (mark,) = chart.marks
    assert mark.text == "flagged on day 6.0 (weak)"
    assert mark.x == LEFT + 0.75 * (WIDTH - LEFT - RIGHT)


def test_labels_of_targets_that_are_near_each_other_lie_side_by_side() -> None:
    chart = draw_course([point(0, 0.2), point(8, 0.2)], [], [0.5, 0.55, 0.2])
    assert chart is not None
    assert [line.label[7:9] for line in chart.targets] == ["55", "50", "20"]
    high, near, low = chart.targets
    assert high.label_x == low.label_x
    assert near.label_x - high.label_x >= 150


def test_an_alert_from_before_the_shown_days_stays_within_the_chart() -> None:
    chart = draw_course([point(5, 0.2), point(8, 0.2)], [alert_row(day=2.0)], [0.5])
    assert chart is not None
    assert chart.marks[0].x == LEFT


def test_one_point_can_be_drawn() -> None:
    chart = draw_course([point(3, 0.2)], [], [0.5])
    assert chart is not None
    assert chart.dots[0].x == LEFT


def test_a_long_run_has_at_most_about_ten_labelled_days() -> None:
    chart = draw_course([point(0, 0.1), point(90, 0.4)], [], [0.5])
    assert chart is not None
    assert [tick.label for tick in chart.days] == [str(day) for day in range(0, 91, 9)]


def test_the_days_run_on_to_the_forecast_which_is_drawn_with_its_interval() -> None:
    chart = draw_course([point(0, 0.1), point(6.5, 0.45)], [], [0.5], outlook(day=6.5))
    assert chart is not None
    assert chart.days[-1].label == "10"
    assert chart.ahead is not None
    assert chart.ahead.x == WIDTH - RIGHT
    assert chart.ahead.top < chart.ahead.y < chart.ahead.bottom
    assert chart.ahead.from_x < chart.ahead.x
    assert chart.ahead.text.startswith("forecast for day 10: 58")
    assert chart.ahead.text in chart.summary


def test_without_a_forecast_nothing_is_drawn_ahead() -> None:
    none = NoForecast(cause=Silence.TOO_EARLY, reason="too early")
    chart = draw_course([point(0, 0.1), point(3, 0.2)], [], [0.5], outlook(none, day=3))
    assert chart is not None
    assert chart.ahead is None
    assert chart.days[-1].label == "3"


def test_an_alert_without_a_day_leaves_no_mark() -> None:
    chart = draw_course([point(0, 0.1), point(3, 0.2)], [alert_row(day=None)], [0.5])
    assert chart is not None
    assert chart.marks == ()
