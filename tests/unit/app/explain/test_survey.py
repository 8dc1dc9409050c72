"""A folder is surveyed as its source would read it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.app.explain import survey as module
from scopewatch.app.explain.survey import survey_folder, survey_ndtiff
from scopewatch.config import FolderSourceConfig, NDTiffSourceConfig, RunConfig
from tests.unit.sources.ndtiffs import write_data_set

RUN = RunConfig(name="HES7")


def source(path: Path, **settings: object) -> FolderSourceConfig:
    return FolderSourceConfig.model_validate({"kind": "folder", "path": path} | settings)


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, np.full((24, 32), 7, np.uint16))


def test_every_file_of_a_small_folder_is_opened(tmp_path: Path) -> None:
    for point in range(3):
        write(tmp_path / f"run/P1_A1_s0_t000{point}_phase.tif")
    (tmp_path / "P1_A2_s0_t0000_phase.tif").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    explanation = survey_folder(source(tmp_path), RUN)
    assert (explanation.listed, explanation.opened, explanation.frames) == (4, 4, 3)
    (skipped,) = explanation.skipped
    assert skipped.reason.startswith("image file is empty")


def test_of_many_files_a_sample_of_each_folder_is_opened_and_all_names_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMED", 20)
    for well in ("A1", "A2"):
        for point in range(30):
            write(tmp_path / well / f"P1_{well}_s0_t{point:04d}_phase.tif")
    write(tmp_path / "again/P1_A2_s0_t0029_phase.tif")
    explanation = survey_folder(source(tmp_path), RUN, most_opened=6)
    assert (explanation.listed, explanation.named) == (61, explanation.frames)
    assert 13 <= explanation.named <= 20
    assert 6 <= explanation.opened <= 8
    assert {well for case in explanation.cases for well in case.values["well"]} == {"A1", "A2"}
    (double,) = explanation.doubles
    assert set(double.places) == {
        "A2/P1_A2_s0_t0029_phase.tif",
        "again/P1_A2_s0_t0029_phase.tif",
    }


def test_data_sets_below_a_folder_are_explained_together(tmp_path: Path) -> None:
    write_data_set(tmp_path)
    write_data_set(tmp_path / "later", name="other")
    explanation = survey_ndtiff(NDTiffSourceConfig(kind="ndtiff", path=tmp_path), RUN)
    assert explanation is not None
    runs = {run for case in explanation.cases for run in case.values["run"]}
    assert len(runs) == 2
    assert explanation.frames == explanation.listed > 0


def test_a_folder_without_data_sets_has_none_to_explain(tmp_path: Path) -> None:
    assert survey_ndtiff(NDTiffSourceConfig(kind="ndtiff", path=tmp_path), RUN) is None
