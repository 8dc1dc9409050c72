"""Trying again what is in quarantine, by the pages' forms and by programs."""

import asyncio
import json
import re
from collections.abc import Mapping

import httpx
import pytest

from scopewatch.store.read.records.quarantine import RetrySelection
from scopewatch.web.access.auth_middleware import make_auth_config
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.server import create_app
from tests.unit.web.conftest import HOST, TOKEN, Dashboard
from tests.unit.web.fakes import FACTS, refused_row, states_of, well_row

RUN = FACTS.run
WELL = "/wells/HES-NKX2.5%20run%204/P1/A2"
FORM = "/quarantine/again"
API = "/api/retry"


def buttons(dashboard: Dashboard, path: str) -> list[str]:
    """Return what the buttons of a page say that try something again."""
    text = dashboard.get(path).text
    return re.findall(r"<button[^>]*>(Try again[^<]*)</button>", text)


def send(
    dashboard: Dashboard,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    raw: bytes | None = None,
) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(dashboard.app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            content = json.dumps(body).encode() if raw is None else raw
            kind = {"content-type": "application/json", **(headers or {})}
            return await client.post(API, content=content, headers=kind)

    return asyncio.run(post())


def test_the_quarantine_offers_each_reason_all_of_them_and_each_frame(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2")]
    faults = ("out-of-focus", "out-of-focus", "blank", "gap")
    dashboard.reader.quarantine = [refused_row(fault) for fault in faults]
    assert buttons(dashboard, "/quarantine") == [
        "Try again: 2 out-of-focus",
        "Try again: 1 blank",
        "Try again: all 3",
        *["Try again"] * 3,
    ]
    assert "nothing to try" in dashboard.get("/quarantine").text


def test_what_was_asked_for_says_so_in_place_of_its_button(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2")]
    dashboard.reader.quarantine = [refused_row(asked_again=True)]
    assert buttons(dashboard, "/quarantine") == ["Try again: 1 out-of-focus"]
    assert "asked for; its turn comes" in dashboard.get("/quarantine").text


def test_the_page_of_a_well_offers_its_frames_and_all_of_them(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A2")]
    dashboard.reader.quarantine = [refused_row(), refused_row("blank")]
    assert buttons(dashboard, WELL) == ["Try again: all of this well", "Try again", "Try again"]


@pytest.mark.parametrize(
    ("form", "wanted", "back"),
    [
        ({"fault": "blank"}, RetrySelection(run=RUN, fault="blank"), f"?experiment={RUN}"),
        ({"everything": "yes", "page": "2"}, RetrySelection(run=RUN), f"?experiment={RUN}&page=2"),
        (
            {"source": "folder", "what": "a/b.tif", "page": "x"},
            RetrySelection(run=RUN, source="folder", what="a/b.tif"),
            f"?experiment={RUN}",
        ),
    ],
)
def test_a_form_asks_for_what_its_button_says_and_leads_back(
    dashboard: Dashboard, form: dict[str, str], wanted: RetrySelection, back: str
) -> None:
    answer = dashboard.post(FORM, {"token": TOKEN, "experiment": RUN, **form})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/quarantine" + back.replace(" ", "+")
    ((asked, sources, by),) = dashboard.alerts.retried
    assert (asked, sources) == (wanted, ("folder",))
    assert by == "dashboard, 127.0.0.1"


def test_a_form_of_a_well_leads_back_to_the_well(dashboard: Dashboard) -> None:
    form = {"experiment": RUN, "plate": "P1", "well": "A2", "back": "well"}
    answer = dashboard.post(FORM, {"token": TOKEN, **form})
    assert answer.headers["location"] == f"{WELL}#refused"
    assert dashboard.alerts.retried[0][0] == RetrySelection(run=RUN, plate="P1", well="A2")


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"everything": "yes"}, {}),
        ({"everything": "yes", "token": "guessed"}, {}),
        ({"everything": "yes", "token": TOKEN}, {"origin": "http://evil.example"}),
        ({"everything": "yes", "token": TOKEN}, {"sec-fetch-site": "cross-site"}),
        ({"token": TOKEN}, {}),
        ({"token": TOKEN, "experiment": RUN}, {}),
    ],
)
def test_a_form_that_is_not_ours_or_asks_for_nothing_is_refused(
    dashboard: Dashboard, form: dict[str, str], headers: dict[str, str]
) -> None:
    assert dashboard.post(FORM, form, headers).status_code == 403
    assert dashboard.alerts.retried == []


def test_a_program_gives_an_order_and_gets_its_outcome(dashboard: Dashboard) -> None:
    answer = send(dashboard, {"experiment": RUN, "reason": "blank", "well": "A2"})
    assert answer.status_code == 202
    assert answer.json() == {"asked": 2, "waiting": 1, "missed": 3, "unwatched": ["old"]}
    ((asked, _, by),) = dashboard.alerts.retried
    assert asked == RetrySelection(run=RUN, fault="blank", well="A2")
    assert by == "API, 127.0.0.1"


def test_a_program_may_ask_for_everything_by_saying_so(dashboard: Dashboard) -> None:
    assert send(dashboard, {"everything": True}).status_code == 202
    assert dashboard.alerts.retried[0][0] == RetrySelection()


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"{}", "nothing that says which"),
        (b"not json", "Invalid JSON"),
        (b'{"fault": "blank"}', "fault: Extra inputs are not permitted"),
        (b'{"well": 3}', "well: Input should be a valid string"),
        (b'{"everything": "yes"}', "everything: Input should be a valid boolean"),
    ],
)
def test_a_program_that_is_not_understood_is_reported_why(
    dashboard: Dashboard, body: bytes, got: str
) -> None:
    answer = send(dashboard, None, raw=body)
    assert answer.status_code == 422
    assert got in answer.json()["error"]
    assert "; see docs/operating.md" in answer.json()["error"]
    assert dashboard.alerts.retried == []


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_no_page_from_elsewhere_can_ask_as_a_program(
    dashboard: Dashboard, headers: dict[str, str]
) -> None:
    answer = send(dashboard, {"everything": True}, headers)
    assert answer.status_code == 403
    assert dashboard.alerts.retried == []


def test_a_body_that_is_too_long_is_refused(dashboard: Dashboard) -> None:
    assert send(dashboard, {"what": "x" * 5000}).status_code == 403


def test_behind_the_door_a_program_needs_the_token(dashboard: Dashboard) -> None:
    dashboard.app = create_app(
        DashboardContext(
            reader=dashboard.reader,
            overlay_folder=dashboard.folder,
            alerts=dashboard.alerts,
            health=dashboard.health,
            states=states_of(dashboard.reader, dashboard.health, dashboard.clock, lambda: 0, RUN),
            waiting=lambda: 0,
            registry=dashboard.registry,
            facts=FACTS,
            clock=dashboard.clock,
            token=TOKEN,
            auth=make_auth_config("the token of the lab", dashboard.clock, secure=False),
        ),
    )
    assert send(dashboard, {"everything": True}).status_code == 401
    assert (
        send(dashboard, {"everything": True}, {"authorization": "Bearer wrong"}).status_code == 401
    )
    assert dashboard.alerts.retried == []
    right = {"authorization": "Bearer the token of the lab"}
    assert send(dashboard, {"everything": True}, right).status_code == 202
