"""Pages in English and Japanese, and who chooses."""

import re
from dataclasses import replace

import pytest
from starlette.datastructures import Headers

from scopewatch.core.phrases import Language
from scopewatch.monitoring.run_facts import FrameTally
from scopewatch.web.language import COOKIE, accepted_language, page_language
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS, alert_row, flag, outlook, refused_row, shot, well_row

JA = {"accept-language": "ja,en;q=0.5"}
A2 = "/wells/HES-NKX2.5%20run%204/P1/A2"
PAGES = ("/", A2, "/quarantine", "/alerts")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", Language.JAPANESE),
        ("ja-JP,ja;q=0.9,en;q=0.8", Language.JAPANESE),
        ("en-GB,ja;q=0.9", Language.ENGLISH),
        ("fr, ja;q=0.2", Language.JAPANESE),
        ("en;q=0.1, JA;q=0.2", Language.JAPANESE),
        ("ja;q=0, en;q=0.1", Language.ENGLISH),
        ("fr", None),
        ("", None),
        ("ja;q=much", None),
        ("*", None),
    ],
)
def test_the_browsers_wish_is_read(header: str, language: Language | None) -> None:
    assert accepted_language(header) is language


def test_a_persons_choice_goes_before_the_setting_and_that_before_the_browser() -> None:
    wish = {"accept-language": "ja"}
    assert page_language(Headers(wish), None) is Language.JAPANESE
    assert page_language(Headers(wish), Language.ENGLISH) is Language.ENGLISH
    chosen = {**wish, "cookie": f"{COOKIE}=ja"}
    assert page_language(Headers(chosen), Language.ENGLISH) is Language.JAPANESE
    nonsense = {**wish, "cookie": f"{COOKIE}=klingon"}
    assert page_language(Headers(nonsense), None) is Language.JAPANESE
    assert page_language(Headers({}), None) is Language.ENGLISH


def test_a_link_chooses_the_language_and_leads_back_to_the_page(dashboard: Dashboard) -> None:
    text = dashboard.get("/quarantine?page=1").text
    assert 'href="/language/ja?to=%2Fquarantine%3Fpage%3D1"' in text
    answer = dashboard.get("/language/ja?to=%2Fquarantine%3Fpage%3D1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/quarantine?page=1"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=ja;")
    assert "HttpOnly" in cookie
    chosen = dashboard.get("/", {"cookie": f"{COOKIE}=ja", "accept-language": "en"})
    assert '<html lang="ja">' in chosen.text


@pytest.mark.parametrize("to", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_the_choice_leads_to_no_other_site(dashboard: Dashboard, to: str) -> None:
    assert dashboard.ask("GET", f"/language/ja?to={to}").headers["location"] == "/"


def test_a_language_that_there_is_not_is_refused(dashboard: Dashboard) -> None:
    answer = dashboard.get("/language/fr")
    assert answer.status_code == 404
    assert "no such language: fr" in answer.text


def fill(dashboard: Dashboard) -> None:
    """Give the pages something of everything to say."""
    dashboard.reader.rows = [
        well_row("A1", 0.62, outlook=outlook()),
        well_row("A2", 0.22, flags=(flag(),), outlook=outlook()),
    ]
    dashboard.reader.raised = [alert_row(), alert_row(2, acknowledged_at=well_row("A1").judged_at)]
    dashboard.reader.quarantine = [refused_row()] * 5 + [refused_row("duplicate", well=None)]
    dashboard.reader.pictures = [shot("a.jpg"), shot("b.jpg", 11)]
    dashboard.reader.frames = FrameTally(scored=12, unfit={"out-of-domain": 24})


def words_of(page: str) -> str:
    """What a page shows or is read out, but for reasons: these are lines of the log."""
    ours = re.sub(r'<small lang="en">.*?</small>', "", page, flags=re.DOTALL)
    named = re.findall(r'(?:aria-label|alt|data-label|data-text)="([^"]*)"', ours)
    return " ".join([re.sub("<[^>]*>", " ", ours), *named])


ENGLISH = (
    "Plate", "Alerts", "Quarantine", "Scored", "Waiting", "Last frame", "Target", "Model",
    "ago", "flagged", "What to do", "Acknowledge", "Snooze", "Time course", "Forecast", "Now",
    "frames", "wells", "expected", "points", "rule", "raised", "picture", "Legend", "page of",
    "Flagged", "Colour", "WEAK",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_japanese_page_says_nothing_of_ours_in_english(dashboard: Dashboard, page: str) -> None:
    fill(dashboard)
    english, japanese = dashboard.get(page).text, dashboard.get(page, JA).text
    assert '<html lang="ja">' in japanese
    shown = [word for word in ENGLISH if word in words_of(english)]
    assert len(shown) > 8
    assert [word for word in shown if word in words_of(japanese)] == []


def test_the_setting_chooses_for_who_chooses_nothing(dashboard: Dashboard) -> None:
    dashboard.language = Language.JAPANESE
    dashboard.build(replace(FACTS))
    assert '<html lang="ja">' in dashboard.get("/").text
    assert '<html lang="ja">' in dashboard.get("/nothing").text


def test_the_state_of_the_run_is_shown_in_the_language_of_the_page(dashboard: Dashboard) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2")]
    text = " ".join(dashboard.get("/", JA).text.split())
    assert "要確認のウェルはありません。" in text
    assert "全ウェル(2)が過去12分以内に判定されました。" in text
