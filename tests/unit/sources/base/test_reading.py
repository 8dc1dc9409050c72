"""The order of trust: which statement is accepted, and what is reported about it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scopewatch.config import RunConfig
from scopewatch.config.sources import POSITION_LABEL
from scopewatch.core.errors import FrameError
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.moments import moment_of, to_utc
from scopewatch.sources.base.reading import FrameReading, ReadingSettings, read_frame

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)
HERE = RunConfig(name="run 8", interval_h=12)
BERLIN = ZoneInfo("Europe/Berlin")
POSITION = PositionPattern(POSITION_LABEL)


def fact(origin: Origin, **facts: object) -> Statement:
    return Statement(origin=origin, by=origin.name.lower(), facts=PlaneFacts(**facts))  # type: ignore[arg-type]


def read(*statements: Statement, **settings: object) -> FrameReading:
    given = {"run": HERE, "position": POSITION} | settings
    return read_frame(statements, ReadingSettings(**given), "a.tif")  # type: ignore[arg-type]


def reported(reading: FrameReading) -> tuple[str, ...]:
    return tuple(map(str, reading.contradictions))


@pytest.mark.parametrize(
    ("better", "lesser"),
    [(Origin.PLANE, Origin.SET), (Origin.SET, Origin.NAME), (Origin.PLANE, Origin.NAME)],
)
def test_the_nearer_to_the_plane_is_believed(better: Origin, lesser: Origin) -> None:
    reading = read(fact(lesser, well="A1", time_point=1), fact(better, well="B2", time_point=2))
    assert (reading.key.well, reading.key.time_point) == ("B2", 2)
    assert reading.accepted["well"].origin is better


def test_what_nobody_says_is_recorded_as_a_default() -> None:
    reading = read(fact(Origin.NAME, well="B2"))
    assert reading.accepted["site"].by == "default"
    assert reading.accepted["well"].by == "name"


def test_a_contradiction_names_both_sides() -> None:
    reading = read(fact(Origin.SET, well="B02"), fact(Origin.NAME, well="A1"))
    assert reported(reading) == ("well: set says B2, name says A1; B2 is taken",)
    assert read(fact(Origin.SET, well="B02"), fact(Origin.NAME, well="b2")).contradictions == ()


def test_a_name_beats_an_index_whoever_says_it() -> None:
    assert read(fact(Origin.PLANE, position=3), fact(Origin.NAME, well="C4")).key.well == "C4"
    assert (
        read(fact(Origin.PLANE, position=3), fact(Origin.SET, position="left")).key.well == "left"
    )
    assert read(fact(Origin.PLANE, position=3)).key.well == "Pos3"


def test_a_label_that_is_no_well_yields_to_a_name_that_is_one() -> None:
    assert read(fact(Origin.PLANE, position="left"), fact(Origin.NAME, well="C4")).key.well == "C4"


def test_a_label_gives_well_and_site() -> None:
    reading = read(fact(Origin.PLANE, position="B3-Site_2"))
    assert (reading.key.well, reading.key.site) == ("B3", 2)


def test_the_users_map_of_wells_comes_before_the_pattern() -> None:
    mapped = {"XY01": "A1", "Pos 7": "C3"}
    assert read(fact(Origin.NAME, well="XY01"), wells=mapped).key.well == "A1"
    assert read(fact(Origin.PLANE, position="Pos 7"), wells=mapped).key.well == "C3"


def test_a_plain_number_is_a_well_only_where_the_plate_is_known() -> None:
    assert read(fact(Origin.NAME, well="13")).key.well == "13"
    assert read(fact(Origin.NAME, well="13"), plate_wells=96).key.well == "B1"


@pytest.mark.parametrize("phase", ["Brightfield", "ch6", "CH6"])
def test_name_or_code_selects_a_channel(phase: str) -> None:
    run = RunConfig(name="x", phase_channel=phase)
    lines = (fact(Origin.SET, channel="Brightfield"), fact(Origin.NAME, channel_code="ch6"))
    assert read(*lines, run=run).key.channel == phase
    assert read(*lines).key.channel == "Brightfield"


def test_the_users_map_of_channels_comes_first() -> None:
    lines = (fact(Origin.SET, channel="Brightfield"), fact(Origin.NAME, channel_code="ch6"))
    reading = read(*lines, channels={"CH6": "phase"})
    assert (reading.key.channel, reading.accepted["channel"].origin) == ("phase", Origin.SETTING)


def test_the_users_pixel_size_replaces_what_files_say_and_the_difference_is_reported() -> None:
    reading = read(fact(Origin.SET, pixel_size_um=0.6), um_per_px=0.65)
    assert reading.pixel_size_um == 0.65
    assert reported(reading) == ("um/px: um_per_px says 0.65, set says 0.6; 0.65 is taken",)


def test_a_plain_tag_is_believed_last_and_never_contradicts() -> None:
    reading = read(fact(Origin.TAG, pixel_size_um=6.45), fact(Origin.SET, pixel_size_um=0.598))
    assert (reading.pixel_size_um, reading.contradictions) == (0.598, ())


def test_the_first_plane_is_scored_where_none_is_chosen() -> None:
    assert read(fact(Origin.NAME, z=1, first_z=1)).key.well == "A1"
    with pytest.raises(FrameError, match=r"expected plane 1, got plane 2"):
        read(fact(Origin.NAME, z=2, first_z=1))
    assert read(fact(Origin.NAME, z=2, first_z=1), z=2).key.well == "A1"


def test_an_index_gives_the_time_since_the_start_where_no_time_is_stated() -> None:
    reading = read(fact(Origin.NAME, time_point=3), fact(Origin.FILE_TIME, acquired_at=STARTED))
    assert (reading.acquired_at, reading.elapsed_s) == (None, 36 * 3600)
    assert reading.accepted["moment"].by == "time point x interval_h 12"


def test_the_files_own_time_serves_only_where_there_is_no_index() -> None:
    reading = read(fact(Origin.NAME, well="A1"), fact(Origin.FILE_TIME, acquired_at=STARTED))
    assert (reading.acquired_at, reading.key.time_point) == (STARTED, 0)


def test_elapsed_days_in_a_name_are_kept_without_a_start() -> None:
    reading = read(fact(Origin.NAME, elapsed_s=12 * 3600.0 + 300))
    assert (reading.key.time_point, reading.acquired_at, reading.elapsed_s) == (1, None, 43_500)


def test_elapsed_days_with_a_start_are_a_moment() -> None:
    run = RunConfig(name="x", interval_h=1, started_at=STARTED)
    reading = read(fact(Origin.NAME, elapsed_s=26 * 60.0), run=run)
    assert reading.acquired_at == STARTED + timedelta(minutes=26)
    assert reading.key.time_point == 0


def test_a_moment_of_the_plane_gives_the_time_point_where_nothing_counts() -> None:
    run = RunConfig(name="x", interval_h=6, started_at=STARTED)
    line = fact(Origin.SET, acquired_at=STARTED + timedelta(hours=13))
    assert read(line, run=run).key.time_point == 2
    assert read(line).key.time_point == 0


def test_times_that_lie_apart_are_reported() -> None:
    run = RunConfig(name="x", interval_h=6, started_at=STARTED)
    lines = (
        fact(Origin.PLANE, acquired_at=STARTED + timedelta(days=2)),
        fact(Origin.NAME, elapsed_s=6 * 3600.0),
    )
    reading = read(*lines, run=run)
    assert reported(reading) == (
        "moment: plane says 2026-03-03 09:00:00+00:00, name says 6 h after the start;"
        " 2026-03-03 09:00:00+00:00 is taken",
    )


@pytest.mark.parametrize(
    ("wall", "utc"),
    [
        (datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        (datetime(2026, 3, 29, 3, 30), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 1, 30), datetime(2026, 10, 24, 23, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 3, 30), datetime(2026, 10, 25, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_wall_time_is_read_in_its_zone_over_both_changes_of_the_clock(
    wall: datetime, utc: datetime
) -> None:
    assert to_utc(wall, BERLIN) == utc
    assert read(fact(Origin.SET, wall_time=wall), zone=BERLIN).acquired_at == utc


HALF_PAST_TWO = datetime(2026, 10, 25, 2, 30)
FIRST, SECOND = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))


@pytest.mark.parametrize(
    ("began", "ran_h", "moment"),
    [
        (datetime(2026, 10, 24, 2, 30), 24, FIRST),
        (datetime(2026, 10, 24, 2, 30), 25, SECOND),
        (datetime(2026, 10, 24, 2, 0), 25.4, SECOND),
        (datetime(2026, 10, 25, 2, 10), 1 / 3, FIRST),
        (datetime(2026, 10, 25, 2, 10), 4 / 3, SECOND),
        (datetime(2026, 10, 24, 0, 30, tzinfo=UTC), 25, SECOND),
        (None, None, FIRST),
    ],
)
def test_the_hour_that_autumn_repeats_is_decided_by_how_long_the_series_ran(
    began: datetime | None, ran_h: float | None, moment: datetime
) -> None:
    ran_s = None if ran_h is None else ran_h * 3600
    facts = PlaneFacts(wall_time=HALF_PAST_TWO, ran_since=began, ran_s=ran_s)
    assert moment_of(facts, BERLIN) == moment


@pytest.mark.parametrize(("index", "moment"), [(4, FIRST), (5, SECOND)])
def test_the_hour_that_autumn_repeats_is_decided_by_when_the_plane_was_due(
    index: int, moment: datetime
) -> None:
    run = RunConfig(name="run 7", started_at=FIRST - timedelta(hours=4, minutes=7), interval_h=1)
    line = fact(Origin.PLANE, time_point=index, wall_time=HALF_PAST_TWO)
    assert read(line, zone=BERLIN, run=run).acquired_at == moment


def test_a_series_that_began_in_the_repeated_hour_is_decided_by_when_its_plane_was_due() -> None:
    began = datetime(2026, 10, 25, 2, 10)
    run = RunConfig(name="run 7", started_at=SECOND - timedelta(hours=5), interval_h=1)
    line = fact(Origin.PLANE, time_point=5, wall_time=HALF_PAST_TWO, ran_since=began, ran_s=1200.0)
    assert read(line, zone=BERLIN, run=run).acquired_at == SECOND
    assert read(line, zone=BERLIN).acquired_at == FIRST, "where nothing tells, the first"


def test_no_other_hour_is_read_twice() -> None:
    for wall in (datetime(2026, 3, 29, 2, 30), datetime(2026, 10, 25, 3, 0), HALF_PAST_TWO):
        facts = PlaneFacts(wall_time=wall, ran_since=datetime(2026, 1, 1), ran_s=0.0)
        assert moment_of(facts, BERLIN) == to_utc(wall, BERLIN)


def test_seconds_after_a_wall_time_are_true_seconds_over_a_change_of_the_clock() -> None:
    began = datetime(2026, 3, 28, 12)
    line = fact(Origin.PLANE, wall_time=began, since_wall_s=24 * 3600.0)
    assert read(line, zone=BERLIN).acquired_at == datetime(2026, 3, 29, 11, tzinfo=UTC)


def test_a_series_that_drifts_by_minutes_keeps_one_time_point_for_each_scan() -> None:
    """Hourly scans of an Incucyte with several vessels: each begins when the one before is done."""
    hourly = RunConfig(name="HES7", interval_h=1)
    drifts_min = [0, 26, -26, 13, -7, 28, -28, 26, 26, -26]
    elapsed = [3600.0 * scan + 60 * drift for scan, drift in enumerate(drifts_min)]
    points = [
        read(fact(Origin.NAME, elapsed_s=each), run=hourly).key.time_point
        for each in elapsed
        if each >= 0
    ]
    assert points == list(range(len(drifts_min)))


def test_a_time_halfway_between_two_time_points_is_refused() -> None:
    with pytest.raises(FrameError, match="not at a time point of the run"):
        read(fact(Origin.NAME, elapsed_s=1800.0), run=RunConfig(name="x", interval_h=1))


def test_the_elapsed_time_in_a_name_counts_where_a_better_moment_has_no_start() -> None:
    """The moment alone does not give the time point."""
    run = RunConfig(name="x", interval_h=12)
    taken = datetime(2026, 3, 4, 9, tzinfo=UTC)
    reading = read(
        fact(Origin.PLANE, acquired_at=taken), fact(Origin.NAME, elapsed_s=86_400.0), run=run
    )
    assert (reading.key.time_point, reading.acquired_at) == (2, taken)


def test_a_date_in_a_name_is_not_passed_over_for_a_better_moment_without_a_start() -> None:
    run = RunConfig(name="x", interval_h=12)
    with pytest.raises(FrameError, match="needs the start of the run"):
        read(
            fact(Origin.PLANE, acquired_at=datetime(2026, 3, 4, 9, tzinfo=UTC)),
            fact(Origin.NAME, wall_time=datetime(2026, 3, 4, 9)),
            run=run,
        )
