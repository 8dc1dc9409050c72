"""Texts of any length in every table: an index of a server must not refuse what a file has."""

import random
from contextlib import closing
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Column, Enum, Table, insert, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import IntegrityError

from scopewatch.core.imaging.frame import MOST_NAME
from scopewatch.core.tickets import Mark, Refusal
from scopewatch.store.read.records.quarantine import RetrySelection
from scopewatch.store.schema.columns import Base, FrameState, Utc
from scopewatch.store.schema.engine import open_writer
from scopewatch.store.schema.migrating import alembic_config
from scopewatch.store.schema.place import Place, Server
from tests.conftest import FakeClock
from tests.postgres import Places, read_server
from tests.unit.store.scene import START, open_store

# Characters, of names that keys have or the configuration gives; no other text has a limit.
LONGEST = {
    **dict.fromkeys(("runs.name", "wells.plate", "wells.name", "frames.channel"), MOST_NAME),
    **dict.fromkeys(("run", "experiment", "plate", "well", "of_channel"), MOST_NAME),
    **dict.fromkeys(("rule", "source", "outbox.channel"), 100),
    # Ours, and not of any file.
    **dict.fromkeys(("fault", "judged_under", "overlay", "signs_of_life.name"), 400),
    "pictures_due.path": 400,
    **dict.fromkeys(("outbox.idempotency_key",), 400),
    "frames.state": 0,
}
_ANY = 20_000
LETTERS = [chr(code) for code in range(0x4E00, 0x9FA0)]


def value_of(table: Table, column: Column[Any]) -> Any:
    """The longest value of a column, of four bytes a character, which no server can compress."""
    if isinstance(column.type, Enum):
        return FrameState.CLAIMED
    if isinstance(column.type, Utc):
        return START
    kind = column.type.python_type
    if kind is str:
        longest = LONGEST.get(f"{table.name}.{column.name}", LONGEST.get(column.name, _ANY))
        return "".join(chr(random.randrange(0x20000, 0x2A6D0)) for _ in range(longest))
    plain: dict[type, Any] = {int: 1, float: 1.0, bool: True, bytes: b"1"}
    return plain.get(kind, {})


def test_each_table_takes_the_longest_texts_and_keeps_what_is_unique(server_place: Server) -> None:
    random.seed(7)
    engine = open_writer(server_place)

    def put(table: Table, row: dict[str, Any]) -> None:
        with engine.begin() as connection:
            # The rows that it refers to are in other tables.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(insert(table).values(row))

    try:
        for table in Base.metadata.sorted_tables:
            row = {column.name: value_of(table, column) for column in table.columns}
            put(table, row)
            unique = any(isinstance(each, ExcludeConstraint) for each in table.constraints)
            if unique or "id" not in row:
                with pytest.raises(IntegrityError, match="constraint"):
                    put(table, {**row, "id": 2} if "id" in row else row)
    finally:
        engine.dispose()


@pytest.fixture
def place(places: Places, tmp_path: Any) -> Place:
    return places.of(tmp_path / "state")


def test_a_file_of_a_very_long_path_is_refused_known_and_tried_again(
    place: Place, clock: FakeClock
) -> None:
    random.seed(7)
    locator = "/data/" + "/".join("".join(random.choices(LETTERS, k=80)) for _ in range(16))
    other = f"{locator}2"
    with closing(open_store(place, clock)) as store:
        for each in (locator, other, locator):
            store.refuse(
                Refusal(source="f", locator=each, fingerprint="1", reason="torn", seen_at=START)
            )
        found = [Mark(locator=each, fingerprint="1") for each in (locator, other)]
        assert store.settled("f", found) == {locator, other}
        asked = store.ask_again(RetrySelection(what=locator), ["f"], "me")
        assert (asked.asked, store.settled("f", found)) == (1, {other})
        (request,) = store.retry_requests("f", 0, 10)
        assert request.locator == locator


def test_tables_of_before_get_the_new_indexes_and_can_go_back(server_place: Server) -> None:
    engine = open_writer(server_place)
    config = alembic_config()

    def step(to: str) -> None:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            (command.downgrade if to == "0010" else command.upgrade)(config, to)

    try:
        before = indexes(server_place)
        step("0010")
        assert not any("hash" in each for each in indexes(server_place))
        step("head")
        assert indexes(server_place) == before
    finally:
        engine.dispose()


def indexes(place: Server) -> list[str]:
    query = (
        f"SELECT indexdef FROM pg_indexes WHERE schemaname = '{place.schema}' ORDER BY indexname"
    )
    return [each for (each,) in read_server(place, query)]
