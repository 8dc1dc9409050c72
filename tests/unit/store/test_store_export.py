import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.overlay import stain_plane
from scopewatch.core.tickets import Refusal
from scopewatch.core.z_stack import ChosenPlane
from scopewatch.store.export.ome_zarr import export_ome_zarr
from scopewatch.store.export.tables import COLUMNS, export_csv, export_json
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.store.scene import START, Scene, files_of, frame_of, judged, key, open_store, ticket


@pytest.fixture
def reader(tmp_path: Path, clock: FakeClock) -> Any:
    store = open_store(tmp_path / "state", clock, simulated=True, sites_per_well=2)
    scene = Scene(store=store, folder=tmp_path / "state")
    for time_point in range(3):
        for site in range(2):
            scene.score(key("A1", time_point, site), 0.1 + 0.2 * site)
    scene.spoil(key("A2"), "it is blank, quite")
    scene.store.refuse(
        Refusal(source="folder", locator="/x", fingerprint="", reason="no well", seen_at=START)
    )
    opened = Reader.open(tmp_path / "state")
    yield opened
    opened.close()
    store.close()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_line_for_each_frame_with_its_wells_efficiency(
    reader: Reader, tmp_path: Path
) -> None:
    assert export_csv(reader, tmp_path / "out.csv") == 7
    lines = read_csv(tmp_path / "out.csv")
    assert len(lines) == 7
    assert tuple(lines[0]) == COLUMNS
    second, spoilt = lines[1], lines[-1]
    assert (second["well"], second["site"], second["time_point"]) == ("A1", "1", "0")
    assert float(second["positive_fraction"]) == pytest.approx(0.3)
    assert float(second["efficiency"]) == pytest.approx(1 / 3)
    assert float(second["well_efficiency"]) == pytest.approx((0.05 / 0.75 + 1 / 3) / 2)
    assert (second["well_sites"], second["simulated"]) == ("2", "True")
    assert (spoilt["state"], spoilt["reason"]) == ("quarantined", "it is blank, quite")
    assert spoilt["efficiency"] == spoilt["well_efficiency"] == ""


def test_csv_holds_the_estimate_and_the_forecast_of_each_well(
    tmp_path: Path, clock: FakeClock
) -> None:
    scene = Scene(store=open_store(tmp_path, clock, started_at=START), folder=tmp_path)
    for time_point in (9, 10):
        scene.score(key(time_point=time_point), 0.3)
    reader = Reader.open(tmp_path)
    export_csv(reader, tmp_path / "out.csv")
    reader.close()
    scene.store.close()
    early, later = read_csv(tmp_path / "out.csv")
    assert (early["forecast"], early["no_forecast"]) == ("", "too-early")
    assert later["no_forecast"] == ""
    assert float(later["well_now"]) == pytest.approx(1 / 3)
    assert float(later["forecast"]) == pytest.approx(1 / 3)
    assert float(later["forecast_high"]) == pytest.approx(1 / 3 + 0.1)
    assert later["forecast_day"] == "10.0"


def test_csv_names_the_plane_of_a_stack_that_was_scored(tmp_path: Path, clock: FakeClock) -> None:
    store = open_store(tmp_path / "state", clock)
    scene = Scene(store=store, folder=tmp_path / "state")
    scene.score(key("A1", 0), 0.1)
    of_stack = ticket(key("A1", 1))
    assert store.claim(of_stack)
    plain = judged(of_stack.key, 0.2)
    choice = ChosenPlane(z=-1, scores={-2: 0.1, -1: 0.7, 0: 0.2})
    verdict = replace(plain.verdict, measures=plain.verdict.measures | choice.measures())
    result = replace(plain, verdict=verdict)
    store.commit(of_stack, frame_of(of_stack.key), result, files_of(of_stack.key))
    reader = Reader.open(tmp_path / "state")
    export_csv(reader, tmp_path / "out.csv")
    lines = read_csv(tmp_path / "out.csv")
    assert [(line["z"], line["z_planes"]) for line in lines] == [("", ""), ("-1", "3")]
    reader.close()
    store.close()


def test_csv_of_an_empty_database_has_its_header(tmp_path: Path, clock: FakeClock) -> None:
    open_store(tmp_path, clock).close()
    reader = Reader.open(tmp_path)
    assert export_csv(reader, tmp_path / "out.csv") == 0
    reader.close()
    assert (tmp_path / "out.csv").read_text().split(",")[:2] == ["experiment", "simulated"]


