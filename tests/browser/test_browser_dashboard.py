"""The dashboard in a browser: visible, readable, usable and kept up to date."""

from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By

from scopewatch.store.read.records.runs_and_wells import CoursePoint, WellRow
from tests.browser.conftest import Page
from tests.unit.web.fakes import NOW, alert_row, flag, refused_row, seen, shot, well_row

Shortly = Callable[[Callable[[], object]], None]

A2 = "/wells/HES-NKX2.5%20run%204/P1/A2"

# Contrast ratio (WCAG 2) of every text on the page against its background.
CONTRASTS = """
const light = (c) => {
  const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map((v) => {
    v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (!/^rgba.*, 0\\)$/.test(colour)) return colour;
  }
  return "rgb(255, 255, 255)";
};
const found = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.closest("svg, script, noscript") || !e.getClientRects().length) continue;
  const pair = [light(getComputedStyle(e).color), light(behind(e))].sort((a, b) => b - a);
  found.push([(pair[0] + 0.05) / (pair[1] + 0.05), e.className + ": " + e.textContent.trim()]);
}
return found;
"""


def full_plate() -> list[WellRow]:
    """Return 96 wells in all states of display."""
    values = cycle([0.1, 0.3, 0.45, 0.55, 0.65, 0.95, None])
    looks: list[dict[str, object]] = [
        {},
        {"flags": (flag(),)},
        {"flags": (flag(acknowledged_at=NOW),)},
        {"last_frame_at": NOW - timedelta(hours=40)},
        {"flags": (flag(),), "last_frame_at": NOW - timedelta(hours=40)},
    ]
    look = cycle(looks)
    wells = [f"{letter}{column}" for letter in "ABCDEFGH" for column in range(1, 13)]
    return [well_row(well, next(values), **next(look)) for well in wells[:-3]]


def fill(page: Page, folder: Path) -> None:
    page.reader.rows = full_plate()
    page.reader.points = [
        CoursePoint(time_point=i, day=i / 2, efficiency=seen(0.03 * i), sites=2) for i in range(14)
    ]
    page.reader.raised = [alert_row()]
    page.reader.quarantine = [refused_row()]
    page.reader.pictures = [shot(f"t{i}.png", i) for i in range(9, 0, -1)]
    for picture in page.reader.pictures:
        grey = np.full((512, 512), 20 * picture.time_point, dtype=np.uint8)
        Image.fromarray(grey).save(folder / picture.overlay)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/", A2, "/alerts", "/quarantine", "/nothing"])
def test_every_text_can_be_read(page: Page, tmp_path: Path, path: str, dark: bool) -> None:
    fill(page, tmp_path)
    page.open(path, dark=dark)
    name = path.rsplit("/", 1)[1] or "plate"
    page.photograph(f"{name}-{'dark' if dark else 'light'}")
    found = page.js(CONTRASTS)
    assert isinstance(found, list)
    assert len(found) > 2
    assert [line for ratio, line in found if ratio < 4.5] == []


@pytest.mark.parametrize("path", ["/", A2, "/alerts", "/quarantine"])
def test_nothing_is_loaded_from_elsewhere_and_nothing_fails(
    page: Page, tmp_path: Path, shortly: Shortly, path: str
) -> None:
    fill(page, tmp_path)
    page.open(path)
    shortly(lambda: any(address.endswith("/static/style.css") for address in page.loaded()))
    assert page.server is not None
    assert [name for name in page.loaded() if not name.startswith(page.server.url)] == []
    assert page.complaints() == []


@pytest.mark.parametrize("path", ["/", A2, "/alerts", "/quarantine"])
def test_a_phone_needs_no_sideways_scrolling_of_the_page(
    page: Page, tmp_path: Path, path: str
) -> None:
    fill(page, tmp_path)
    page.open(path, width=390)
    page.photograph((path.rsplit("/", 1)[1] or "plate") + "-phone")
    assert page.js("return document.documentElement.scrollWidth") == 390


