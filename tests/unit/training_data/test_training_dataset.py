import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.histogram import BINS
from scopewatch_training.dataset.index import index_json, open_dataset
from scopewatch_training.dataset.pairs.record import Pair, group_by_run, refused
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings


def pair(run: str, site: int = 0, *, why: str | None = None) -> Pair:
    return Pair(
        id=f"{run}_{site}", run=run, plate="P1", well="A1", site=site, time_point=0, day=9.5,
        phase="p.tif", fluorescence="f.tif", height=4, width=6, offset_px=(0.5, -1.25),
        refused=why, view=f"views/{run}_{site}.npy", signal=f"signals/{run}_{site}.npy",
        histogram=np.arange(BINS), measures={"focus": 0.5},
    )  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset(
        folder=tmp_path,
        created_at=datetime(2026, 3, 1, tzinfo=UTC).isoformat(),
        um_per_px=0.65,
        marker="NKX2.5-GFP",
        settings=PrepareSettings(marker="NKX2.5-GFP", max_shift_px=12),
        data_sha256="a" * 64,
        simulated=True,
        pairs=(pair("b"), pair("a"), pair("b", 1, why="blurred"), pair("c", why="torn")),
        labels=LabelSettings(area_cutoff=0.5),
        binarise=BinariseSettings(method="control", controls=("b/*",)),
    )
    (tmp_path / "dataset.json").write_text(json.dumps(index_json(made)), encoding="utf-8")
    for name in ("views", "signals"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "views" / "a_0.npy", np.ones((4, 6), dtype=np.float16))
    np.save(tmp_path / "signals" / "a_0.npy", np.full((4, 6), np.nan, dtype=np.float32))
    return made


def test_a_data_set_comes_back_as_it_was_written(dataset: Dataset) -> None:
    again = open_dataset(dataset.folder)
    assert again.settings == dataset.settings
    assert again.labels == dataset.labels
    assert again.binarise == dataset.binarise
    assert (again.marker, again.um_per_px, again.simulated) == ("NKX2.5-GFP", 0.65, True)
    assert [each.to_json() for each in again.pairs] == [each.to_json() for each in dataset.pairs]


def test_refused_pairs_are_kept_apart(dataset: Dataset) -> None:
    assert dataset.runs() == ["b", "a"]
    assert refused(dataset.pairs) == [
        ("b/P1/A1/s1/t0000", "blurred"),
        ("c/P1/A1/s0/t0000", "torn"),
    ]
    assert {run: len(pairs) for run, pairs in group_by_run(dataset.accepted).items()} == {
        "b": 1,
        "a": 1,
    }


def test_arrays_are_mapped_from_disk(dataset: Dataset) -> None:
    (of_a,) = dataset.of_runs(["a"])
    assert dataset.view(of_a).shape == (4, 6)
    assert not dataset.view(of_a).flags.writeable
    assert np.isnan(dataset.signal(of_a)).all()


def test_an_unknown_run_is_named(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match=r"run is not in the data set: .*expected of b, a, got z"):
        dataset.of_runs(["a", "z"])


def test_a_lost_array_is_named(dataset: Dataset) -> None:
    (of_b,) = dataset.of_runs(["b"])
    with pytest.raises(ConfigError, match=r"data set is damaged: .*b_0\.npy.*run prepare again"):
        dataset.view(of_b)


def test_a_folder_without_an_index_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not a prepared data set: .*no such file"):
        open_dataset(tmp_path)


def test_a_data_set_of_another_version_is_refused(dataset: Dataset) -> None:
    path = dataset.folder / "dataset.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**values, "schema_version": 99}), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"another version: .*expected schema_version 1, got 99"):
        open_dataset(dataset.folder)


def test_too_few_runs_are_refused_with_the_folder(dataset: Dataset) -> None:
    dataset.require_runs(2)
    with pytest.raises(ConfigError, match="too few runs to hold one out"):
        dataset.require_runs(3)
