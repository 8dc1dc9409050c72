"""A guarded dashboard, asked over a real socket as browsers, scripts and strangers do."""

import http.client
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from prometheus_client import CollectorRegistry

from scopewatch.web.access.auth_middleware import make_auth_config
from scopewatch.web.access.listener import Listener
from scopewatch.web.access.sessions import FORGIVEN_S, MOST_FAILURES, SESSION
from scopewatch.web.dashboard_context import DashboardContext
from scopewatch.web.serve import WebServer
from scopewatch.web.server import create_app
from tests.conftest import FakeClock
from tests.unit.web.fakes import (
    FACTS,
    NOW,
    FakeAnswers,
    FakeHealth,
    FakeReader,
    alert_row,
    states_of,
)

TOKEN = "Zq3xT0kenOfThisLab"
PROGRAMS = ("/api/status.json", "/api/wells.json", "/metrics", "/healthz", "/openapi.json")
PAGES = (
    *("/", "/alerts", "/quarantine", "/acquisition"),
    *("/wells/a/b/c", "/overlays/a.jpg", "/nothing"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


@dataclass
class Client:
    """Sends each request exactly as written, over a connection of its own."""

    port: int
    dashboard: FakeAnswers
    clock: FakeClock
    cookie: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"Host": f"127.0.0.1:{self.port}", **self.headers, **(headers or {})}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request(method, path, urlencode(form) if form is not None else None, sent)
            answer = line.getresponse()
            return Answer(answer.status, answer.msg, answer.read().decode("utf-8", "replace"))
        finally:
            line.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers)

    def enter(self, offered: str = TOKEN, **more: str) -> Answer:
        answer = self.ask("POST", "/login", form={"password": offered, **more})
        self.cookie = answer.headers.get("set-cookie", self.cookie).partition(";")[0]
        return answer


def serve(tmp_path: Path, clock: FakeClock, *, secure: bool = False) -> Iterator[Client]:
    clock.wall = NOW
    reader, dashboard = FakeReader(raised=[alert_row()]), FakeAnswers()
    (tmp_path / "overlays").mkdir()
    (tmp_path / "secret.txt").write_text("a secret beside the pictures")
    health = FakeHealth()
    app = create_app(
        DashboardContext(
            reader=reader,
            overlay_folder=tmp_path / "overlays",
            alerts=dashboard,
            health=health,
            states=states_of(reader, health, clock, lambda: 0),
            waiting=lambda: 0,
            registry=CollectorRegistry(),
            facts=FACTS,
            clock=clock,
            token="a token of the forms",
            auth=make_auth_config(TOKEN, clock, secure=secure),
        ),
        names=("scope.lab",),
        addresses=True,
    )
    with WebServer(app, Listener("127.0.0.1", 0)) as server:
        yield Client(urlsplit(server.url).port or 0, dashboard, clock)


@pytest.fixture
def client(tmp_path: Path, clock: FakeClock) -> Iterator[Client]:
    yield from serve(tmp_path, clock)


@pytest.fixture
def tls_client(tmp_path: Path, clock: FakeClock) -> Iterator[Client]:
    yield from serve(tmp_path, clock, secure=True)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_asks_a_stranger_for_the_token(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 401
    assert answer.text.count("<input") == 2  # the token, and where it leads
    assert f'name="to" value="{path}"' in answer.text
    assert FACTS.run not in answer.text
    assert FACTS.version not in answer.text


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_without_the_token_hears_how_to_send_it(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "send the header `Authorization: Bearer` with web.token" in answer.text


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_program_with_the_token_is_answered(client: Client, path: str) -> None:
    assert client.get(path, {"Authorization": f"Bearer {TOKEN}"}).status == 200
    assert client.get(path, {"Authorization": f"bearer  {TOKEN} "}).status == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", TOKEN])
def test_no_other_header_opens(client: Client, header: str) -> None:
    assert client.get("/metrics", {"Authorization": header}).status == 401


def test_a_person_types_the_token_once_and_is_where_they_wanted(client: Client) -> None:
    answer = client.enter(f"  {TOKEN} ", to="/alerts")
    assert (answer.status, answer.headers["location"]) == (303, "/alerts")
    assert FACTS.run in client.get("/alerts").text
    assert client.get("/api/status.json").status == 200
    client.clock.advance(SESSION.total_seconds() + 1)
    assert client.get("/alerts").status == 401


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: Client) -> None:
    name, *flags = client.enter().headers["set-cookie"].split("; ")
    assert name.startswith("scopewatch=")
    assert TOKEN not in name
    assert set(flags) == {"HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=strict"}


def test_behind_tls_the_cookie_travels_over_tls_only(tls_client: Client) -> None:
    name, *flags = tls_client.enter().headers["set-cookie"].split("; ")
    assert name.startswith("__Host-scopewatch=")
    assert "Secure" in flags
    assert tls_client.get("/").status == 200


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/\r\nx: y", "alerts"]
)
def test_the_login_leads_to_no_other_site(client: Client, to: str) -> None:
    assert client.enter(to=to).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_other_site_signs_anybody_in(client: Client, headers: dict[str, str]) -> None:
    answer = client.ask("POST", "/login", headers, {"password": TOKEN})
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_an_alert_is_answered_only_with_session_and_form_token(client: Client) -> None:
    path, form = "/alerts/1/acknowledge", {"token": "a token of the forms"}
    assert client.ask("POST", path, form=form).status == 401
    client.enter()
    assert client.ask("POST", path, form={}).status == 403
    assert client.ask("POST", path, {"Origin": "http://evil.example"}, form).status == 403
    assert not client.dashboard.acknowledged
    assert client.ask("POST", path, form=form).status == 303
    assert len(client.dashboard.acknowledged) == 1


