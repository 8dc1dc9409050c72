"""What other programs read."""

from datetime import timedelta

from scopewatch.notify.breaker import Circuit, Receiver
from scopewatch.store.records import CoursePoint
from tests.unit.web.conftest import Desk
from tests.unit.web.fakes import NOW, flag, named, refused_row, seen, well_row


def test_the_status_has_the_run_in_figures(desk: Desk) -> None:
    desk.reader.rows = [well_row("A1"), well_row("A2", 0.2, flags=(flag(),))]
    desk.reader.quarantine = [refused_row()]
    status = desk.get("/api/status.json").json()
    assert status == {
        "schema_version": 1,
        "experiment": "HES-NKX2.5 run 4",
        "day": 6.5,
        "model_name": "cardio-sim",
        "model_id": "0123456789ab",
        "simulated": False,
        "target": 0.5,
        "frames": {"scored": 26, "quarantined": 1, "refused": 0, "missed": 0, "waiting": 5},
        "last_frame_at": "2026-03-07T08:48:00Z",
        "last_frame_age_s": 720.0,
        "wells": 2,
        "wells_flagged": ["HES-NKX2.5 run 4 / P1 / A2"],
        "healthy": True,
        "detail": [],
        "pausing": "",
    }


def test_the_status_of_an_empty_run_has_no_day_and_no_age(desk: Desk) -> None:
    status = desk.get("/api/status.json").json()
    assert status["day"] is None
    assert status["last_frame_age_s"] is None


def test_wells_have_their_efficiency_flags_and_staleness(desk: Desk) -> None:
    desk.reader.rows = [
        well_row("A1", 0.25, flags=(flag(),)),
        well_row("A2", None, last_frame_at=NOW - timedelta(days=2)),
        # Another plate that is further on leaves no well of this one behind.
        well_row("A1", name=named("A1", "P2"), time_point=99),
    ]
    first, second, third = desk.get("/api/wells.json").json()["wells"]
    assert first["efficiency"] == {"value": 0.25, "low": 0.17, "high": 0.33, "corrected": True}
    assert (first["flagged"], first["stale"], first["rules"]) == (True, False, ["weak"])
    assert second["efficiency"] is None
    assert second["stale"] is True
    assert third["stale"] is False


def test_the_course_of_a_well_is_found_at_the_address_its_row_names(desk: Desk) -> None:
    name = named("A1", plate="left/right", experiment="50% serum")
    desk.reader.rows = [well_row("A1", name=name)]
    desk.reader.points = [CoursePoint(time_point=3, day=1.5, efficiency=seen(0.4), sites=2)]
    address = desk.get("/api/wells.json").json()["wells"][0]["course"]
    course = desk.get(address).json()
    assert course["well"]["plate"] == "left/right"
    assert course["well"]["experiment"] == "50% serum"
    assert course["points"][0]["time_point"] == 3
    assert course["points"][0]["sites"] == 2


def test_an_unknown_well_is_a_404_in_json(desk: Desk) -> None:
    answer = desk.get("/api/wells/run/P1/A1.json")
    assert answer.status_code == 404
    assert answer.json() == {"error": "no such well: run / P1 / A1; see /api/wells.json"}


def test_a_broken_database_is_a_503_in_json(desk: Desk) -> None:
    desk.reader.broken = "database is locked: scopewatch.db; stop the other program"
    answer = desk.get("/api/wells.json")
    assert answer.status_code == 503
    assert answer.json() == {"error": desk.reader.broken}


def test_metrics_come_from_the_registry_that_was_given(desk: Desk) -> None:
    answer = desk.get("/metrics")
    assert "frames_total 3.0" in answer.text
    assert "python_gc" not in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_health_check_fails_while_anything_is_wrong(desk: Desk) -> None:
    assert desk.get("/healthz").json() == {
        "healthy": True,
        "detail": [],
        "pausing": "",
        "receivers": [],
    }
    desk.health.complaints = ("worker has made no progress for 130 s",)
    answer = desk.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == ["worker has made no progress for 130 s"]


def test_scoring_that_waits_is_told_and_is_no_failure(desk: Desk) -> None:
    assert "images are being saved" not in desk.get("/").text
    desk.pausing = "scoring waits while images are being saved"
    answer = desk.get("/healthz")
    assert (answer.status_code, answer.json()["healthy"]) == (200, True)
    assert answer.json()["pausing"] == desk.pausing
    assert desk.get("/api/status.json").json()["pausing"] == desk.pausing
    assert f"5 <small>{desk.pausing}</small>" in desk.get("/").text


def test_the_health_check_says_how_each_receiver_of_alerts_answers(desk: Desk) -> None:
    until = NOW + timedelta(minutes=15)
    desk.receivers = (
        Receiver(channel="mail", circuit=Circuit.CLOSED, open_until=None, failures=0, error=""),
        Receiver(
            channel="<lab>", circuit=Circuit.OPEN, open_until=until, failures=5, error="no answer"
        ),
    )
    assert desk.get("/healthz").json()["receivers"] == [
        {"channel": "mail", "circuit": "closed", "open_until": None, "failures": 0, "error": ""},
        {
            "channel": "<lab>",
            "circuit": "open",
            "open_until": until.isoformat(),
            "failures": 5,
            "error": "no answer",
        },
    ]
    page = desk.get("/alerts").text
    assert "✔ in order" in page
    assert "&lt;lab&gt;" in page
    assert "✖ rests until 2026-03-07 09:15 UTC after 5 failures in a row: no answer" in page


def test_the_health_check_fails_before_the_daemon_is_ready(desk: Desk) -> None:
    desk.health.ready = False
    assert desk.get("/healthz").status_code == 503
    assert "scopewatch is starting" in desk.get("/").text


def test_the_health_check_needs_no_database(desk: Desk) -> None:
    desk.reader.broken = "gone"
    assert desk.get("/healthz").status_code == 200
