"""A history moved between a file and a server: every row, or nothing."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from scopewatch.core.acquisition.orders import Act
from scopewatch.core.errors import StoreError
from scopewatch.core.tickets import Refusal
from scopewatch.store.export import moving
from scopewatch.store.export.moving import move_history
from scopewatch.store.read.records.quarantine import RetrySelection
from scopewatch.store.schema.columns import Base
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.place import Place, Server
from tests.conftest import FakeClock
from tests.postgres import PostgresServer, read_server
from tests.unit.store.scene import START, Scene, key, open_store, read_rows, tables, ticket
from tests.unit.store.test_store_measuring import LAST, measuring, read

EVERY = [table.name for table in Base.metadata.sorted_tables]
BY = "anna, command line"


def nobody(_table: str, _rows: int) -> None:
    """Report to nobody."""


def fill(place: Place, folder: Path, clock: FakeClock) -> None:
    """Write at least one row into each table."""
    store = open_store(
        place,
        clock,
        measuring=measuring(folder),
        fluorescence_channel="gfp",
        simulated=True,
        copies=True,
    )
    with closing(store):
        scene = Scene(store=store, place=place)
        for time_point in range(4):
            scene.score(key("A1", time_point), 0.1)
            scene.score(key("B2", time_point), 0.7, taken={"dated": False, "elapsed_s": 0.1})
        scene.spoil(key("A1", 5), "blank: é 😀")
        offered = ticket(key("A1", LAST, channel="gfp"), acquired_at=START + timedelta(days=10))
        assert store.claim(offered)
        frame, reading = read(offered, 0.5)
        store.measure(offered, frame, reading)
        for name in ("x", "y"):
            store.refuse(
                Refusal(
                    source="folder", locator=name, fingerprint="1", reason="no key", seen_at=START
                )
            )
        store.ask_again(RetrySelection(well="A1"), ("folder",), BY)
        store.ask_again(RetrySelection(what="x"), ("folder",), BY)
        store.order("scope", "run 7", Act.PAUSE, BY)
        store.acquisition("ndtiff", "HES7", "a")
        store.record_liveness("alive", clock.now(), "{}")
        store.acknowledge(1, clock.now())
        # The newest number of all is gone, and not to be given again.
        assert store.claim(ticket(key("C3", 0), locator="x"))
        assert store.close_retry_requests() == 1


def rows_of(place: Place) -> dict[str, int]:
    return {name: read_rows(place, f'SELECT count(*) FROM "{name}"')[0][0] for name in EVERY}


@pytest.fixture
def file(tmp_path: Path, clock: FakeClock) -> Path:
    folder = tmp_path / "state"
    fill(folder, tmp_path, clock)
    assert min(rows_of(folder).values()) > 0, "a table that nothing is in shows nothing"
    return folder


def plain(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[str]]:
    """As texts, in which 1 and true are one."""
    return {
        name: sorted(repr([int(v) if isinstance(v, bool) else v for v in row]) for row in rows)
        for name, rows in found.items()
    }


def test_each_row_is_moved_to_a_server_and_back(
    file: Path, server_place: Server, tmp_path: Path, clock: FakeClock
) -> None:
    there = move_history(file, server_place, nobody)
    assert {each.table: each.rows for each in there} == rows_of(file) == rows_of(server_place)
    assert plain(tables(server_place)) == plain(tables(file))
    back = tmp_path / "back"
    assert move_history(server_place, back, nobody) == there
    assert tables(back) == tables(file)


@pytest.mark.parametrize("back", [False, True], ids=["server", "file again"])
def test_what_is_moved_goes_on_as_if_it_had_always_been_there(
    file: Path, server_place: Server, tmp_path: Path, clock: FakeClock, back: bool
) -> None:
    move_history(file, server_place, nobody)
    place: Place = server_place
    if back:
        place = tmp_path / "back"
        move_history(server_place, place, nobody)
    found = []
    for each in (file, place):
        with closing(open_store(each, clock)) as store:
            scene = Scene(store=store, place=each)
            scene.score(key("A1", 6), 0.1)
            scene.score(key("D4", 0), 0.1)
            scene.score(key("D4", 1), 0.1)
            store.ask_again(RetrySelection(fault="blank"), ("folder",), BY)
            order = store.order("scope", "run 7", Act.RESUME, BY)
            requests = [one.number for one in store.retry_requests("folder", 0, 9)]
        numbers = (
            read_rows(each, "SELECT max(id) FROM frames"),
            read_rows(each, "SELECT max(id) FROM alerts"),
        )
        found.append((plain(tables(each)), order, requests, numbers))
    assert found[0] == found[1]


def test_nothing_is_written_between_results_that_are_there(
    file: Path, server_place: Server, clock: FakeClock
) -> None:
    with closing(open_store(server_place, clock)) as store:
        store.record_liveness("alive", clock.now())
    with pytest.raises(StoreError, match=r"results already.*table signs_of_life .*1 rows"):
        move_history(file, server_place, nobody)
    assert rows_of(server_place)["frames"] == 0


def test_a_move_that_is_cut_anywhere_leaves_nothing_and_can_be_begun_again(
    file: Path, server_place: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_BATCH", 2)
    open_writer(server_place).dispose()
    whole = rows_of(file)

    class Cut(BaseException):
        """As if the power failed."""

    for at in (1, 10, 25):
        left = at

        def cut(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Cut

        event.listen(Engine, "before_cursor_execute", cut)
        try:
            with pytest.raises(Cut):
                move_history(file, server_place, nobody)
        finally:
            event.remove(Engine, "before_cursor_execute", cut)
        assert set(rows_of(server_place).values()) == {0}
    move_history(file, server_place, nobody)
    assert rows_of(server_place) == whole


def test_a_row_that_arrives_otherwise_is_found_and_nothing_is_moved(
    file: Path, server_place: Server, postgres: PostgresServer
) -> None:
    open_writer(server_place).dispose()
    schema, database = server_place.schema, server_place.url.rpartition("/")[2]
    postgres.run(
        database,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.time_point = 2 THEN NEW.efficiency = NEW.efficiency + 1e-12; END IF;"
        " RETURN NEW; END $$",
        f'CREATE TRIGGER spoil BEFORE INSERT ON "{schema}".well_estimates'
        " FOR EACH ROW EXECUTE FUNCTION spoil()",
    )
    with pytest.raises(StoreError, match=r"a row is not what it was.*table well_estimates"):
        move_history(file, server_place, nobody)
    assert set(rows_of(server_place).values()) == {0}


def test_a_history_is_not_moved_beside_a_daemon_that_writes_to_the_server(
    file: Path, server_place: Server
) -> None:
    daemon = open_writer(server_place, alone=True)
    with pytest.raises(StoreError, match="another daemon of this name"):
        move_history(file, server_place, nobody)
    daemon.dispose()
    assert read_server(server_place, "SELECT count(*) FROM frames") == [(0,)]


def test_a_history_on_a_server_is_not_copied_while_its_daemon_writes_or_starts(
    server_place: Server, clock: FakeClock, tmp_path: Path
) -> None:
    fill(server_place, tmp_path, clock)
    daemon = open_writer(server_place, alone=True)
    with pytest.raises(StoreError, match="another daemon of this name"):
        move_history(server_place, tmp_path / "back", nobody)
    daemon.dispose()
    refused: list[object] = []

    def start(_table: str, _rows: int) -> None:
        if not refused:
            with pytest.raises(StoreError, match="another daemon of this name") as caught:
                open_writer(server_place, alone=True)
            refused.append(caught)

    move_history(server_place, tmp_path / "back", start)
    assert len(refused) == 1
    open_writer(server_place, alone=True).dispose()


def test_there_is_nothing_to_move_before_the_first_start(
    tmp_path: Path, server_place: Server
) -> None:
    with pytest.raises(StoreError, match="there are no results yet"):
        move_history(tmp_path, server_place, nobody)
