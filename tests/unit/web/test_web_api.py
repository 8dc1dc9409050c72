"""What other programs read."""

from datetime import timedelta

from scopewatch.monitoring.run_facts import FrameTally
from scopewatch.notify.breaker import Circuit, Receiver
from scopewatch.store.read.records.runs_and_wells import CoursePoint
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import NOW, flag, named, refused_row, seen, well_row


def test_the_status_has_the_run_in_figures(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2", 0.2, flags=(flag(),))]
    dashboard.reader.quarantine = [refused_row()]
    dashboard.waiting = 2
    status = dashboard.get("/api/status.json").json()
    assert status == {
        "schema_version": 1,
        "experiment": "HES-NKX2.5 run 4",
        "day": 6.5,
        "model_name": "cardio-sim",
        "model_id": "0123456789ab",
        "simulated": False,
        "target": 0.5,
        "frames": {"scored": 26, "quarantined": 1, "refused": 0, "missed": 0, "waiting": 2},
        "last_frame_at": "2026-03-07T08:48:00Z",
        "last_frame_age_s": 720.0,
        "wells": 2,
        "wells_flagged": ["HES-NKX2.5 run 4 / P1 / A2"],
        "healthy": True,
        "detail": [],
        "scale_checked": None,
        "pausing": "",
        "state": {
            "run": "HES-NKX2.5 run 4",
            "level": "clear",
            "cause": "judged",
            "sentence": "All wells (2) were judged within the last 12 min.",
            "advice": "",
            "details": [],
        },
    }


def test_the_status_of_an_empty_run_has_no_day_and_no_age(dashboard: Dashboard) -> None:
    status = dashboard.get("/api/status.json").json()
    assert status["day"] is None
    assert status["last_frame_age_s"] is None


def test_wells_have_their_efficiency_flags_and_staleness(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [
        well_row("A1", 0.25, flags=(flag(),)),
        well_row("A2", None, last_frame_at=NOW - timedelta(days=2)),
        # Another plate that is further on leaves no well of this one behind.
        well_row("A1", name=named("A1", "P2"), time_point=99),
    ]
    first, second, third = dashboard.get("/api/wells.json").json()["wells"]
    assert first["efficiency"] == {"value": 0.25, "low": 0.17, "high": 0.33, "corrected": True}
    assert (first["flagged"], first["stale"], first["rules"]) == (True, False, ["weak"])
    assert second["efficiency"] is None
    assert second["stale"] is True
    assert third["stale"] is False


def test_the_course_of_a_well_is_found_at_the_address_its_row_names(dashboard: Dashboard) -> None:
    name = named("A1", plate="left/right", run="50% serum")
    dashboard.reader.rows = [well_row("A1", name=name)]
    dashboard.reader.points = [CoursePoint(time_point=3, day=1.5, efficiency=seen(0.4), sites=2)]
    address = dashboard.get("/api/wells.json").json()["wells"][0]["course"]
    course = dashboard.get(address).json()
    assert course["well"]["plate"] == "left/right"
    assert course["well"]["experiment"] == "50% serum"
    assert course["points"][0]["time_point"] == 3
    assert course["points"][0]["sites"] == 2


def test_an_unknown_well_is_a_404_in_json(dashboard: Dashboard) -> None:
    answer = dashboard.get("/api/wells/run/P1/A1.json")
    assert answer.status_code == 404
    assert answer.json() == {"error": "no such well: run / P1 / A1; see /api/wells.json"}


def test_a_broken_database_is_a_503_in_json(dashboard: Dashboard) -> None:
    dashboard.reader.broken = "database is locked: scopewatch.db; stop the other program"
    answer = dashboard.get("/api/wells.json")
    assert answer.status_code == 503
    assert answer.json() == {"error": dashboard.reader.broken}


def test_metrics_come_from_the_registry_that_was_given(dashboard: Dashboard) -> None:
    answer = dashboard.get("/metrics")
    assert "frames_total 3.0" in answer.text
    assert "python_gc" not in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_health_check_fails_while_anything_is_wrong(dashboard: Dashboard) -> None:
    answer = dashboard.get("/healthz").json()
    assert answer.pop("runs")[0]["sentence"] == "Waiting for the first frame."
    assert answer == {
        "healthy": True,
        "degraded": False,
        "detail": [],
        "pausing": "",
        "receivers": [],
        "acquisitions": [],
    }
    dashboard.health.complaints = ("worker has made no progress for 130 s",)
    answer = dashboard.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == ["worker has made no progress for 130 s"]


def test_scoring_that_waits_is_reported_and_is_no_failure(dashboard: Dashboard) -> None:
    assert "images are being saved" not in dashboard.get("/").text
    dashboard.pausing = "scoring waits while images are being saved"
    dashboard.waiting = 5
    answer = dashboard.get("/healthz")
    assert (answer.status_code, answer.json()["healthy"]) == (200, True)
    assert answer.json()["pausing"] == dashboard.pausing
    assert dashboard.get("/api/status.json").json()["pausing"] == dashboard.pausing
    assert f"5 <small>{dashboard.pausing}</small>" in dashboard.get("/").text


def test_the_health_check_says_how_each_receiver_of_alerts_answers(dashboard: Dashboard) -> None:
    until = NOW + timedelta(minutes=15)
    dashboard.receivers = (
        Receiver(channel="mail", circuit=Circuit.CLOSED, open_until=None, failures=0, error=""),
        Receiver(
            channel="<lab>", circuit=Circuit.OPEN, open_until=until, failures=5, error="no answer"
        ),
    )
    assert dashboard.get("/healthz").json()["receivers"] == [
        {"channel": "mail", "circuit": "closed", "open_until": None, "failures": 0, "error": ""},
        {
            "channel": "<lab>",
            "circuit": "open",
            "open_until": until.isoformat(),
            "failures": 5,
            "error": "no answer",
        },
    ]
    page = dashboard.get("/alerts").text
    assert "✔ in order" in page
    assert "&lt;lab&gt;" in page
    assert "✖ rests until 2026-03-07 09:15 UTC after 5 failures in a row: no answer" in page


def test_the_health_check_fails_before_the_daemon_is_ready(dashboard: Dashboard) -> None:
    dashboard.health.ready = False
    assert dashboard.get("/healthz").status_code == 503
    assert "scopewatch is starting" in dashboard.get("/").text


def test_the_health_check_answers_without_a_database_and_says_that_it_is_away(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.broken = "gone"
    answer = dashboard.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == ["HES-NKX2.5 run 4: The result database cannot be read"]
    assert answer.json()["runs"][0]["details"] == ["gone"]


def test_a_run_of_which_nothing_is_judged_fails_the_health_check_with_what_to_do(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2")]
    dashboard.reader.frames = FrameTally(scored=1, unfit={"out-of-domain": 2})
    answer = dashboard.get("/healthz")
    assert answer.status_code == 503
    body = answer.json()
    assert (body["healthy"], body["degraded"]) == (False, True)
    (line,) = body["detail"]
    assert line.startswith(
        "HES-NKX2.5 run 4: 2 of 3 frames: the model does not fit this microscope; Look at"
    )
    assert body["runs"][0]["cause"] == "unfit"


def test_a_run_of_which_some_wells_are_silent_is_degraded_and_no_failure(
    dashboard: Dashboard,
) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2", last_frame_at=NOW - timedelta(days=2))]
    answer = dashboard.get("/healthz")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["healthy"], body["degraded"]) == (True, True)
    assert "1 of 2 wells: no judged frame for 48 h: A2" in body["detail"][0]


def test_the_status_of_an_earlier_run_can_be_asked_for(dashboard: Dashboard) -> None:
    old = named("B1", run="run 3")
    dashboard.reader.rows = [well_row("A1"), well_row("A2"), well_row("B1", name=old, scored=4)]
    status = dashboard.get("/api/status.json?experiment=run%203").json()
    assert (status["experiment"], status["wells"], status["frames"]["scored"]) == ("run 3", 1, 4)
    assert dashboard.get("/api/status.json").json()["wells"] == 2
    wells = dashboard.get("/api/wells.json?experiment=run%203").json()["wells"]
    assert [well["well"] for well in wells] == ["B1"]
    assert dashboard.get("/api/status.json?experiment=run%209").status_code == 404


def test_a_well_is_named_by_the_promised_fields(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1")]
    (well,) = dashboard.get("/api/wells.json").json()["wells"]
    assert list(well)[:3] == ["experiment", "plate", "well"]
    assert "run" not in well
