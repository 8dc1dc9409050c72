"""What the operator reads on the pages."""

from dataclasses import replace
from datetime import timedelta
from html import escape

import pytest

from scopewatch.core.alerts.observation import Evidence, Subject
from scopewatch.core.alerts.rules import RuleKind, Severity
from scopewatch.core.estimation.forecast import NoForecast, Silence
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.store.read.records.alerts import Posting
from scopewatch.store.read.records.runs_and_wells import CoursePoint
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import (
    FACTS,
    NOW,
    alert_row,
    flag,
    named,
    outlook,
    refused_row,
    seen,
    shot,
    well_row,
)
from tests.unit.web.page_scene import A2, PAGES, two_wells, words_of


def test_an_empty_run_says_that_it_waits_and_what_to_look_at(dashboard: Dashboard) -> None:
    text = dashboard.get("/").text
    assert "Waiting for the first frame." in text
    assert "scopewatch check" in text


def test_the_plate_shows_each_well_with_number_and_colour(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    text = dashboard.get("/").text
    assert '<a class="well b4" href="/wells/HES-NKX2.5%20run%204/P1/A1">' in text
    assert '<span class="value">62<span' in text
    assert "54–70" in text


def test_a_flagged_well_is_named_in_words_at_the_top_and_in_its_cell(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    text = words_of(dashboard.get("/").text)
    assert "1 well is flagged:" in text
    assert '<a class="well b0 flagged" href="' in text
    assert '<span class="word">WEAK NOW</span>' in text
    assert "<title>(1) Plate" in text


def test_an_acknowledged_flag_stays_but_no_longer_alarms(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2", 0.22, flags=(flag(acknowledged_at=NOW),))]
    text = words_of(dashboard.get("/").text)
    assert "No new flag; 1 acknowledged or snoozed." in text
    assert '<span class="word">acknowledged</span>' in text
    assert "WEAK" not in text


def test_a_snoozed_flag_alarms_again_when_its_time_is_over(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [
        well_row("A2", 0.22, flags=(flag(snoozed_until=NOW + timedelta(hours=6)),))
    ]
    assert "1 acknowledged or snoozed" in dashboard.get("/").text
    dashboard.clock.advance(6 * 3600 + 1)
    assert "1 well is flagged:" in words_of(dashboard.get("/").text)


def test_a_stale_well_says_how_old_it_is(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [
        well_row("A1"),
        well_row("A2", last_frame_at=NOW - timedelta(hours=31)),
    ]
    text = dashboard.get("/").text
    assert '<a class="well b4 stale"' in text
    assert "31 h old" in text


def test_a_well_of_which_no_frame_was_settled_yet_is_shown_as_such(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1", None, time_point=None, day=None, last_frame_at=None)]
    text = dashboard.get("/").text
    assert '<a class="well unknown stale"' in text
    assert "no frame yet" in text
    assert dashboard.get("/wells/HES-NKX2.5%20run%204/P1/A1").status_code == 200


def test_a_page_that_does_not_exist_leads_back_to_the_plate(dashboard: Dashboard) -> None:
    answer = dashboard.get("/nothing")
    assert answer.status_code == 404
    assert "no such page: /nothing; begin at the plate" in answer.text


def test_several_runs_are_shown_one_at_a_time(dashboard: Dashboard) -> None:
    old = well_row("B1", name=named("B1", run="run <3>"))
    dashboard.reader.rows = [well_row("A1"), old]
    text = dashboard.get("/").text
    assert "run%204/P1/A1" in text
    assert "P1/B1" not in text
    assert "P1/B1" in dashboard.get("/?experiment=run%20%3C3%3E").text
    missing = dashboard.get("/?experiment=run%209")
    assert missing.status_code == 404
    assert "no such experiment: run 9" in missing.text


def test_the_well_page_has_course_pictures_alerts_and_quarantine(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    dashboard.reader.points = [
        CoursePoint(time_point=i, day=i / 2, efficiency=seen(0.2), sites=2) for i in range(3)
    ]
    dashboard.reader.pictures = [shot("run/A2/new.jpg"), shot("run/A2/old one.jpg", 11)]
    for name in ("new.jpg", "old one.jpg"):
        (dashboard.folder / "run/A2").mkdir(parents=True, exist_ok=True)
        (dashboard.folder / "run/A2" / name).write_bytes(b"JPEG")
    dashboard.reader.quarantine = [refused_row(), refused_row("blank", well=named("A1"))]
    text = dashboard.get(A2).text
    assert 'role="img" aria-label="Efficiency from day 0.0 to day 1.0;' in text
    assert text.count('<circle class="dot"') == 3
    assert '<img src="/overlays/run/A2/new.jpg"' in text
    assert 'src="/overlays/run/A2/old%20one.jpg?small=1"' in text
    assert "out-of-focus" in text
    assert "blank" not in text
    assert "Acknowledge" in text


def test_a_picture_that_retention_removed_is_named_as_such(dashboard: Dashboard) -> None:
    two_wells(dashboard)
    dashboard.reader.pictures = [shot("run/A2/new.jpg"), shot("run/A2/old.jpg", 11)]
    dashboard.reader.removed_until = NOW
    text = dashboard.get(A2).text
    assert "The picture is no longer kept (retention of overlays); its result remains." in text
    assert "1 earlier pictures are no longer kept (retention of overlays)" in text
    assert "/overlays/run/A2" not in text


def test_a_picture_that_is_gone_otherwise_is_not_called_removed_by_retention(
    dashboard: Dashboard,
) -> None:
    two_wells(dashboard)
    dashboard.reader.pictures = [shot("run/A2/new.jpg"), shot("run/A2/old.jpg", 11)]
    dashboard.reader.removed_until = NOW - timedelta(hours=18)
    text = dashboard.get(A2).text
    assert "file is missing; its result remains" in text
    assert "1 earlier pictures are no longer kept" in text
    dashboard.reader.removed_until = None
    text = dashboard.get(A2).text
    assert "retention" not in text
    assert "Files of 1 earlier pictures are missing" in text
    dashboard.build(replace(FACTS, keep_days=0.75))
    assert "1 earlier pictures are no longer kept" in dashboard.get(A2).text


def test_a_well_that_does_not_exist_is_shown_to_be_missing(dashboard: Dashboard) -> None:
    answer = dashboard.get("/wells/run/P1/Z9")
    assert answer.status_code == 404
    assert "no such well: run / P1 / Z9; see the plate page" in answer.text
    named_so = dashboard.get("/wells/run/api/Z9")
    assert named_so.headers["content-type"].startswith("text/html"), "a plate may be called api"


def test_an_uncorrected_efficiency_shows_no_interval(dashboard: Dashboard) -> None:
    raw = Efficiency(value=0.3, low=0, high=1, corrected=False)
    dashboard.reader.rows = [well_row("A2", efficiency=raw)]
    assert "0–100" not in dashboard.get("/").text
    assert "no interval: the model carries no error rates" in dashboard.get(A2).text


def test_names_are_text_never_markup(dashboard: Dashboard) -> None:
    nasty = '<script>alert("1")</script>'
    name = named(nasty, plate="P/1", run='"><img src=x>')
    subject = Subject(run=name.run, plate=name.plate, well=name.well)
    dashboard.reader.rows = [well_row("A1", name=name, flags=(flag(rule=nasty),))]
    dashboard.reader.quarantine = [refused_row(nasty, what=nasty, reason=nasty, well=name)]
    dashboard.reader.raised = [alert_row(subject=subject, rule=nasty)]
    well = (
        "/wells/%22%3E%3Cimg%20src%3Dx%3E/P%252F1/%3Cscript%3Ealert%28%221%22%29%3C%252Fscript%3E"
    )
    assert f'href="{well}"' in dashboard.get("/").text
    for page in ("/", well, "/quarantine", "/alerts"):
        answer = dashboard.get(page)
        assert answer.status_code == 200
        assert nasty not in answer.text
        assert "<img src=x" not in answer.text
    assert escape(nasty, quote=False) in dashboard.get("/quarantine").text.replace("&#34;", '"')


def test_the_quarantine_says_what_why_and_what_to_do(dashboard: Dashboard) -> None:
    dashboard.reader.quarantine = [refused_row()]
    text = dashboard.get("/quarantine").text
    assert "HES-NKX2.5 run 4/P1/A2/s0/t0011/phase" in text
    assert "P1_A2_s0_t0011_phase.tif" in text
    assert "frame is out of focus: cardio-sim" in text
    assert "Focus this position again" in text


def test_many_alike_are_one_line_with_the_figures_below(dashboard: Dashboard) -> None:
    reason = "frame looks unlike the training frames: card (expected contrast <= 0.2, got 0.5)"
    unlike = [refused_row("out-of-domain", reason=reason, well=named(f"A{i}")) for i in range(24)]
    dashboard.reader.rows = [well_row("A1", scored=12)]
    dashboard.reader.quarantine = [refused_row(), *unlike, refused_row("duplicate", well=None)]
    text = words_of(dashboard.get("/quarantine").text)
    first = text.index("24 of 37 frames: the model does not fit this microscope")
    assert text.count("24 of 37 frames") == 2  # the heading, and the name of its section
    assert first < text.index("1 of 37 frames: out of focus")
    assert "1 file: another one holds the same well, site and time point" in text
    assert text.index("another contrast method need another model") < text.index("got 0.5")
    assert text.count("another contrast method need another model") == 1
    assert text.index("<details") < text.index("got 0.5")
    assert "A0, A1, A2, A3" in text


def test_a_long_quarantine_goes_over_several_pages(dashboard: Dashboard) -> None:
    dashboard.reader.quarantine = [refused_row(what=f"frame {i}") for i in range(101)]
    first, second = dashboard.get("/quarantine").text, dashboard.get("/quarantine?page=2").text
    assert "frame 99<" in first
    assert "frame 100<" not in first
    assert "Older" in first
    assert "frame 100<" in second
    assert "Older" not in second
    assert dashboard.get("/quarantine?page=0").status_code == 422


def test_an_alert_shows_how_far_its_messages_came(dashboard: Dashboard) -> None:
    stuck = Posting(channel="lab", title="A2", state="waiting", attempts=3, why="no route")
    dashboard.reader.raised = [alert_row(postings=(stuck,))]
    text = words_of(dashboard.get("/alerts").text)
    assert "lab: waiting after 3 attempts (no route)" in text


def test_now_and_the_forecast_stand_apart_on_the_wells_page(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2", outlook=outlook())]
    text = words_of(dashboard.get(A2).text)
    assert "<h3>Now, day 6.5</h3>" in text
    assert "39 % to 53 %, +5.2 points a day" in text
    assert "<h3>Forecast for day 10</h3>" in text
    probability = outlook().forecast.probability_below(0.5)  # type: ignore[union-attr]
    shown = f"41 % to 75 %, below the target of 50 % with probability {100 * probability:.0f} %"
    assert shown in text


def test_a_well_without_a_forecast_says_why(dashboard: Dashboard) -> None:
    none = NoForecast(cause=Silence.TOO_EARLY, reason="runs support a forecast from day 5 on")
    dashboard.reader.rows = [well_row("A2", outlook=outlook(none))]
    text = words_of(dashboard.get(A2).text)
    assert "none: runs support a forecast from day 5 on" in text
    assert "below the target with probability" not in text


def test_the_forecasts_of_earlier_days_stand_beside_their_time_points(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2", outlook=outlook())]
    dashboard.reader.points = [
        CoursePoint(time_point=12, day=6.0, efficiency=seen(0.4), sites=1),
        CoursePoint(time_point=13, day=6.5, efficiency=seen(0.45), sites=1),
    ]
    dashboard.reader.known = [outlook(day=6.5)]
    text = words_of(dashboard.get(A2).text)
    assert "<td>58 % (41 % to 75 %)</td>" in text
    assert "<td>–</td>" in text
    assert "forecast for day 10" in text


def test_alerts_of_a_plate_and_of_the_monitor_stand_at_the_top_of_every_page(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.rows = [well_row("A2")]
    collapse = alert_row(
        1,
        subject=Subject(run=FACTS.run, plate="P1"),
        rule="plate",
        kind=RuleKind.PLATE_COLLAPSE,
        evidence=Evidence(wells=("A1", "A2"), out_of=12),
    )
    silent = alert_row(
        2,
        subject=Subject(run=FACTS.run),
        rule="no frame",
        kind=RuleKind.NO_FRAMES,
        severity=Severity.CRITICAL,
        day=None,
        evidence=Evidence(measures={"silent_h": 25.0}),
        escalated_at=NOW,
    )
    dashboard.reader.raised = [collapse, silent]
    front = words_of(dashboard.get("/quarantine").text)
    assert "plate P1</a>: plate, 2 of 12 wells fail: A1, A2" in front
    assert front.index("the monitor</a>: no frame") < front.index("plate P1</a>: plate")
    listed = words_of(dashboard.get("/alerts").text)
    assert "no frame for 25.0 h" in listed
    assert "<strong>escalated</strong>" in listed
    dashboard.reader.raised = [alert_row(1, subject=collapse.subject, acknowledged_at=NOW)]
    assert "plate P1</a>:" not in dashboard.get("/").text


def test_a_resolved_alert_needs_no_answer(dashboard: Dashboard) -> None:
    dashboard.reader.raised = [alert_row(resolved_at=NOW)]
    text = dashboard.get("/alerts").text
    assert "✔" in text
    assert "resolved" in text
    assert "<form" not in text


@pytest.mark.parametrize("page", PAGES)
def test_a_database_that_cannot_be_read_is_shown_in_one_line(
    dashboard: Dashboard, page: str
) -> None:
    dashboard.reader.broken = "database is locked: scopewatch.db; stop the other program"
    answer = dashboard.get(page)
    assert answer.status_code == 503
    assert dashboard.reader.broken in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_another_host(dashboard: Dashboard, page: str) -> None:
    two_wells(dashboard)
    dashboard.reader.pictures = [shot("a.jpg"), shot("b.jpg")]
    text = dashboard.get(page).text
    assert "//" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "style=" not in text
    assert "onclick" not in text
