"""The pages of a review over HTTP: what they show, what they take, and who is kept out."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from scopewatch_training.dataset.corrections.file import read_corrections
from scopewatch_training.dataset.corrections.record import Decision, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.review.server import make_app
from scopewatch_training.review.session import ReviewSession
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_review.reviewed import AT, FIRST

TOKEN = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data")


class Client:
    """A browser's requests to the pages, below the token."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, path: str) -> httpx.Response:
        return self.send("GET", path)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            base = f"http://127.0.0.1/{TOKEN}/"
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture
def client(folder: Path) -> Client:
    dataset = open_dataset(folder, corrected=False)
    session = ReviewSession(dataset, author="<Mika>", now=lambda: AT)
    return Client(make_app(session, TOKEN))


def post(client: Client, path: str, values: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=values)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_list_names_every_pair_with_what_was_decided(client: Client) -> None:
    post(client, f"pairs/{FIRST}/decision", {"decision": "dropped"})
    post(client, "pairs/run2_A3/tiles", {"row": 0, "col": 1, "label": "dropped"})
    text = client.get("").text
    for run in range(1, 4):
        for well in range(1, 5):
            assert f'<a href="pairs/run{run}_A{well}">run{run}/P1/A{well}/s0/t0020</a>' in text
    assert '<tr class="dropped">' in text
    assert "Pairs accepted: 0; dropped: 1; tiles corrected: 1." in text
    assert "Simulated: these frames are not of real cells." in text
    assert "&lt;Mika&gt;" in text
    assert "<Mika>" not in text


def test_a_pair_is_shown_with_its_neighbours_and_both_pictures(client: Client) -> None:
    text = client.get("pairs/run1_A2").text
    assert 'href="run1_A1" id="before"' in text
    assert 'href="run1_A3" id="after"' in text
    assert "2 of 12" in text
    assert 'id="before"' not in client.get("pairs/run1_A1").text
    assert 'id="after"' not in client.get("pairs/run3_A4").text
    for name in ("phase", "fluorescence"):
        answer = client.get(f"pairs/run1_A2/{name}.png")
        assert answer.headers["content-type"] == "image/png"
        with Image.open(BytesIO(answer.content)) as picture:
            assert picture.size == (128, 128)
            assert np.ptp(np.asarray(picture)) > 100


def test_the_line_on_the_fluorescence_surrounds_what_is_positive(
    client: Client, folder: Path
) -> None:
    dataset = open_dataset(folder)
    signal = np.asarray(dataset.signal(dataset.accepted[0]))
    with Image.open(BytesIO(client.get(f"pairs/{FIRST}/fluorescence.png").content)) as picture:
        red = np.all(np.asarray(picture) == (255, 90, 60), axis=-1)
    assert red.any()
    assert (signal[red] > 100).all()


def test_a_tile_is_corrected_dropped_and_taken_back(client: Client, folder: Path) -> None:
    before = client.get(f"pairs/{FIRST}/tiles").json()
    assert (before["tile_px"], before["height"], before["width"]) == (32, 128, 128)
    assert before["corrected"] == []
    assert before["undoable"] is False
    assert len(before["labels"]) == len(before["percent"]) == 4
    wrong = "negative" if before["labels"][2][3] == 1 else "positive"

    after = post(client, f"pairs/{FIRST}/tiles", {"row": 2, "col": 3, "label": wrong})
    assert after["corrected"] == [{"row": 2, "col": 3, "label": wrong, "author": "<Mika>"}]
    assert after["labels"] == before["labels"], "labels by themselves stay visible"
    dropped = post(client, f"pairs/{FIRST}/tiles", {"row": 2, "col": 3, "label": "dropped"})
    assert [tile["label"] for tile in dropped["corrected"]] == ["dropped"]
    back = post(client, f"pairs/{FIRST}/tiles", {"row": 2, "col": 3, "label": None})
    assert back["corrected"] == []
    found = read_corrections(folder)
    assert found is not None
    assert found.pairs == ()