def test_signing_out_takes_the_cookie_back(client: Client) -> None:
    client.enter()
    page = client.get("/").text
    assert 'action="/logout"' in page
    assert client.ask("POST", "/logout", form={}).status == 403
    answer = client.ask("POST", "/logout", form={"token": "a token of the forms"})
    assert answer.headers["location"] == "/login"
    assert re.match('scopewatch=""; .*Max-Age=0', answer.headers["set-cookie"])


def test_who_guesses_is_refused_for_a_while_even_with_the_right_token(client: Client) -> None:
    for _ in range(MOST_FAILURES - 1):
        answer = client.enter("a guess")
        assert answer.status == 401
        assert "That is not the token." in answer.text
    answer = client.enter("a guess")
    assert (answer.status, answer.headers["retry-after"]) == (429, str(int(FORGIVEN_S)))
    assert "Too many wrong tokens. Try again in 15 min." in answer.text
    assert client.enter().status == 429
    assert client.get("/metrics", {"Authorization": f"Bearer {TOKEN}"}).status == 429
    client.clock.advance(FORGIVEN_S)
    assert client.enter().status == 303


def test_guesses_in_headers_count_as_well(client: Client) -> None:
    for _ in range(MOST_FAILURES):
        client.get("/metrics", {"Authorization": "Bearer guess"})
    assert client.enter().status == 429


def test_who_is_signed_in_goes_on_while_others_guess_from_the_same_address(client: Client) -> None:
    client.enter()
    session, client.cookie = client.cookie, ""
    for _ in range(MOST_FAILURES):
        client.get("/metrics", {"Authorization": "Bearer guess", "X-Forwarded-For": "10.1.2.3"})
    # Without a proxy nobody is believed to be somebody else.
    assert client.ask("POST", "/login", {"X-Forwarded-For": "10.9.9.9"}, {}).status == 429
    client.cookie = session
    assert client.get("/").status == 200


def test_wrong_tokens_are_logged_without_what_was_typed(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.enter("almost-the-password")
    (record,) = [each for each in caplog.records if each.message == "wrong token"]
    assert record.event == {  # type: ignore[attr-defined]  # what `extra` adds
        "from": "127.0.0.1",
        "path": "/login",
        "count": 1,
    }
    assert "almost-the-password" not in caplog.text


def test_a_link_from_a_mail_is_asked_once_more_by_our_own_page(client: Client) -> None:
    client.enter()
    cookie, client.cookie = client.cookie, ""  # a strict cookie is held back from such a request
    page = client.get("/alerts", {"Sec-Fetch-Site": "cross-site"})
    assert page.status == 401
    assert '<meta http-equiv="refresh" content="0">' in page.text
    assert "refresh" not in client.get("/alerts", {"Sec-Fetch-Site": "same-origin"}).text
    client.cookie = cookie
    assert client.get("/alerts", {"Sec-Fetch-Site": "same-origin"}).status == 200


@pytest.mark.parametrize("host", ["scope.lab:8787", "SCOPE.LAB", "192.168.1.5:8787", "[fe80::1]"])
def test_configured_names_and_bare_addresses_are_answered(client: Client, host: str) -> None:
    assert client.get("/login", {"Host": host}).status == 200


@pytest.mark.parametrize("host", ["evil.example", "scope.lab.evil.example", "192.168.1.5.nip.io"])
def test_other_names_are_not(client: Client, host: str) -> None:
    answer = client.get("/login", {"Host": host})
    assert answer.status == 421
    assert "expected scope.lab" in answer.text
    assert "add the name to web.names" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/static/..%2fserver.py",
        "/static/..%5cserver.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/../../../../../../etc/passwd",
        "/static/style.css/../../server.py",
        "/static/%00",
        "/overlays/../secret.txt",
        "/overlays/%2e%2e/secret.txt",
        "/overlays/..%2fsecret.txt",
        "/overlays//etc/passwd",
        "/../secret.txt",
        "//etc/passwd",
    ],
)
@pytest.mark.parametrize("known", [False, True])
def test_no_path_leads_out_of_what_is_served(client: Client, path: str, known: bool) -> None:
    if known:
        client.enter()
    answer = client.get(path)
    assert answer.status in {401, 404}
    for shown in ("root:", "a secret beside", "FastAPI"):
        assert shown not in answer.text


@pytest.mark.parametrize("path", ["/static", "/static/", "/overlays/", "/overlays", "/static/."])
def test_no_folder_is_listed(client: Client, path: str) -> None:
    client.enter()
    answer = client.get(path)
    assert answer.status in {307, 404}
    assert "refresh.js" not in answer.text


def test_nothing_but_the_style_of_pages_is_served_to_strangers(client: Client) -> None:
    assert client.get("/static/style.css").status == 200
    assert client.get("/static/../api/status.json").status == 404
    assert client.get("/login/../api/status.json").status == 401
    assert client.get("/LOGIN").status == 401


@pytest.mark.parametrize("path", ["/login", "/", "/metrics"])
def test_refusals_carry_the_security_headers(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
