"""Equal cases are grouped; what does not fit is reported with its count and first example."""

from datetime import UTC, datetime, timedelta

import pytest

from scopewatch.app.explain.explaining import Explaining
from scopewatch.app.explain.explanation import Explanation, Looked
from scopewatch.app.explain.text import as_json, describe, in_order
from scopewatch.config import RunConfig
from scopewatch.config.sources import POSITION_LABEL
from scopewatch.sources.base.address import PositionPattern
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import ReadingSettings, read_frame

STARTED = datetime(2026, 3, 1, 9, tzinfo=UTC)
RUN = RunConfig(name="HES7", interval_h=12)
LOOKED = Looked(
    place="run8", kind="folder", pattern="scopewatch", zone="UTC", listed=9, opened=9, named=9
)


def found(locator: str, *statements: Statement, run: RunConfig = RUN) -> Found:
    settings = ReadingSettings(run=run, position=PositionPattern(POSITION_LABEL))
    reading = read_frame(statements, settings, locator)
    return Found(
        locator=locator, fingerprint="1", key=reading.key, reading=reading, size_px=(512, 640)
    )


def named(**facts: object) -> Statement:
    return Statement(
        origin=Origin.NAME,
        by="file name (scopewatch)",
        facts=PlaneFacts(**facts),  # type: ignore[arg-type]
    )


def timed(moment: datetime) -> Statement:
    facts = PlaneFacts(acquired_at=moment)
    return Statement(origin=Origin.SET, by="Index.xml", facts=facts)


def explain(*all_found: Found, run: RunConfig = RUN) -> Explanation:
    explaining = Explaining(run)
    for each in all_found:
        explaining.add(each)
    return explaining.finish(LOOKED)


def test_frames_that_are_read_alike_are_one_case() -> None:
    explanation = explain(
        *(
            found(f"{well}{point}.tif", named(well=well, time_point=point, channel="phase"))
            for well in ("A1", "A10", "A2")
            for point in range(3)
        )
    )
    (case,) = explanation.cases
    assert (case.frames, case.scored, case.days) == (9, True, (0.0, 1.0))
    assert case.who["well"] == "file name (scopewatch)"
    assert case.who["site"] == "default"
    assert in_order(case.values["well"]) == ["A1", "A2", "A10"]
    assert case.sizes_px == ((512, 640),)


def test_another_channel_is_another_case_and_is_marked() -> None:
    explanation = explain(
        found("a.tif", named(channel="phase")), found("b.tif", named(channel="gfp"))
    )
    assert [(case.example, case.scored) for case in explanation.cases] == [
        ("a.tif", True),
        ("b.tif", False),
    ]
    assert explanation.channels == {"phase": 1, "gfp": 1}
    assert (explanation.frames, explanation.scored) == (2, 1)


def test_two_files_of_one_frame_are_reported_with_both_places() -> None:
    explanation = explain(found("a.tif", named(well="A1")), found("b.tif", named(well="A01")))
    (double,) = explanation.doubles
    assert (str(double.key), double.places) == ("HES7/plate/A1/s0/t0000/phase", ("a.tif", "b.tif"))
    assert explanation.doubled == 1
    assert double.advice.startswith("take copies out of the folder; where both are frames, write")


def test_of_two_files_of_one_frame_that_were_taken_apart_the_interval_is_doubted() -> None:
    hours = (48, 52)
    files = [found(f"{each} h.tif", named(well="A1", elapsed_s=each * 3600.0)) for each in hours]
    (double,) = explain(*files).doubles
    assert double.apart_h == 4
    assert double.advice.startswith("they were taken 4 h apart: set experiment.interval_h to that")
    minutes = (120.0, 200.0)
    one_scan = [found(f"{each}.tif", named(well="A1", elapsed_s=each)) for each in minutes]
    (double,) = explain(*one_scan).doubles
    assert double.apart_h is None


def test_what_is_skipped_is_counted_by_its_reason() -> None:
    explanation = explain(
        Found(locator="x.tif", fingerprint="", reason="image file is empty: x.tif; export it"),
        Found(locator="y.tif", fingerprint="", reason="image file is empty: y.tif; export it"),
    )
    (skipped,) = explanation.skipped
    assert (skipped.files, skipped.example) == (2, "x.tif")
    assert skipped.reason == "image file is empty: x.tif; export it"


def test_contradictions_of_one_kind_are_one_with_the_first_example() -> None:
    statements = (Statement(origin=Origin.SET, by="OME-XML", facts=PlaneFacts(well="B2")),)
    explanation = explain(
        found("a.tif", *statements, named(well="A1")),
        found("b.tif", *statements, named(well="A2", time_point=1)),
    )
    ((count, first),) = explanation.contradictions
    assert count == 2
    assert str(first) == "well: OME-XML says B2, file name (scopewatch) says A1; B2 is taken"


@pytest.mark.parametrize(
    ("hours", "warning"),
    [
        (
            0.01,
            "run HES7: 3 time points take 1 min, where interval_h gives 24.0 h;"
            " set experiment.day_from: time_point, or correct experiment.interval_h",
        ),
        (12, None),
        (11, None),
        (-12, "run HES7: times do not grow with the time points;"),
        (200, "run HES7: 3 time points take 16.7 days, where interval_h gives 24.0 h;"),
    ],
)
def test_times_that_cannot_be_those_of_the_time_points_are_reported(
    hours: float, warning: str | None
) -> None:
    explanation = explain(
        *(
            found(
                f"{point}.tif",
                timed(STARTED + timedelta(hours=hours * point)),
                named(time_point=point),
            )
            for point in range(3)
        )
    )
    assert [each[: len(warning or "")] for each in explanation.warnings] == (
        [] if warning is None else [warning]
    )


def test_the_interval_is_measured_from_the_acquisition_times() -> None:
    explanation = explain(
        *(
            found(f"{p}.tif", timed(STARTED + timedelta(hours=4.1 * p)), named(time_point=p))
            for p in (0, 1, 3)
        )
    )
    assert explanation.measured_interval_h == pytest.approx(4.1)


def test_day_0_is_the_first_moment_of_each_run() -> None:
    explanation = explain(
        *(
            found(
                f"{run}{point}.tif",
                Statement(
                    origin=Origin.SET,
                    by="NDTiff",
                    facts=PlaneFacts(
                        run=run,
                        time_point=point,
                        acquired_at=STARTED + timedelta(days=point + 100 * number),
                    ),
                ),
            )
            for number, run in enumerate(("run 1", "run 2"))
            for point in range(2)
        )
    )
    assert [case.days for case in explanation.cases] == [(0.0, 1.0), (0.0, 1.0)]


def test_the_text_shows_each_fact_and_its_origin() -> None:
    lines = list(
        describe(explain(found("run/a.tif", named(well="B2", time_point=4, channel="phase"))))
    )
    assert lines[0] == "run8: 9 files"
    assert "1 frame, the first run/a.tif" in lines
    assert "    well        B2                                 file name (scopewatch)" in lines
    assert "    um/px       not known                          set um_per_px" in lines
    assert "    pixels      640 x 512" in lines
    day = next(line for line in lines if line.startswith("    day"))
    assert day.split(None, 2)[1:] == [
        "2.00",
        "(from 48 h after the start)   time point x interval_h 12",
    ]


def test_json_holds_the_same() -> None:
    plain = as_json(explain(found("a.tif", named(well="B2"))))
    assert plain["frames"] == 1
    assert plain["cases"][0]["values"]["well"] == ["B2"]
    assert plain["cases"][0]["who"]["well"] == "file name (scopewatch)"


def test_the_interval_is_measured_by_times_since_the_start_too() -> None:
    def at(time_point: int) -> Statement:
        facts = PlaneFacts(well="A1", time_point=time_point, elapsed_s=3600.0 * time_point)
        return Statement(origin=Origin.SET, by="frame_metadata of the image", facts=facts)

    explanation = explain(*(found(f"{point}.tif", at(point)) for point in range(4)))
    assert explanation.measured_interval_h == 1
    (warning,) = explanation.warnings
    assert "4 time points take 3.0 h, where interval_h gives 36.0 h" in warning


def test_times_that_follow_from_the_interval_measure_none() -> None:
    explanation = explain(
        *(found(f"{point}.tif", named(well="A1", time_point=point)) for point in range(3))
    )
    assert explanation.measured_interval_h is None
    assert explanation.warnings == ()
