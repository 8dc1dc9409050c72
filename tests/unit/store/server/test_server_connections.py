"""Results on a PostgreSQL server: who may write when, and what people read when they may not."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from alembic import command
from sqlalchemy import Engine, text

from scopewatch.core.errors import NoSpaceError, StoreError
from scopewatch.core.tickets import Mark
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.engine import has_results, open_reader, open_writer, transaction
from scopewatch.store.schema.migrating import alembic_config
from scopewatch.store.schema.migrations import SCHEMA
from scopewatch.store.schema.place import Server, daemon_of
from scopewatch.store.schema.tables import SignOfLife
from scopewatch.store.unit_of_work import unit_of_work
from tests.conftest import FakeClock
from tests.postgres import PostgresServer, read_server
from tests.unit.store.scene import START, Scene, key, open_store, ticket


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.new_database(postgres.next_name())
    yield name
    postgres.drop_database(name)


def sign(name: str) -> SignOfLife:
    return SignOfLife(name=name, at=START, detail="")


def signs(place: Server) -> list[str]:
    return sorted(name for (name,) in read_server(place, "SELECT name FROM signs_of_life"))


def test_a_place_is_named_without_user_and_password(server_place: Server) -> None:
    assert str(server_place).startswith("scope-1 in database test_")
    assert "secret-word" not in f"{server_place} {server_place!r}"
    assert daemon_of(server_place.schema) == "scope-1"
    assert daemon_of("public") is None
    assert daemon_of("scopewatch_Of Somebody") is None


@pytest.mark.parametrize("name", ["", "Scope", 'a"b', "-a", "a b", "a" * 41])
def test_a_name_that_is_no_part_of_sql_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name of a daemon"):
        Server(url="postgresql+psycopg://x/y", daemon=name)


def test_there_are_results_once_a_daemon_has_been_there(server_place: Server) -> None:
    assert not has_results(server_place)
    with pytest.raises(StoreError, match=r"no results yet: scope-1 in .*start the daemon"):
        open_reader(server_place)
    open_writer(server_place).dispose()
    assert has_results(server_place)
    open_reader(server_place).dispose()
    assert read_server(server_place, "SELECT version_num FROM alembic_version") == [(SCHEMA,)]


def test_a_database_of_a_newer_scopewatch_is_refused(
    server_place: Server, postgres: PostgresServer
) -> None:
    open_writer(server_place).dispose()
    database = server_place.url.rpartition("/")[2]
    postgres.run(
        database, f"UPDATE \"{server_place.schema}\".alembic_version SET version_num = '99'"
    )
    for opener in (open_writer, open_reader):
        with pytest.raises(StoreError, match="written by a newer scopewatch: scope-1 in"):
            opener(server_place)


def test_a_second_daemon_of_the_same_name_is_refused_while_the_first_runs(
    server_place: Server,
) -> None:
    first = open_writer(server_place, alone=True)
    with pytest.raises(StoreError, match=r"another daemon of this name .*scopewatch scope-1 pid"):
        open_writer(server_place, alone=True)
    first.dispose()
    open_writer(server_place, alone=True).dispose()


def test_daemons_of_other_names_are_no_matter(server_place: Server) -> None:
    other = Server(url=server_place.url, daemon="scope-2")
    first, second = open_writer(server_place, alone=True), open_writer(other, alone=True)
    _write(first)
    _write(second)
    assert (signs(server_place), signs(other)) == (["now"], ["now"])
    first.dispose()
    second.dispose()


def test_the_command_line_writes_beside_the_daemon_and_waits_for_its_turn(
    server_place: Server,
) -> None:
    daemon = open_writer(server_place, alone=True)
    beside = open_writer(server_place)
    wrote = threading.Event()

    def write() -> None:
        with transaction(beside) as session:
            session.add(sign("beside"))
        wrote.set()

    with transaction(daemon) as session:
        session.add(sign("daemon"))
        session.flush()
        other = threading.Thread(target=write)
        other.start()
        assert not wrote.wait(0.3)
    other.join(10)
    assert signs(server_place) == ["beside", "daemon"]
    daemon.dispose()
    beside.dispose()


def test_readers_cannot_write_and_see_one_moment(server_place: Server) -> None:
    writer, reader = open_writer(server_place), open_reader(server_place)
    with transaction(reader) as reading:
        assert reading.get(SignOfLife, "late") is None
        with transaction(writer) as session:
            session.add(sign("late"))
        reading.expire_all()
        assert reading.get(SignOfLife, "late") is None
    with pytest.raises(StoreError, match="read-only transaction"), transaction(reader) as session:
        session.add(sign("never"))
    assert signs(server_place) == ["late"]
    writer.dispose()
    reader.dispose()


def test_after_a_restart_of_the_server_a_daemon_has_its_name_again(
    server_place: Server, postgres: PostgresServer
) -> None:
    daemon, reader = open_writer(server_place, alone=True), open_reader(server_place)
    postgres.restart("immediate")
    with transaction(daemon) as session:
        session.add(sign("again"))
    with transaction(reader) as session:
        assert session.get(SignOfLife, "again") is not None
    with pytest.raises(StoreError, match="another daemon of this name"):
        open_writer(server_place, alone=True)
    daemon.dispose()
    reader.dispose()


def test_a_daemon_that_lost_its_name_to_another_one_writes_nothing(
    server_place: Server, postgres: PostgresServer
) -> None:
    first = open_writer(server_place, alone=True)
    database = server_place.url.rpartition("/")[2]
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> ''"
    postgres.run(database, others)
    second = open_writer(server_place, alone=True)
    with (
        pytest.raises(StoreError, match="another daemon of this name"),
        transaction(first) as session,
    ):
        session.add(sign("first"))
    second.dispose()
    with transaction(first) as session:
        session.add(sign("first, later"))
    assert signs(server_place) == ["first, later"]
    first.dispose()


def test_a_server_that_is_away_is_one_line_without_the_password(
    server_place: Server, postgres: PostgresServer
) -> None:
    daemon = open_writer(server_place, alone=True)
    postgres.stop()
    for use in (
        lambda: _write(daemon),
        lambda: open_writer(server_place),
        lambda: has_results(server_place),
    ):
        with pytest.raises(StoreError) as caught:
            use()
        line = str(caught.value)
        assert line.startswith("result database cannot be used: scope-1 in database test_")
        assert "check that the server runs" in line
        assert "secret-word" not in line
        assert "\n" not in line
    postgres.start()
    _write(daemon)
    assert signs(server_place) == ["now"]
    daemon.dispose()


def test_a_full_disk_of_the_server_is_known_as_such(server_place: Server) -> None:
    writer = open_writer(server_place)
    full = "DO $$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END $$"
    with pytest.raises(NoSpaceError, match="No space left"), transaction(writer) as session:
        session.execute(text(full))
    writer.dispose()


def test_a_user_without_the_right_to_make_the_schema_gets_one_line(
    database: str, postgres: PostgresServer
) -> None:
    postgres.run(database, f"CREATE ROLE guest_{database} LOGIN")
    url = postgres.url(database).replace("scopewatch:secret-word", f"guest_{database}")
    with pytest.raises(StoreError, match=r"permission denied .* what this user may do"):
        open_writer(Server(url=url, daemon="scope-1"))
    schema = f'CREATE SCHEMA "scopewatch_scope-1" AUTHORIZATION guest_{database}'
    postgres.run(database, schema)
    open_writer(Server(url=url, daemon="scope-1")).dispose()


def test_texts_and_numbers_of_any_kind_are_stored(server_place: Server, clock: FakeClock) -> None:
    odd, large = key("well\0 é 😀"), key(time_point=5_000_000, site=20_260_301_091_500)
    with closing(open_store(server_place, clock)) as store:
        scene = Scene(store=store, place=server_place)
        scene.score(large, 0.7)
        scene.spoil(odd, "damaged: 1\0\0é", locator="odd.tif")
        assert not store.claim(ticket(odd, locator="odd.tif"))
    with closing(Reader.open(server_place)) as reader:
        found = {frame.key.well: (frame.key, frame.reason) for frame in reader.frames()}
    assert found["A1"] == (large, None)
    assert found["well\ufffd é 😀"][1] == "damaged: 1\ufffd\ufffdé"


def test_daemons_of_one_database_may_call_everything_alike(
    server_place: Server, clock: FakeClock
) -> None:
    other = Server(url=server_place.url, daemon="scope-2")
    for place, fraction in ((server_place, 0.7), (other, 0.1)):
        with closing(open_store(place, clock)) as store:
            scene = Scene(store=store, place=place)
            assert store.settled("folder", [Mark(ticket(key()).locator, "1")]) == set()
            for time_point in range(2):
                scene.score(key(time_point=time_point), fraction)
            assert len(store.due(clock.now(), 10)) == (fraction == 0.1)
    for place, fraction in ((server_place, 0.7), (other, 0.1)):
        with closing(Reader.open(place)) as reader:
            assert {each.positive_fraction for each in reader.frames()} == {fraction}
            assert len(reader.alerts(None, 10)) == (fraction == 0.1)


def _write(engine: Engine) -> None:
    with unit_of_work(engine) as work:
        work.session.add(sign("now"))


def test_a_schema_of_an_earlier_version_is_brought_up_to_date(server_place: Server) -> None:
    indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1"
    engine = open_writer(server_place)
    expected = read_server(server_place, indexes)
    config = alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0009")
    engine.dispose()
    assert read_server(server_place, indexes) != expected
    with pytest.raises(StoreError, match="result database is of an older scopewatch"):
        open_reader(server_place)
    open_writer(server_place, alone=True).dispose()
    assert read_server(server_place, indexes) == expected
    assert read_server(server_place, "SELECT version_num FROM alembic_version") == [(SCHEMA,)]
