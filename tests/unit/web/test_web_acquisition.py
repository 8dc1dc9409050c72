"""Time-lapses on the pages and for programs: how they stand, their journal, steering them."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.acquisition.standing import Held
from scopewatch.store.read.records.runs_and_wells import CoursePoint, RunRow
from tests.unit.web.acquisition_scene import AWAY, PAUSED, STANDING, entry
from tests.unit.web.conftest import HOST, TOKEN, Dashboard
from tests.unit.web.fakes import FACTS, NOW, seen, well_row

PATH = "/acquisition"


@pytest.fixture
def acquiring(dashboard: Dashboard) -> Dashboard:
    dashboard.reader.rows = [well_row("A1")]
    dashboard.acquisitions = (STANDING,)
    dashboard.build(replace(FACTS, acquires=("scope",)))
    return dashboard


def buttons(dashboard: Dashboard) -> list[str]:
    return re.findall(r'<button name="act" value="(\w+)"', dashboard.get(PATH).text)


def send(dashboard: Dashboard, body: object) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(dashboard.app)
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            kind = {"content-type": "application/json"}
            return await client.post(
                "/api/acquisition", content=json.dumps(body).encode(), headers=kind
            )

    return asyncio.run(post())


def test_the_page_says_what_is_due_next_and_the_state_of_the_focus(acquiring: Dashboard) -> None:
    text = acquiring.get(PATH).text
    assert "5 of 20 <small>2026-03-07 12:00 UTC</small>" in text
    assert "+12.3 µm" in text
    assert "95 <small>✖ 1</small>" in text
    assert "A3: focus did not lock within 10 s" in text
    drifts = re.findall(r'<td data-label="Drift of the focus">(.*?)</td>', text)
    assert drifts == ["+12.3 µm <small>✖ 1</small>", "– <small>✖ 2</small>"]


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        (None, ["pause", "now", "medium"]),
        (PAUSED, ["resume", "medium"]),
        (AWAY, ["resume"]),
    ],
)
def test_only_what_makes_sense_is_offered(
    acquiring: Dashboard, held: Held | None, offered: list[str]
) -> None:
    acquiring.acquisitions = (replace(STANDING, held=held),)
    assert buttons(acquiring) == offered


def test_every_page_of_the_run_says_that_nothing_is_acquired(acquiring: Dashboard) -> None:
    assert 'data-part="held"' not in acquiring.get("/").text
    acquiring.acquisitions = (replace(STANDING, held=PAUSED),)
    for page in ("/", "/alerts", "/quarantine", PATH):
        text = acquiring.get(page).text
        assert text.count('data-part="held"') == 1, page
        assert "Paused: nothing is acquired." in text
        assert "anna, command line" in text
    acquiring.acquisitions = (replace(STANDING, held=AWAY),)
    assert "It goes on by itself at 2026-03-07 09:30 UTC." in acquiring.get("/").text


def test_where_another_program_acquires_there_is_no_link_to_it(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1")]
    assert 'href="/acquisition' not in dashboard.get("/").text
    assert "another program does" in dashboard.get(PATH).text
    dashboard.build(replace(FACTS, acquires=("scope",)))
    assert 'href="/acquisition"' in dashboard.get("/").text


def test_a_button_writes_an_order_down_with_who_and_leads_back(acquiring: Dashboard) -> None:
    form = {"token": TOKEN, "source": "scope", "act": "pause"}
    answer = acquiring.post(PATH, form)
    assert (answer.status_code, answer.headers["location"]) == (303, PATH)
    assert acquiring.alerts.orders == [("scope", FACTS.run, "pause", "dashboard, 127.0.0.1")]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"source": "scope", "act": "pause"}, 403),
        ({"token": "old", "source": "scope", "act": "pause"}, 403),
        ({"token": TOKEN, "source": "scope"}, 403),
        ({"token": TOKEN, "source": "scope", "act": "note"}, 403),
        ({"token": TOKEN, "source": "other", "act": "pause"}, 409),
    ],
)
def test_a_form_that_is_not_ours_or_says_nothing_is_refused(
    acquiring: Dashboard, form: dict[str, str], status: int
) -> None:
    assert acquiring.post(PATH, form).status_code == status
    assert acquiring.alerts.orders == []


def test_a_form_of_another_origin_is_refused(acquiring: Dashboard) -> None:
    form = {"token": TOKEN, "source": "scope", "act": "pause"}
    assert acquiring.post(PATH, form, {"origin": "https://evil.example"}).status_code == 403
    assert acquiring.alerts.orders == []


def test_the_journal_shows_author_and_outcome_newest_first(acquiring: Dashboard) -> None:
    acquiring.reader.entries = [
        entry(Act.PAUSE, hours=3),
        entry(Act.NOW, done=False, hours=2),
        entry(Act.RESUME, done=None),
    ]
    text = acquiring.get(PATH).text
    rows = re.findall(r'data-label="Act">([^<]*)<', text)
    assert rows == ["went on", "time point at once", "paused"]
    assert "its turn comes" in text
    assert "✖ <small" in text
    assert "anna, command line" in text


def test_programs_read_the_state_and_the_journal(acquiring: Dashboard) -> None:
    acquiring.reader.entries = [entry()]
    acquiring.acquisitions = (replace(STANDING, held=PAUSED),)
    output = acquiring.get("/api/acquisition.json").json()
    (standing,) = output["acquisitions"]
    assert standing["held"] == "paused by anna, command line, since 2026-03-07 09:00 UTC"
    assert (standing["next_time_point"], standing["time_points"]) == (5, 20)
    assert standing["focus"]["drift_um"] == 12.34
    assert [each["drift_um"] for each in standing["focus"]["course"]] == [None, 12.34]
    (line,) = output["journal"]
    assert (line["act"], line["by"], line["done"]) == ("pause", "anna, command line", True)
    assert acquiring.get("/healthz").json()["acquisitions"] == output["acquisitions"]


def test_a_program_steers_it(acquiring: Dashboard) -> None:
    answer = send(acquiring, {"act": "medium"})
    assert (answer.status_code, answer.json()) == (202, {"number": 1})
    assert acquiring.alerts.orders == [("scope", FACTS.run, "medium", "API, 127.0.0.1")]


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ({"act": "fly"}, 422, "is not understood"),
        ({"act": "note"}, 422, "got note"),
        ({"act": "pause", "more": 1}, 422, "got more"),
        ({"act": "pause", "source": "other"}, 409, "source: one of scope, got other"),
    ],
)
def test_what_a_program_sends_wrongly_is_named(
    acquiring: Dashboard, body: object, status: int, line: str
) -> None:
    answer = send(acquiring, body)
    assert answer.status_code == status
    assert line in answer.json()["error"]
    assert acquiring.alerts.orders == []


def test_the_curve_of_a_well_shows_what_people_did(
    acquiring: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    began_at = NOW - timedelta(days=6)
    run = RunRow(name=FACTS.run, started_at=began_at, first_frame_at=None, simulated=False)
    monkeypatch.setattr(acquiring.reader, "runs", lambda: [run])
    acquiring.reader.points = [
        CoursePoint(time_point=index, day=index / 2, efficiency=seen(0.2), sites=1)
        for index in range(13)
    ]
    acquiring.reader.entries = [
        entry(Act.MEDIUM, hours=48),
        entry(Act.RESUME, hours=47),
        entry(Act.NOTE, hours=40),
        entry(Act.NOW, done=False, hours=30),
        entry(Act.PAUSE, hours=24 * 30),
    ]
    text = acquiring.get("/wells/HES-NKX2.5%20run%204/P1/A1").text
    marks = re.findall(r'<g class="act"><title>([^<]*)</title>', text)
    assert marks == ["day 4.0: medium change", "day 4.0: went on"]


def test_the_pages_are_shown_in_japanese(acquiring: Dashboard) -> None:
    acquiring.reader.entries = [entry(Act.MEDIUM), entry(Act.NOTE)]
    acquiring.acquisitions = (replace(STANDING, held=AWAY),)
    text = acquiring.get(PATH, {"accept-language": "ja"}).text
    assert "培地交換中" in text
    plain = re.sub(r'<(small|span) lang="en">.*?</\1>', "", text)
    for word in ("Acquisition", "Journal", "Outcome", "medium change", "nothing is acquired"):
        assert word not in re.sub("<[^>]*>", " ", plain), word


DEAD = replace(
    entry(Act.DEAD), target=Target(plate="P1", well="B3"), reason="contaminated", outcome="left out"
)


def test_dead_wells_are_shown_with_who_and_why_and_can_be_taken_in_again(
    acquiring: Dashboard,
) -> None:
    assert "No well is marked dead." in acquiring.get(PATH).text
    acquiring.reader.entries = [DEAD]
    text = acquiring.get(PATH).text
    assert '<td data-label="Well">P1 B3</td>' in text
    assert "contaminated" in text
    assert buttons(acquiring) == ["pause", "now", "medium", "alive"]
    (answer,) = acquiring.get("/api/acquisition.json").json()["dead"]
    assert (answer["target"]["plate"], answer["target"]["well"]) == ("P1", "B3")
    assert answer["reason"] == "contaminated"


def test_wells_with_further_sites_are_shown_and_can_go_back_to_the_planned_ones(
    acquiring: Dashboard,
) -> None:
    assert 'data-part="sites"' not in acquiring.get(PATH).text
    further = replace(DEAD, act=Act.MORE_SITES, reason="in doubt: 50% probable to end below 50%")
    acquiring.reader.entries = [further]
    assert "in doubt: 50% probable" in acquiring.get(PATH).text
    (answer,) = acquiring.get("/api/acquisition.json").json()["more_sites"]
    assert answer["target"]["well"] == "B3"
    form = {"token": TOKEN, "source": "scope", "act": "planned-sites", "plate": "P1", "well": "B3"}
    assert acquiring.post(PATH, form).status_code == 303
    assert acquiring.alerts.targets == [(Target(plate="P1", well="B3"), "")]
    acquiring.reader.entries = [further, DEAD]
    assert 'data-part="sites"' not in acquiring.get(PATH).text, "a dead well has none"


def test_a_form_marks_a_well_dead_where_that_is_switched_on(acquiring: Dashboard) -> None:
    acquiring.acquisitions = (replace(STANDING, skips_dead=True),)
    assert buttons(acquiring)[-1] == "dead"
    form = {"token": TOKEN, "source": "scope", "act": "dead", "well": "b03", "reason": " it  dried"}
    assert acquiring.post(PATH, form).status_code == 303
    assert acquiring.alerts.orders[0][2] == "dead"
    assert acquiring.alerts.targets == [(Target(well="B3"), "it dried")]
    assert acquiring.post(PATH, {**form, "well": " "}).status_code == 403
    assert len(acquiring.alerts.orders) == 1


def test_a_program_marks_a_well_dead(acquiring: Dashboard) -> None:
    body = {"act": "dead", "well": "B3", "plate": "P1", "reason": "dry"}
    assert send(acquiring, body).status_code == 202
    assert acquiring.alerts.targets == [(Target(plate="P1", well="B3"), "dry")]
    answer = send(acquiring, {"act": "dead"})
    assert (answer.status_code, "got well: none" in answer.json()["error"]) == (422, True)


def test_the_curve_of_a_well_shows_what_was_done_to_it_and_not_to_others(
    acquiring: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunRow(
        name=FACTS.run,
        started_at=NOW - timedelta(days=6),
        first_frame_at=None,
        simulated=False,
    )
    monkeypatch.setattr(acquiring.reader, "runs", lambda: [run])
    acquiring.reader.points = [
        CoursePoint(time_point=index, day=index / 2, efficiency=seen(0.2), sites=1)
        for index in range(13)
    ]
    here = replace(DEAD, target=Target(plate="P1", well="A1"))
    acquiring.reader.entries = [DEAD, here]
    text = acquiring.get("/wells/HES-NKX2.5%20run%204/P1/A1").text
    marks = re.findall(r'<g class="act"><title>([^<]*)</title>', text)
    assert marks == ["day 6.0: marked dead"]
