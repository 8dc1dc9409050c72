"""Opening the database of a search while others do, too."""

from pathlib import Path

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from scopewatch.core.errors import ConfigError
from scopewatch_training.network.search_storage import PAUSES_S, open_storage


def taken() -> OperationalError:
    return OperationalError("CREATE TABLE studies", {}, Exception("table studies already exists"))


def test_tables_that_another_worker_is_making_are_found_a_moment_later(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'search.db'}"
    paused: list[float] = []

    def connect(at: str) -> optuna.storages.RDBStorage:
        if len(paused) < 2:
            raise taken()
        return optuna.storages.RDBStorage(at)

    storage = open_storage(url, connect=connect, pause=paused.append)

    assert paused == list(PAUSES_S[:2])
    assert storage.get_all_studies() == []


def test_a_database_that_cannot_be_opened_is_one_line() -> None:
    paused: list[float] = []

    def connect(_: str) -> optuna.storages.RDBStorage:
        raise taken()

    with pytest.raises(ConfigError) as refused:
        open_storage("sqlite:///there.db", connect=connect, pause=paused.append)

    assert paused == list(PAUSES_S)
    line = str(refused.value)
    assert line.startswith("search's database cannot be opened: sqlite:///there.db (got ")
    assert "table studies already exists" in line
    assert "\n" not in line
