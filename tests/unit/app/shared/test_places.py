"""Where a daemon records its results: never beside a history of its own."""

from contextlib import closing
from pathlib import Path

import pytest

from scopewatch.app.shared.places import ELSEWHERE, mark_place, place_to_record
from scopewatch.config import Config, StoreConfig
from scopewatch.core.errors import ConfigError
from scopewatch.store.export.moving import move_history
from scopewatch.store.schema.place import DATABASE, Server, name_of
from tests.conftest import FakeClock
from tests.unit.store.scene import open_store


@pytest.fixture
def config(server_place: Server, tmp_path: Path) -> Config:
    return Config.model_validate(
        {
            "experiment": {"name": "run 7"},
            "model": {"bundle": "m"},
            "sources": [{"kind": "folder", "path": str(tmp_path)}],
            "state": {"folder": str(tmp_path / "state")},
            "store": {"url": server_place.url, "daemon": server_place.daemon},
        }
    )


def test_results_are_not_left_behind_in_the_state_folder(
    config: Config, server_place: Server, clock: FakeClock
) -> None:
    assert place_to_record(config, {}) == server_place
    folder = config.state.folder
    open_store(folder, clock).close()
    with pytest.raises(ConfigError) as refused:
        place_to_record(config, {})
    line = str(refused.value)
    assert "the results are in the state folder, and the server has none of this daemon" in line
    assert f"got {folder / DATABASE}" in line
    assert "(scopewatch migrate sqlite postgres), or rename that file for a new history" in line
    assert "\n" not in line
    move_history(folder, server_place, lambda _table, _rows: None)
    assert place_to_record(config, {}) == server_place


def test_a_server_that_has_results_is_gone_on_with_though_a_file_is_there_too(
    config: Config, server_place: Server, clock: FakeClock
) -> None:
    for place in (server_place, config.state.folder):
        with closing(open_store(place, clock)):
            pass
    assert place_to_record(config, {}) == server_place


def test_results_on_a_server_are_not_left_behind_by_a_configuration_that_names_none(
    config: Config, server_place: Server
) -> None:
    folder = config.state.folder
    mark_place(config, server_place)
    alone = config.model_copy(update={"store": StoreConfig()})
    with pytest.raises(ConfigError) as refused:
        place_to_record(alone, {})
    line = str(refused.value)
    assert "results of this daemon are on a server that the configuration does not name" in line
    assert name_of(server_place) in line
    assert f"or delete {folder / ELSEWHERE} to go on with what is in the state folder" in line
    assert "\n" not in line
    assert "postgresql+" not in line, "the address holds a password"
    mark_place(config, folder)
    assert place_to_record(alone, {}) == folder
