"""One dashboard over the daemons of a database: each with its state, its pages and its answers."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from scopewatch.app.recording.store import Store
from scopewatch.app.shared.condition import CONDITION, ConditionRecord
from scopewatch.app.shared.daemons import SharedDaemons
from scopewatch.app.shared.published import PUBLISHED, Published
from scopewatch.config import Config
from scopewatch.core.errors import StoreError
from scopewatch.inference.bundle import load_bundle
from scopewatch.monitoring.run_facts import DaemonSeen
from scopewatch.monitoring.state import Level
from scopewatch.runtime.process.restart_history import ALIVE, STOPPED
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.place import Server
from scopewatch.web.access.auth_middleware import make_auth_config
from scopewatch.web.access.listener import Listener
from scopewatch.web.daemons import SharedContext, create_shared_app
from scopewatch.web.serve import WebServer
from tests.conftest import FakeClock
from tests.integration.conftest import SHIPPED
from tests.postgres import PostgresServer
from tests.unit.store.scene import Scene, key, open_store

TOKEN = "a-token-of-our-own"


def record(
    store: Store, clock: FakeClock, *complaints: str, started_at: datetime | None = None
) -> None:
    """What a daemon says of itself."""
    seen = DaemonSeen(complaints=complaints, started_at=started_at)
    ConditionRecord(store, lambda: seen, clock).look()


def publish(place: Server, clock: FakeClock, tmp_path: Path, *, frames: int = 2) -> None:
    """What the start of a daemon stores, and a well that is weak in scope-1 alone."""
    config = Config.model_validate(
        {
            "experiment": {"name": "run 7", "simulated": True, "well_groups": {"all": ["A*"]}},
            "model": {"bundle": "m"},
            "sources": [{"kind": "folder", "path": str(tmp_path)}],
            "alerts": {
                "rules": [
                    {"name": "weak", "target": 0.5, "from_day": 0},
                    {"name": "plate", "kind": "plate-collapse", "groups": ["all"]},
                ],
                "quiet_hours": {"start": "22:00", "end": "07:00", "zone": "Asia/Tokyo"},
            },
            "overlays": {"folder": str(tmp_path / "pictures")},
            "store": {"url": place.url, "daemon": place.daemon},
        }
    )
    card = load_bundle(SHIPPED).card
    published = Published.of(config, card)
    assert Published.read(published.model_dump_json(), place) == published
    assert published.standard.rules == config.stepped_rules()
    assert published.pictures == tmp_path / "pictures" / place.daemon
    assert "secret-word" not in published.model_dump_json()
    with closing(open_store(place, clock)) as store:
        store.record_liveness(PUBLISHED, clock.now(), published.model_dump_json())
        store.record_liveness(ALIVE, clock.now())
        record(store, clock)
        scene = Scene(store=store, place=place)
        for time_point in range(frames):
            scene.score(key("A1", time_point), 0.1 if place.daemon == "scope-1" else 0.7)


@pytest.fixture
def places(server_place: Server, clock: FakeClock, tmp_path: Path) -> tuple[Server, Server]:
    found = (server_place, Server(url=server_place.url, daemon="scope-2"))
    for place in found:
        publish(place, clock, tmp_path)
    return found


@pytest.fixture
def address(
    places: tuple[Server, Server], clock: FakeClock, request: pytest.FixtureRequest
) -> Iterator[str]:
    auth = None
    if getattr(request, "param", None):
        auth = make_auth_config(TOKEN, clock, secure=False)
    with closing(SharedDaemons(places[0].url, clock, auth=auth)) as daemons:
        context = SharedContext(
            daemons=daemons, version="0", clock=clock, token=daemons.token, auth=auth
        )
        with WebServer(create_shared_app(context), Listener("127.0.0.1", 0)) as server:
            yield server.url.rstrip("/")


def test_the_list_shows_flagged_wells_and_pages_say_whose_they_are(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    page = httpx.get(f"{address}/").text
    assert page.count("1 well is flagged:") == 1
    assert re.search(r'<a href="/daemons/scope-1/wells/[^"]+">A1</a>', page)
    assert page.count("✓") == 1, "scope-2 alone needs nobody"
    shown = httpx.get(f"{address}/daemons/scope-1/").text
    assert '<a href="/">Microscopes</a> · <a href="/daemons/scope-1/">scope-1</a>' in shown
    assert "run 7 · scope-1</title>" in shown
    with closing(open_store(places[0], clock)) as store:
        store.record_liveness(STOPPED, clock.now(), "2026-03-01T09:00:00+00:00")
    stopped = httpx.get(f"{address}/daemons/scope-1/").text
    assert "the daemon was stopped at" in stopped
    assert "scopewatch is not well" in stopped
    assert "scopewatch is starting" not in stopped


def test_the_list_names_each_daemon_with_its_runs_and_leads_to_its_pages(address: str) -> None:
    page = httpx.get(f"{address}/").text
    for name in ("scope-1", "scope-2"):
        assert f'<a href="/daemons/{name}/">{name}</a>' in page
        assert f'<a href="/daemons/{name}/?experiment=run+7">run 7</a>' in page
    assert page.count("SIMULATED") == 2
    weak = httpx.get(f"{address}/daemons/scope-1/").text
    well = httpx.get(f"{address}/daemons/scope-2/").text
    assert 'href="/daemons/scope-1/wells/run%207/p1/A1"' in weak
    assert 'href="/daemons/scope-1/alerts' in weak
    assert "/daemons/scope-1" not in well
    assert 'href="/static/style.css"' in well
    assert httpx.get(f"{address}/static/style.css").status_code == 200
    assert httpx.get(f"{address}/daemons/scope-2/wells/run%207/p1/A1").status_code == 200
    japanese = httpx.get(f"{address}/", headers={"accept-language": "ja"}).text
    assert "顕微鏡" in japanese


def test_every_address_on_the_pages_of_a_daemon_is_its_own_or_shared(address: str) -> None:
    waiting = ["/daemons/scope-1/"]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 40:
            continue
        seen.add(path)
        answer = httpx.get(address + path, follow_redirects=True)
        assert answer.status_code == (404 if "/overlays/" in path else 200), path
        if "html" not in answer.headers["content-type"] or not path.startswith("/daemons/"):
            continue
        found = re.findall(r'(?:href|src|action)="(/[^"#]*)', answer.text)
        for each in found:
            assert re.match(r"/(daemons/scope-1/|static/|language/|$)", each), (path, each)
        links = re.findall(r'href="(/daemons/[^"#]*)', answer.text)
        waiting += [each.replace("&amp;", "&") for each in links]
    assert len(seen) >= 5


def test_an_answer_reaches_the_daemon_whose_alert_it_is_and_leads_back(
    address: str, places: tuple[Server, Server]
) -> None:
    page = httpx.get(f"{address}/daemons/scope-1/alerts").text
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    answer = httpx.post(f"{address}/daemons/scope-1/alerts/1/acknowledge", data={"token": found[1]})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/daemons/scope-1/alerts#alert-1"
    assert "acknowledged" in httpx.get(f"{address}/daemons/scope-1/alerts").text
    missing = httpx.post(
        f"{address}/daemons/scope-2/alerts/1/acknowledge", data={"token": found[1]}
    )
    assert missing.status_code == 409


def test_a_daemon_that_is_silent_or_stopped_or_of_another_version_is_named(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    page = httpx.get(f"{address}/").text
    assert (page.count("nothing was heard"), page.count("✓")) == (0, 1)
    with closing(open_store(places[1], clock)) as store:
        clock.advance(600)
        store.record_liveness(ALIVE, clock.now())
        record(store, clock)
    page = httpx.get(f"{address}/").text
    assert page.count("nothing was heard of the daemon since 2026-03-01 09:00 UTC; look") == 1
    assert page.count("✓") == 1, "no all-clear while nothing is judged"
    health = httpx.get(f"{address}/healthz")
    assert health.status_code == 503
    first, second = health.json()["daemons"]
    assert (first["daemon"], first["healthy"], second["detail"]) == ("scope-1", False, [])
    with closing(open_store(places[0], clock)) as store:
        store.record_liveness(STOPPED, clock.now(), "2026-03-01T09:00:00+00:00")
    assert "the daemon was stopped at 2026-03-01 09:10 UTC; start it" in httpx.get(address).text
    with closing(open_store(places[1], clock)) as store:
        store.record_liveness(PUBLISHED, clock.now(), '{"of": "the future"}')
    assert "the daemon is of another version of scopewatch: scope-2 in" in httpx.get(address).text
    assert httpx.get(f"{address}/daemons/scope-1/").status_code == 200


def test_a_daemon_that_never_came_so_far_does_not_spoil_the_list(
    address: str, places: tuple[Server, Server]
) -> None:
    open_writer(Server(url=places[0].url, daemon="scope-3")).dispose()
    assert "has published nothing for other dashboards" in httpx.get(address).text
    missing = httpx.get(f"{address}/daemons/scope-9/")
    assert "there is no such daemon" in missing.text
    assert missing.status_code == 404


def test_a_daemon_whose_results_this_user_may_not_read_is_in_the_list_with_what_is_wrong(
    places: tuple[Server, Server], postgres: PostgresServer, clock: FakeClock
) -> None:
    first, second = places
    database = first.url.rpartition("/")[2]
    postgres.run(
        database,
        "CREATE ROLE viewer LOGIN",
        f'GRANT USAGE ON SCHEMA "{first.schema}" TO viewer',
        f'GRANT SELECT ON ALL TABLES IN SCHEMA "{first.schema}" TO viewer',
    )
    url = f"postgresql+psycopg://viewer@127.0.0.1:{postgres.port}/{database}"
    with closing(SharedDaemons(url, clock)) as daemons:
        seen, hidden = daemons.look()
        assert (seen.complaints, hidden.well, hidden.runs) == ((), False, ())
        (line,) = hidden.complaints
        assert line.startswith(
            f"this user of the database may not read the results of the daemon: {second} ("
        )
        assert "got user viewer); let the owner of the schema run: GRANT USAGE ON SCHEMA" in line
        assert f'GRANT SELECT ON ALL TABLES IN SCHEMA "{second.schema}" TO viewer' in line
        with pytest.raises(StoreError, match="may not read the results"):
            daemons.context("scope-2")
        postgres.run(database, f'GRANT USAGE ON SCHEMA "{second.schema}" TO viewer')
        (line,) = daemons.look()[1].complaints
        assert "permission denied for table alembic_version" in line
    postgres.run(database, "DROP OWNED BY viewer", "DROP ROLE viewer")


def test_a_daemon_that_does_not_answer_holds_up_no_other(
    places: tuple[Server, Server], postgres: PostgresServer, clock: FakeClock
) -> None:
    first, _ = places
    with (
        closing(postgres.connect(first.url.rpartition("/")[2])) as locking,
        closing(SharedDaemons(first.url, clock, answer_s=3.0)) as daemons,
    ):
        assert [each.complaints for each in daemons.look()] == [(), ()]
        # As a migration does.
        locking.execute("BEGIN")
        locking.execute(f'LOCK TABLE "{first.schema}".signs_of_life IN ACCESS EXCLUSIVE MODE')
        for _ in range(2):
            late, other = daemons.look()
            assert (late.name, late.well, other.complaints) == ("scope-1", False, ())
            (line,) = late.complaints
            assert line.startswith(f"the database gave no answer about this daemon: {first} (")
            assert "expected one within 3 s" in line
        assert daemons.context("scope-2").root == "/daemons/scope-2"
        locking.execute("ROLLBACK")
        daemons.context("scope-1")
        assert [each.complaints for each in daemons.look()] == [(), ()]


def test_the_counts_of_a_daemon_are_not_given_as_none(address: str) -> None:
    answer = httpx.get(f"{address}/daemons/scope-1/metrics")
    assert answer.status_code == 404
    assert "a daemon counts in its own process, which this dashboard does not see" in answer.text
    assert "/daemons/scope-1/metrics" in answer.text


def test_while_the_server_is_away_the_list_says_so(address: str, postgres: PostgresServer) -> None:
    postgres.stop()
    answer = httpx.get(address)
    assert answer.status_code == 503
    assert "result database cannot be used: database test_" in answer.text
    postgres.start()
    assert httpx.get(address).status_code == 200


@pytest.mark.parametrize("address", [True], indirect=True)
def test_nobody_sees_a_daemon_without_the_token(address: str) -> None:
    for path in ("/", "/healthz", "/daemons/scope-1/", "/daemons/scope-1/api/wells.json"):
        assert httpx.get(address + path).status_code == 401, path
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"{address}/daemons/scope-1/", headers=bearer).status_code == 200
    refused = httpx.get(f"{address}/daemons/scope-1/api/wells.json")
    assert "the dashboard asks for its token" in refused.json()["error"]


def test_a_daemon_whose_clock_is_ahead_is_named_since_its_silence_would_not_be_seen(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    later = clock.now() + timedelta(hours=1)
    with closing(open_store(places[0], clock)) as store:
        store.record_liveness(ALIVE, later)
    page = httpx.get(f"{address}/").text
    assert "the daemon was alive at 2026-03-01 10:00 UTC, which is later than now here" in page
    assert page.count("✓") == 1
    assert httpx.get(f"{address}/healthz").status_code == 503


def test_a_database_without_any_daemon_is_no_all_clear(
    server_place: Server, clock: FakeClock
) -> None:
    with closing(SharedDaemons(server_place.url, clock)) as daemons:
        context = SharedContext(daemons=daemons, version="0", clock=clock, token=daemons.token)
        with WebServer(create_shared_app(context), Listener("127.0.0.1", 0)) as server:
            answer = httpx.get(f"{server.url}healthz")
            page = httpx.get(server.url).text
    assert (answer.status_code, answer.json()) == (503, {"healthy": False, "daemons": []})
    assert "No daemon has stored results here yet." in page


def test_a_daemon_that_was_upgraded_meanwhile_is_not_read_by_the_tables_of_before(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    assert httpx.get(f"{address}/daemons/scope-1/").status_code == 200
    with closing(open_store(places[0], clock)) as store:
        published = store.liveness()[PUBLISHED].detail.replace('"version":"', '"version":"9.')
        store.record_liveness(PUBLISHED, clock.now(), published)
    engine = open_writer(places[0])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    page = httpx.get(f"{address}/").text
    assert "result database was written by a newer scopewatch: scope-1 in" in page
    assert page.count("✓") == 1
    assert httpx.get(f"{address}/daemons/scope-2/").status_code == 200


def test_what_a_daemon_complains_of_is_in_the_list_and_on_its_pages(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    line = "source folder: /data cannot be read"
    with closing(open_store(places[0], clock)) as store:
        record(store, clock, line)
    page = httpx.get(f"{address}/").text
    assert (page.count(line), page.count("✓")) == (1, 1)
    assert line in httpx.get(f"{address}/daemons/scope-1/").text
    health = httpx.get(f"{address}/healthz")
    assert health.status_code == 503
    assert [each["detail"] for each in health.json()["daemons"]] == [[line], []]
    assert httpx.get(f"{address}/daemons/scope-1/healthz").json()["detail"] == [line]


def test_a_daemon_that_waits_too_long_for_its_first_frame_is_no_all_clear(
    server_place: Server, clock: FakeClock, tmp_path: Path
) -> None:
    publish(server_place, clock, tmp_path, frames=0)
    clock.advance(timedelta(days=3).total_seconds())
    with closing(open_store(server_place, clock)) as store:
        store.record_liveness(ALIVE, clock.now())
        record(store, clock, started_at=clock.now() - timedelta(days=3))
    with closing(SharedDaemons(server_place.url, clock)) as daemons:
        (only,) = daemons.look()
    assert only.complaints == ()
    assert [each.state.level for each in only.runs] == [Level.FAILING]
    assert not only.well


def test_of_a_daemon_that_does_not_say_how_it_is_nothing_is_assumed(
    address: str, places: tuple[Server, Server], clock: FakeClock
) -> None:
    clock.advance(600)
    with closing(open_store(places[0], clock)) as store:
        store.record_liveness(ALIVE, clock.now())
    assert "nothing was heard of the daemon since 2026-03-01 09:00 UTC" in httpx.get(address).text
    with closing(open_store(places[0], clock)) as store:
        store.record_liveness(CONDITION, clock.now(), '{"ready": "maybe"}')
    assert "was recorded by another version; install the same" in httpx.get(address).text
