"""Frames that do not state their pixel size, under a model that expects one."""

from dataclasses import replace

import pytest

from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS, shot, well_row
from tests.unit.web.page_scene import A2, PAGES, words_of

JA = {"accept-language": "ja"}
LINE = (
    "Scale unchecked: the newest frame states no pixel size; the model expects 0.65 µm/px."
    " Set um_per_px of the source."
)

CASES = {
    "the model expects one, the frame states none": (0.65, False, True, False),
    "the model expects one, the frame states it": (0.65, True, False, True),
    "any will do for the model": (None, False, False, False),
    "there is no frame yet": (0.65, None, False, None),
}


@pytest.mark.parametrize(
    ("expected", "stated", "is_shown", "checked"), CASES.values(), ids=CASES.keys()
)
def test_an_unchecked_scale_is_one_calm_line_on_every_page_and_in_the_status(
    dashboard: Dashboard,
    expected: float | None,
    stated: bool | None,
    is_shown: bool,
    checked: bool | None,
) -> None:
    dashboard.reader.rows = [well_row("A1"), well_row("A2")]
    dashboard.reader.scale_stated = stated
    dashboard.build(replace(FACTS, um_per_px=expected))
    for page in PAGES:
        text = words_of(dashboard.get(page).text)
        assert text.count(LINE) == is_shown
        assert text.count('class="state calm" data-cause="scale"') == is_shown
        assert ("スケール未確認:最新" in dashboard.get(page, JA).text) == is_shown
    # The plate is as clear as it would be with a scale, and nothing else is raised.
    assert "No well is flagged." in dashboard.get("/").text
    assert dashboard.get("/api/status.json").json()["scale_checked"] is checked


@pytest.mark.parametrize(("stated", "is_shown"), [(None, True), (0.65, False)])
def test_the_newest_frame_of_a_well_is_marked(
    dashboard: Dashboard, stated: float | None, is_shown: bool
) -> None:
    dashboard.reader.rows = [well_row("A2")]
    dashboard.reader.pictures = [replace(shot("a.png"), pixel_size_um=stated)]
    dashboard.build(replace(FACTS, um_per_px=0.65))
    assert ("· scale unchecked</figcaption>" in dashboard.get(A2).text) == is_shown
    assert ("· スケール未確認</figcaption>" in dashboard.get(A2, JA).text) == is_shown