def test_undo_names_the_pair_that_it_changed(client: Client, folder: Path) -> None:
    post(client, f"pairs/{FIRST}/tiles", {"row": 0, "col": 0, "label": "dropped"})
    state = post(client, "pairs/run2_A3/decision", {"decision": "accepted"})
    assert (state["decision"], state["undoable"]) == ("accepted", True)
    assert post(client, "undo", {}) == {"pair": "run2_A3", "undoable": True}
    assert post(client, "undo", {}) == {"pair": FIRST, "undoable": False}
    assert post(client, "undo", {}) == {"pair": None, "undoable": False}


def test_a_reload_takes_up_what_another_program_wrote(client: Client, folder: Path) -> None:
    other = ReviewSession(open_dataset(folder, corrected=False), author="Noor", now=lambda: AT)
    other.decide(FIRST, Decision.DROPPED)
    answer = client.post(f"pairs/{FIRST}/tiles", json={"row": 0, "col": 0, "label": "dropped"})
    assert answer.status_code == 409
    assert "changed by another program meanwhile" in answer.json()["error"]
    assert client.get(f"pairs/{FIRST}/tiles").json()["decision"] == "dropped"
    post(client, f"pairs/{FIRST}/tiles", {"row": 0, "col": 0, "label": "dropped"})
    found = read_corrections(folder)
    assert found is not None
    assert found.pairs[0].labels == {(0, 0): TileLabel.DROPPED}
    assert found.pairs[0].dropped


@pytest.mark.parametrize("path", ["", "pairs/run1_A1", "pairs/run1_A1/tiles", "static/review.js"])
def test_without_the_token_there_is_no_page(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
    for wrong in ("", "x/", f"{TOKEN[:-1]}/", f"{TOKEN}0/"):
        assert client.get(f"http://127.0.0.1/{wrong}{path}").status_code == 404
    for page in ("docs", "redoc", "openapi.json"):
        assert client.get(f"http://127.0.0.1/{page}").status_code == 404


def test_other_hosts_pages_and_types_are_refused(client: Client, folder: Path) -> None:
    url = f"http://127.0.0.1/{TOKEN}/pairs/{FIRST}/decision"
    change = {"decision": "dropped"}
    foreign = client.post(url, json=change, headers={"host": "evil.example"})
    assert foreign.status_code == 421
    other = client.post(url, json=change, headers={"origin": "http://evil.example"})
    assert other.status_code == 403
    site = client.post(url, json=change, headers={"sec-fetch-site": "cross-site"})
    assert site.status_code == 403
    form = client.post(url, data=change)
    assert form.status_code == 403
    assert read_corrections(folder) is None


def test_pages_load_nothing_from_elsewhere_and_no_script_within(client: Client) -> None:
    for path in ("", f"pairs/{FIRST}"):
        answer = client.get(path)
        assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
        assert "http://" not in answer.text
        assert "https://" not in answer.text
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text


@pytest.mark.parametrize(
    ("path", "values", "status", "line"),
    [
        ("pairs/run1_A1/tiles", {"row": 9, "col": 0, "label": None}, 409,
         "no such tile, or it is cut by the border: run1/P1/A1/s0/t0020 (expected rows 0 to 3,"
         " columns 0 to 3, got row 9, column 0); choose a whole tile"),
        ("pairs/run9/decision", {"decision": None}, 409, "pair is not in the data set"),
        ("pairs/run1_A1/tiles", {"row": 0, "col": 0}, 422,
         "change is not understood: tiles (got label Field required); reload the page"),
        ("pairs/run1_A1/tiles", {"row": -1, "col": 0, "label": None}, 422, "got row Input should"),
        ("pairs/run1_A1/decision", {"decision": "maybe"}, 422, "got decision Input should be"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_made_is_answered_in_one_line(
    client: Client, path: str, values: dict[str, Any], status: int, line: str
) -> None:
    answer = client.post(path, json=values)
    assert answer.status_code == status
    assert line in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_an_unknown_pair_is_answered_in_one_line(client: Client) -> None:
    answer = client.get("pairs/run9")
    assert answer.status_code == 409
    assert answer.text.startswith("pair is not in the data set, or cannot be used")
