"""The page of a review in a real browser: by mouse and by keys alone."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from scopewatch_training.dataset.corrections.file import read_corrections
from scopewatch_training.dataset.corrections.record import PairReview, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.review.serve import HOST, listen
from scopewatch_training.review.server import make_app
from scopewatch_training.review.session import ReviewSession
from tests.browser.conftest import browser_log, leave
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_review.reviewed import AT, FIRST

TOKEN = "0123456789abcdef"


class Review:
    """A person at the page of the first pair."""

    def __init__(self, driver: webdriver.Chrome, session: ReviewSession, url: str) -> None:
        self.driver, self.session, self.url = driver, session, url

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def shown(self, name: str) -> str:
        return self.driver.find_element(By.ID, name).text

    def click_tile(self, row: int, col: int) -> None:
        canvas = self.driver.find_element(By.ID, "tiles")
        side = canvas.size["width"] / 4
        across, down = (round((each + 0.5 - 2) * side) for each in (col, row))
        ActionChains(self.driver).move_to_element_with_offset(
            canvas, across, down
        ).click().perform()

    def review(self, pair_id: str = FIRST) -> PairReview | None:
        found = read_corrections(self.session.dataset.folder)
        return None if found is None else found.find(pair_id)

    def labels(self) -> dict[tuple[int, int], TileLabel]:
        found = self.review()
        return {} if found is None else found.labels


@pytest.fixture
def review(chromium: webdriver.Chrome, tmp_path: Path) -> Iterator[Review]:
    folder = write_dataset(tmp_path / "data")
    dataset = open_dataset(folder, corrected=False)
    session = ReviewSession(dataset, author="Mika", now=lambda: AT)
    with listen(0) as bound:
        config = uvicorn.Config(make_app(session, TOKEN), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: server.run(sockets=[bound]), daemon=True)
        thread.start()
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        browser_log(chromium)
        yield Review(chromium, session, f"http://{HOST}:{bound.getsockname()[1]}/{TOKEN}/")
        leave(chromium)
        server.should_exit = True
        thread.join(5)


Shortly = Callable[[Callable[[], object]], None]


def test_a_tile_is_turned_by_clicks_and_undone(review: Review, shortly: Shortly) -> None:
    review.open(f"pairs/{FIRST}")
    shortly(lambda: review.shown("tile").startswith("Row 0, column 0: "))
    own = review.session.tiles(review.session.find(FIRST)).labels[2, 3]
    other = TileLabel.NEGATIVE if own == 1 else TileLabel.POSITIVE

    review.click_tile(2, 3)
    shortly(lambda: review.labels() == {(2, 3): other})
    shortly(lambda: f"{other}, corrected by Mika" in review.shown("tile"))
    review.click_tile(2, 3)
    shortly(lambda: review.labels() == {(2, 3): TileLabel.DROPPED})
    review.click_tile(2, 3)
    shortly(lambda: review.labels() == {})
    review.driver.find_element(By.ID, "undo").click()
    shortly(lambda: review.labels() == {(2, 3): TileLabel.DROPPED})
    shortly(lambda: "dropped, corrected by Mika" in review.shown("tile"))
    assert browser_log(review.driver) == []


def test_a_pair_is_reviewed_by_keys_alone(review: Review, shortly: Shortly) -> None:
    review.open("")
    review.driver.find_element(By.LINK_TEXT, "run1/P1/A1/s0/t0020").send_keys(Keys.ENTER)
    shortly(lambda: review.shown("tile").startswith("Row 0, column 0: "))
    review.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, "d")
    shortly(lambda: review.labels() == {(1, 2): TileLabel.DROPPED})
    line = "Row 1, column 2: dropped, corrected by Mika; by itself"
    shortly(lambda: review.shown("tile").startswith(line))
    review.press("a")
    shortly(lambda: review.shown("decision") == ": accepted")
    review.press("j")
    shortly(lambda: review.driver.current_url.endswith("pairs/run1_A2"))
    shortly(lambda: review.shown("tile").startswith("Row 0, column 0: "))
    review.press("x")
    shortly(lambda: review.shown("decision") == ": dropped")
    dropped = review.review("run1_A2")
    assert dropped is not None
    assert dropped.dropped
    review.press("u")
    shortly(lambda: review.shown("decision") == "")
    # The change before it was made on the first pair: undo goes there.
    review.press("u")
    shortly(lambda: review.driver.current_url.endswith(f"pairs/{FIRST}"))
    shortly(lambda: review.shown("decision") == "" and "1 corrected" in review.shown("tile"))
    assert browser_log(review.driver) == []


def test_what_could_not_be_kept_is_reported_and_not_shown(review: Review, shortly: Shortly) -> None:
    review.open(f"pairs/{FIRST}")
    shortly(lambda: review.shown("tile").startswith("Row 0, column 0: "))
    other = ReviewSession(review.session.dataset, author="Noor", now=lambda: AT)
    other.correct(FIRST, 3, 3, TileLabel.DROPPED)
    review.press("d")
    shortly(lambda: "changed by another program meanwhile" in review.shown("problem"))
    assert "0 corrected in this pair" in review.shown("tile")
    assert review.labels() == {(3, 3): TileLabel.DROPPED}
    review.driver.refresh()
    shortly(lambda: "1 corrected in this pair" in review.shown("tile"))
    review.press("d")
    shortly(lambda: set(review.labels()) == {(0, 0), (3, 3)})
