"""Acknowledging and snoozing, and who may."""

from datetime import timedelta
from html import unescape

import pytest

from scopewatch.web.access.request_guard import MAX_FORM_BYTES, host_name
from tests.unit.web.conftest import HOST, TOKEN, Dashboard
from tests.unit.web.fakes import NOW, alert_row, well_row

ACKNOWLEDGE = "/alerts/1/acknowledge"
SNOOZE = "/alerts/1/snooze"
UNDO = "/alerts/1/undo"
WELL = "/wells/HES-NKX2.5%20run%204/P1/A2"


def nothing_happened(dashboard: Dashboard) -> bool:
    alerts = dashboard.alerts
    return not alerts.acknowledged and not alerts.snoozed and not alerts.taken_back


def test_an_alert_is_acknowledged_and_the_list_shown_again(dashboard: Dashboard) -> None:
    answer = dashboard.post(ACKNOWLEDGE, {"token": TOKEN}, {"origin": HOST})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/alerts#alert-1"
    assert dashboard.alerts.acknowledged == [(1, NOW)]


@pytest.mark.parametrize("page", ["/alerts", "/alerts?experiment=HES-NKX2.5+run+4", WELL])
def test_an_answer_leads_back_to_the_place_on_the_page_it_was_given_on(
    dashboard: Dashboard, page: str
) -> None:
    dashboard.reader.rows = [well_row("A2")]
    dashboard.reader.raised = [alert_row()]
    text = unescape(dashboard.get(page).text)
    assert text.count(f'name="to" value="{page}#alert-1"') == 2
    for path in (ACKNOWLEDGE, UNDO):
        answer = dashboard.post(path, {"token": TOKEN, "to": f"{page}#alert-1"})
        assert answer.headers["location"] == f"{page}#alert-1"


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_an_answer_leads_to_no_other_site(dashboard: Dashboard, to: str) -> None:
    answer = dashboard.post(ACKNOWLEDGE, {"token": TOKEN, "to": to})
    assert answer.headers["location"] == "/"


def test_an_answer_can_be_taken_back(dashboard: Dashboard) -> None:
    dashboard.reader.raised = [alert_row()]
    assert UNDO not in dashboard.get("/alerts").text
    dashboard.reader.raised = [alert_row(acknowledged_at=NOW)]
    assert UNDO in dashboard.get("/alerts").text
    dashboard.reader.raised = [alert_row(snoozed_until=NOW + timedelta(hours=6))]
    assert UNDO in dashboard.get("/alerts").text
    assert dashboard.post(UNDO, {"token": TOKEN}).status_code == 303
    assert dashboard.alerts.taken_back == [1]
    assert dashboard.post("/alerts/2/undo", {"token": TOKEN}).status_code == 409
    assert dashboard.post(UNDO, {"token": "guess"}).status_code == 403
    assert dashboard.alerts.taken_back == [1]


@pytest.mark.parametrize("hours", [6, 24])
def test_an_alert_is_snoozed_for_as_long_as_its_button_says(
    dashboard: Dashboard, hours: int
) -> None:
    dashboard.reader.raised = [alert_row()]
    assert f'name="hours" value="{hours}"' in dashboard.get("/alerts").text
    dashboard.post(SNOOZE, {"token": TOKEN, "hours": str(hours)})
    assert dashboard.alerts.snoozed == [(1, NOW + timedelta(hours=hours))]


def test_the_forms_carry_the_token(dashboard: Dashboard) -> None:
    dashboard.reader.raised = [alert_row()]
    assert dashboard.get("/alerts").text.count(f'name="token" value="{TOKEN}"') == 2


@pytest.mark.parametrize("hours", ["", "0", "7", "-6", "6.0", "1e9", "24 "])
def test_any_other_time_to_snooze_is_refused(dashboard: Dashboard, hours: str) -> None:
    answer = dashboard.post(SNOOZE, {"token": TOKEN, "hours": hours})
    assert answer.status_code == 403
    assert "expected 6 h or 24 h" in answer.text
    assert nothing_happened(dashboard)


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "guess"}, {"token": TOKEN + "x"}])
def test_a_form_without_our_token_changes_nothing(
    dashboard: Dashboard, form: dict[str, str]
) -> None:
    answer = dashboard.post(ACKNOWLEDGE, form)
    assert answer.status_code == 403
    assert "the form is out of date" in answer.text
    assert nothing_happened(dashboard)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_page_changes_nothing_even_with_the_token(
    dashboard: Dashboard, headers: dict[str, str]
) -> None:
    answer = dashboard.post(ACKNOWLEDGE, {"token": TOKEN}, headers)
    assert answer.status_code == 403
    assert "the form comes from another page" in answer.text
    assert nothing_happened(dashboard)


def test_a_huge_form_is_refused(dashboard: Dashboard) -> None:
    answer = dashboard.post(ACKNOWLEDGE, {"token": TOKEN, "more": "x" * MAX_FORM_BYTES})
    assert answer.status_code == 403
    assert "the form is too long" in answer.text
    assert nothing_happened(dashboard)


def test_an_alert_that_does_not_exist_is_shown_to_be_missing(dashboard: Dashboard) -> None:
    answer = dashboard.post("/alerts/2/acknowledge", {"token": TOKEN})
    assert answer.status_code == 409
    assert "no such alert: 2" in answer.text


@pytest.mark.parametrize("alert", ["0", "-1", "x", "99999999999999999999"])
def test_an_impossible_alert_is_refused(dashboard: Dashboard, alert: str) -> None:
    assert dashboard.post(f"/alerts/{alert}/acknowledge", {"token": TOKEN}).status_code == 422


@pytest.mark.parametrize("path", [ACKNOWLEDGE, SNOOZE, UNDO])
def test_looking_changes_nothing(dashboard: Dashboard, path: str) -> None:
    assert dashboard.get(path).status_code == 405
    assert nothing_happened(dashboard)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/quarantine", "/api/wells.json", "/metrics", "/overlays/a"])
def test_nothing_else_can_be_changed(dashboard: Dashboard, path: str, method: str) -> None:
    assert dashboard.ask(method, path).status_code == 405


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost", "localhost:22", "[::1]:8787"])
def test_names_of_this_machine_are_answered(dashboard: Dashboard, host: str) -> None:
    assert dashboard.get("/healthz", {"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "", "[::1", "10.0.0.7"]
)
def test_a_foreign_name_for_this_machine_is_refused(dashboard: Dashboard, host: str) -> None:
    answer = dashboard.get("/", {"host": host})
    assert answer.status_code == 421
    assert "the dashboard answers on this machine only" in answer.text


def test_host_names_are_read_without_port_and_brackets() -> None:
    assert host_name("[::1]:8787") == "::1"
    assert host_name("LOCALHOST:1") == "localhost"
    assert host_name("a@localhost") == "localhost"
    assert host_name("") is None


@pytest.mark.parametrize(
    "path", ["/", "/alerts", "/nothing", "/api/status.json", "/static/style.css", "/healthz"]
)
def test_every_answer_carries_the_security_headers(dashboard: Dashboard, path: str) -> None:
    headers = dashboard.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "cache-control" in headers


def test_pages_are_never_kept_by_the_browser(dashboard: Dashboard) -> None:
    assert dashboard.get("/alerts").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/static", "/static/", "/overlays/"])
def test_there_is_no_listing_and_no_page_from_a_cdn(dashboard: Dashboard, path: str) -> None:
    assert dashboard.get(path).status_code in {404, 307}
    assert "style.css" not in dashboard.get("/static/").text.replace("/static/style.css", "")
