"""A Micro-Manager that outlives the daemon: its last images are waited for."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import SourceError
from scopewatch.sources.micromanager.acquired import survey_again
from scopewatch.sources.micromanager.left_running import expect_rest
from tests.unit.sources.ndtiffs import write_data_set, writing
from tests.unit.sources.time_lapse_scene import RUN, settings

WRITTEN_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def expect(folder: Path, after_s: float, **changes: Any) -> None:
    config = settings(folder, **{"backend": "java", **changes})
    growing = survey_again(config, RUN).growing
    for each in (folder / "HES_7_1").iterdir():
        os.utime(each, (WRITTEN_AT.timestamp(), WRITTEN_AT.timestamp()))
    expect_rest(config, growing, WRITTEN_AT + timedelta(seconds=after_s))


def test_a_data_set_that_was_just_written_to_is_waited_for(tmp_path: Path) -> None:
    with writing(tmp_path, name="HES_7") as writer:
        writer.add(0)
        with pytest.raises(SourceError, match=r"may still take images .* that rests for"):
            expect(tmp_path, 5)
        expect(tmp_path, 60)


def test_a_data_set_that_was_closed_is_not_waited_for(tmp_path: Path) -> None:
    write_data_set(tmp_path, name="HES_7")
    expect(tmp_path, 5)


def test_a_core_of_this_process_ends_with_it(tmp_path: Path) -> None:
    with writing(tmp_path, name="HES_7") as writer:
        writer.add(0)
        expect(tmp_path, 5, backend="python")
