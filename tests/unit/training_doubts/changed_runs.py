"""Three prepared runs of made-up cells, of which the last is changed as a lab might."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from scopewatch_training.dataset.manifest import read_manifest
from scopewatch_training.dataset.prepare import prepare
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import PrepareSettings
from tests.unit.training_data.pair_files import Field, make_field, write_field, write_manifest

Change = Callable[[Field, int], Field]


def prepare_runs(
    folder: Path, change: Change, settings: PrepareSettings | None = None, *, wells: int = 2
) -> Dataset:
    """Prepare three runs of some wells each; the last run is changed."""
    rows = []
    for index, run in enumerate(("r1", "r2", "r3")):
        for site in range(wells):
            field = make_field(100 * index + site)
            rows.append(
                write_field(folder, run, site, change(field, site) if index == 2 else field)
            )
    return prepare(
        read_manifest(write_manifest(folder / "pairs.csv", rows)),
        folder / "out",
        settings or PrepareSettings(),
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )
