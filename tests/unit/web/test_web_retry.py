"""Trying again what is in quarantine, by the pages' forms and by programs."""

import asyncio
import json
import re
from collections.abc import Mapping

import httpx
import pytest

from scopewatch.store.read.records import RetrySelection
from scopewatch.web.access.auth_middleware import make_lock
from scopewatch.web.server import create_app
from tests.unit.web.conftest import HOST, TOKEN, Desk
from tests.unit.web.fakes import FACTS, refused_row, states_of, well_row

RUN = FACTS.experiment
WELL = "/wells/HES-NKX2.5%20run%204/P1/A2"
FORM = "/quarantine/again"
API = "/api/retry"


def buttons(desk: Desk, path: str) -> list[str]:
    """Return what the buttons of a page say that try something again."""
    text = desk.get(path).text
    return re.findall(r"<button[^>]*>(Try again[^<]*)</button>", text)


def send(
    desk: Desk, body: object, headers: Mapping[str, str] | None = None, *, raw: bytes | None = None
) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(desk.app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            content = json.dumps(body).encode() if raw is None else raw
            kind = {"content-type": "application/json", **(headers or {})}
            return await client.post(API, content=content, headers=kind)

    return asyncio.run(post())


def test_the_quarantine_offers_each_reason_all_of_them_and_each_frame(desk: Desk) -> None:
    desk.reader.rows = [well_row("A2")]
    faults = ("out-of-focus", "out-of-focus", "blank", "gap")
    desk.reader.quarantine = [refused_row(fault) for fault in faults]
    assert buttons(desk, "/quarantine") == [
        "Try again: 2 out-of-focus",
        "Try again: 1 blank",
        "Try again: all 3",
        *["Try again"] * 3,
    ]
    assert "nothing to try" in desk.get("/quarantine").text


def test_what_was_asked_for_says_so_in_place_of_its_button(desk: Desk) -> None:
    desk.reader.rows = [well_row("A2")]
    desk.reader.quarantine = [refused_row(asked_again=True)]
    assert buttons(desk, "/quarantine") == ["Try again: 1 out-of-focus"]
    assert "asked for; its turn comes" in desk.get("/quarantine").text


def test_the_page_of_a_well_offers_its_frames_and_all_of_them(desk: Desk) -> None:
    desk.reader.rows = [well_row("A2")]
    desk.reader.quarantine = [refused_row(), refused_row("blank")]
    assert buttons(desk, WELL) == ["Try again: all of this well", "Try again", "Try again"]


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
    desk: Desk, form: dict[str, str], wanted: RetrySelection, back: str
) -> None:
    answer = desk.post(FORM, {"token": TOKEN, "experiment": RUN, **form})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/quarantine" + back.replace(" ", "+")
    ((asked, sources, by),) = desk.alerts.retried
    assert (asked, sources) == (wanted, ("folder",))
    assert by == "dashboard, 127.0.0.1"


def test_a_form_of_a_well_leads_back_to_the_well(desk: Desk) -> None:
    form = {"experiment": RUN, "plate": "P1", "well": "A2", "back": "well"}
    answer = desk.post(FORM, {"token": TOKEN, **form})
    assert answer.headers["location"] == f"{WELL}#refused"
    assert desk.alerts.retried[0][0] == RetrySelection(run=RUN, plate="P1", well="A2")


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
    desk: Desk, form: dict[str, str], headers: dict[str, str]
) -> None:
    assert desk.post(FORM, form, headers).status_code == 403
    assert desk.alerts.retried == []


def test_a_program_asks_and_is_told_what_comes_of_it(desk: Desk) -> None:
    answer = send(desk, {"experiment": RUN, "reason": "blank", "well": "A2"})
    assert answer.status_code == 202
    assert answer.json() == {"asked": 2, "waiting": 1, "missed": 3, "unwatched": ["old"]}
    ((asked, _, by),) = desk.alerts.retried
    assert asked == RetrySelection(run=RUN, fault="blank", well="A2")
    assert by == "API, 127.0.0.1"


def test_a_program_may_ask_for_everything_by_saying_so(desk: Desk) -> None:
    assert send(desk, {"everything": True}).status_code == 202
    assert desk.alerts.retried[0][0] == RetrySelection()


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
def test_a_program_that_is_not_understood_is_told_why(desk: Desk, body: bytes, got: str) -> None:
    answer = send(desk, None, raw=body)
    assert answer.status_code == 422
    assert got in answer.json()["error"]
    assert "; see docs/operating.md" in answer.json()["error"]
    assert desk.alerts.retried == []


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_no_page_from_elsewhere_can_ask_as_a_program(desk: Desk, headers: dict[str, str]) -> None:
    answer = send(desk, {"everything": True}, headers)
    assert answer.status_code == 403
    assert desk.alerts.retried == []


def test_a_body_that_is_too_long_is_refused(desk: Desk) -> None:
    assert send(desk, {"what": "x" * 5000}).status_code == 403


def test_behind_the_door_a_program_needs_the_token(desk: Desk) -> None:
    desk.app = create_app(
        reader=desk.reader,
        overlay_folder=desk.folder,
        alerts=desk.alerts,
        health=desk.health,
        states=states_of(desk.reader, desk.health, desk.clock, lambda: 0, RUN),
        waiting=lambda: 0,
        registry=desk.registry,
        facts=FACTS,
        clock=desk.clock,
        token=TOKEN,
        lock=make_lock("the token of the lab", desk.clock, secure=False),
    )
    assert send(desk, {"everything": True}).status_code == 401
    assert send(desk, {"everything": True}, {"authorization": "Bearer wrong"}).status_code == 401
    assert desk.alerts.retried == []
    right = {"authorization": "Bearer the token of the lab"}
    assert send(desk, {"everything": True}, right).status_code == 202