def test_json_holds_wells_alerts_and_refusals(reader: Reader, tmp_path: Path) -> None:
    assert export_json(reader, tmp_path / "out.json") == 7
    whole = json.loads((tmp_path / "out.json").read_text())
    assert whole["schema_version"] == 1
    assert [(run["name"], run["simulated"]) for run in whole["runs"]] == [("run 7", True)]
    first, second = whole["wells"]
    assert (first["well"], len(first["frames"]), len(first["course"])) == ("A1", 6, 3)
    assert first["course"][2]["day"] == 1.0
    assert first["frames"][0]["acquired_at"] == "2026-03-01T09:00:00+00:00"
    assert first["frames"][0]["key"]["plate"] == "p1"
    assert second["frames"][0]["fault"] == "blank"
    assert [alert["rule"] for alert in whole["alerts"]] == ["weak"]
    assert [row["what"] for row in whole["refused"]] == ["/x"]


def test_ome_zarr_holds_a_time_series_of_stains_for_each_field(
    reader: Reader, tmp_path: Path
) -> None:
    zarr = pytest.importorskip("zarr", reason="needs the zarr extra")
    assert export_ome_zarr(reader, tmp_path / "out.zarr") == 2
    root = zarr.open_group(tmp_path / "out.zarr", mode="r")
    image = root["1"]
    planes = image["0"]
    scores = judged(key("A1"), 0.3).scores
    assert scores is not None
    assert planes.shape == (3, 48, 40)
    np.testing.assert_allclose(planes[2].astype(int), stain_plane(scores).astype(int), atol=1)
    described = image.attrs["ome"]["multiscales"][0]
    assert image.attrs["ome"]["version"] == "0.5"
    assert described["name"] == "SIMULATED virtual stain of run 7/p1/A1/s1"
    assert described["axes"] == [
        {"name": "t", "type": "time", "unit": "day"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    (scale, move) = described["datasets"][0]["coordinateTransformations"]
    assert (scale["scale"], move["translation"]) == ([0.5, 1.3, 1.3], [0.0, 0.0, 0.0])
    assert image.attrs["scopewatch"]["days"] == [0.0, 0.5, 1.0]
    assert image.attrs["scopewatch"]["simulated"] is True


def test_the_collection_and_each_image_are_valid_ome_zarr(reader: Reader, tmp_path: Path) -> None:
    yaozarrs = pytest.importorskip("yaozarrs", reason="needs the packages of the tests")
    path = tmp_path / "out.zarr"
    done: list[int] = []
    assert export_ome_zarr(reader, path, done.append) == 2
    assert done[-1] == 6
    yaozarrs.validate_zarr_store(str(path))
    series = json.loads((path / "OME/zarr.json").read_text())["attributes"]["ome"]["series"]
    assert series == ["0", "1"]
    for name in series:
        yaozarrs.validate_zarr_store(str(path / name))


@pytest.mark.skipif(
    "SCOPEWATCH_NAPARI_PYTHON" not in os.environ,
    reason="SCOPEWATCH_NAPARI_PYTHON names no Python with napari (make .venv-napari/.ready)",
)
def test_napari_opens_the_export_with_all_its_images(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "out.zarr"
    export_ome_zarr(reader, path)
    code = (
        "import sys\n"
        "from napari_ome_zarr import napari_get_reader\n"
        "layers = napari_get_reader(sys.argv[1])(sys.argv[1])\n"
        "print([tuple(layer[0][0].shape) for layer in layers])\n"
    )
    done = subprocess.run(
        [os.environ["SCOPEWATCH_NAPARI_PYTHON"], "-W", "ignore", "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.splitlines()[-1:] == ["[(3, 48, 40), (3, 48, 40)]"], done.stderr


def test_ome_zarr_overwrites_nothing(reader: Reader, tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="needs the zarr extra")
    (tmp_path / "out.zarr").mkdir()
    with pytest.raises(StoreError, match=r"export is there already: .*out\.zarr; remove it"):
        export_ome_zarr(reader, tmp_path / "out.zarr")


def test_without_zarr_the_operator_hears_what_to_install(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(StoreError, match=r"OME-Zarr cannot be written.*pip install"):
        export_ome_zarr(reader, tmp_path / "out.zarr")
    assert not (tmp_path / "out.zarr").exists()


def test_a_folder_that_is_not_there_is_reported(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"file cannot be written: .*No such file or directory"):
        export_csv(reader, tmp_path / "none" / "out.csv")