def test_what_a_cell_says_fits_into_it(page: Page, tmp_path: Path) -> None:
    fill(page, tmp_path)
    page.open("/")
    outside = page.js(
        """return [...document.querySelectorAll("a.well")].filter((cell) => {
          const box = cell.getBoundingClientRect();
          return [...cell.children].some((part) => {
            const inner = part.getBoundingClientRect();
            return inner.left < box.left || inner.right > box.right
              || inner.top < box.top || inner.bottom > box.bottom; });
        }).map((cell) => cell.innerText)"""
    )
    assert outside == []


def test_a_flagged_well_differs_without_colour(page: Page, tmp_path: Path) -> None:
    fill(page, tmp_path)
    page.open("/")
    cells = page.driver.find_elements(By.CSS_SELECTOR, "a.well")
    calm, flagged = cells[0], cells[1]
    assert "WEAK" in flagged.text
    assert "WEAK" not in calm.text
    widths = [cell.value_of_css_property("border-top-width") for cell in (calm, flagged)]
    assert widths == ["1px", "4px"]


def test_the_page_takes_up_what_is_new_without_being_loaded_again(
    page: Page, shortly: Shortly
) -> None:
    page.reader.rows = [well_row("A1", 0.62)]
    page.open("/")
    page.js("window.same = true; document.querySelector('a.well').focus()")
    page.reader.rows = [well_row("A1", 0.31, flags=(flag(),)), well_row("A2", 0.7)]
    page.refresh()
    shortly(lambda: "1 well is flagged: A1" in page.text())
    assert page.js("return window.same")
    assert page.js("return document.title").__str__().startswith("(1)")
    focused = str(page.js("return document.activeElement.getAttribute('href')"))
    assert focused.endswith("/P1/A1")


def test_an_opened_table_stays_open_when_the_page_is_refreshed(
    page: Page, tmp_path: Path, shortly: Shortly
) -> None:
    fill(page, tmp_path)
    page.open(A2)
    page.driver.find_element(By.TAG_NAME, "summary").click()
    page.js("document.activeElement.blur()")
    page.reader.points = [
        *page.reader.points,
        CoursePoint(time_point=14, day=7, efficiency=seen(0.77), sites=2),
    ]
    page.refresh()
    shortly(lambda: page.js("return document.querySelectorAll('circle.dot').length") == 15)
    assert page.js("return document.querySelector('details').open") is True


def test_a_daemon_that_no_longer_answers_is_shown_prominently(page: Page, shortly: Shortly) -> None:
    page.reader.rows = [well_row("A1", 0.62)]
    page.open("/")
    assert "has not answered" not in page.text()
    assert page.server is not None
    page.server.stop()
    page.refresh()
    shortly(lambda: "scopewatch has not answered since" in page.text())
    assert "62" in page.text()
    page.photograph("lost")


def test_a_database_failure_is_shown_and_cleared_when_it_is_back(
    page: Page, shortly: Shortly
) -> None:
    page.open("/")
    page.reader.broken = "database is locked: scopewatch.db; wait"
    page.refresh()
    shortly(lambda: "answer 503" in page.text())
    page.reader.broken = ""
    page.refresh()
    shortly(lambda: "has not answered" not in page.text())


def test_an_alert_is_acknowledged_and_snoozed_by_its_buttons(page: Page, shortly: Shortly) -> None:
    page.reader.raised = [alert_row()]
    page.open("/alerts")
    page.driver.find_element(By.XPATH, "//button[text()='Acknowledge']").click()
    shortly(lambda: page.alerts.acknowledged == [(1, NOW)])
    page.driver.find_element(By.XPATH, "//button[text()='Snooze 24 h']").click()
    shortly(lambda: page.alerts.snoozed == [(1, NOW + timedelta(hours=24))])
    assert page.complaints() == []


def test_a_form_of_another_origin_does_not_reach_the_alerts(
    page: Page, tmp_path: Path, shortly: Shortly
) -> None:
    assert page.server is not None
    evil = tmp_path / "evil.html"
    evil.write_text(
        f'<form method="post" action="{page.server.url}alerts/1/acknowledge">'
        '<input name="token" value="a token of this process"><button>win</button></form>'
    )
    page.driver.get(evil.as_uri())
    page.driver.find_element(By.TAG_NAME, "button").click()
    shortly(lambda: "the form comes from another page" in page.text())
    assert page.alerts.acknowledged == []
