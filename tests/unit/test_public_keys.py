"""Names of fields that other programs read: `status --json`, exports, `score`, `explain --json`."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scopewatch.app.explain.survey import survey_ndtiff
from scopewatch.app.explain.text import as_json
from scopewatch.app.oneshot.frame_scoring import FrameScoring
from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.lines import Screening
from scopewatch.app.oneshot.scoring import Scoring
from scopewatch.cli.main import run
from scopewatch.config import NDTiffSourceConfig, RunConfig
from scopewatch.core.tickets import Refusal
from scopewatch.store.archive.first_places import FirstPlaces
from scopewatch.store.export.tables import export_json
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import make_frame, make_result, make_ticket
from tests.unit.sources.ndtiffs import write_data_set
from tests.unit.store.scene import START, Scene, key, open_store

PROMISED = Path(__file__).parent / "public_keys.json"
BUNDLE = Path(__file__).parents[2] / "models" / "simulated-cardiomyocyte"


def names_in(value: object, above: str = "") -> Iterator[str]:
    """Yield the names of the fields of plain values: `wells[].name.plate`."""
    if isinstance(value, dict):
        for name, within in value.items():
            yield f"{above}{name}"
            yield from names_in(within, f"{above}{name}.")
    elif isinstance(value, list):
        for each in value:
            yield from names_in(each, f"{above[:-1]}[].")


def promised(what: str) -> list[str]:
    names: list[str] = json.loads(PROMISED.read_text(encoding="utf-8"))[what]
    return names


@pytest.fixture
def state(tmp_path: Path, clock: FakeClock) -> Path:
    """Results of two wells, one of which is weak, a frame that is blank and a refused file."""
    folder = tmp_path / "state"
    store = open_store(folder, clock, simulated=True, sites_per_well=2, started_at=START)
    scene = Scene(store=store, folder=folder)
    for time_point in range(12):
        for site in range(2):
            scene.score(key("A1", time_point, site), 0.1 + 0.2 * site)
            scene.score(key("A2", time_point, site), 0.6)
    scene.spoil(key("A3"), "it is blank, quite")
    scene.store.refuse(
        Refusal(source="folder", locator="/x", fingerprint="", reason="no well", seen_at=START)
    )
    store.close()
    return folder


def test_the_status_keeps_the_names_of_its_fields(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = state.parent / "config.yaml"
    config.write_text(
        f"experiment: {{name: run 7}}\nmodel: {{bundle: {BUNDLE}}}\n"
        "sources: [{kind: folder, path: in}]\nweb: {enabled: false}\n",
        encoding="utf-8",
    )
    assert run(["status", "--json", "-c", str(config)]) == 0
    status = json.loads(capsys.readouterr().out)
    assert sorted(set(names_in(status))) == promised("status")
    assert status["wells"][0]["name"] == {"experiment": "run 7", "plate": "p1", "well": "A1"}


def test_the_export_keeps_the_names_of_its_fields(state: Path) -> None:
    with closing(Reader.open(state)) as reader:
        export_json(reader, state / "out.json")
    whole = json.loads((state / "out.json").read_text(encoding="utf-8"))
    assert sorted(set(names_in(whole))) == promised("export")
    assert whole["wells"][0]["frames"][0]["key"]["experiment"] == "run 7"
    assert whole["alerts"][0]["subject"] == {"experiment": "run 7", "plate": "p1", "well": "A1"}


def test_a_line_of_score_keeps_the_names_of_its_fields() -> None:
    ticket = make_ticket("a.tif")
    frames = FrameScoring(
        analyse=make_result,
        pictures=None,
        run=RunConfig(name="score"),
        monotonic=FakeClock().monotonic,
    )
    with FirstPlaces() as places:
        scoring = Scoring(frames=frames, screening=Screening("phase", places))
        judged, unread = scoring.run(
            [
                Listed(place="a.tif", key=ticket.key, load=lambda: make_frame(ticket)),
                Unlisted(place="b.tif", reason="file is no TIFF"),
            ]
        )
    assert list(names_in(judged)) == promised("score")
    assert [name for name in judged if name in unread] == list(unread)
    assert (judged["experiment"], unread["experiment"]) == ("run 1", None)


def test_an_explanation_keeps_the_names_of_its_fields(tmp_path: Path) -> None:
    write_data_set(tmp_path)
    source = NDTiffSourceConfig(kind="ndtiff", path=tmp_path)
    found = survey_ndtiff(source, RunConfig(name="HES7"))
    assert found is not None
    plain: dict[str, Any] = as_json(found)
    assert sorted(set(names_in(plain))) == promised("explain")
    case = plain["cases"][0]
    assert (case["values"]["experiment"], case["who"]["experiment"]) == (
        ["HES7"],
        "folder of the data set",
    )
