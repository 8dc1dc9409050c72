"""Findings of axe on the pages, and the pages on a phone: all visible, targets large enough.

SCOPEWATCH_AXE names the file `axe.min.js` of axe-core: `make .axe/.ready` downloads it.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.acquisition.orders import Act
from scopewatch.core.alerts.rules import RuleKind, Severity
from tests.browser.conftest import Page
from tests.browser.test_browser_dashboard import A2, fill
from tests.unit.web.acquisition_scene import AWAY, STANDING, entry
from tests.unit.web.fakes import NOW, alert_row, flag, outlook, refused_row, well_row

PATHS = ["/", A2, "/alerts", "/quarantine", "/acquisition", "/nothing"]
GRAVE = {"critical", "serious", "moderate"}

# Targets that are too small for a finger, except links within a sentence (WCAG 2.5.8).
SMALL = """
const inSentence = (link) => getComputedStyle(link).display === "inline";
return [...document.querySelectorAll("a, button, summary, input, select")].filter((each) => {
  if (!each.getClientRects().length || each.matches(".skip, [type=hidden]")) return false;
  const box = each.getBoundingClientRect();
  return (box.width < 24 || box.height < 24) && !(each.tagName === "A" && inSentence(each));
}).map((each) => each.outerHTML.slice(0, 120));
"""

# Texts of headings in which a word is broken at the end of a line.
BROKEN = """
return [...document.querySelectorAll("h1, h2, h3, .state p")].flatMap((heading) => {
  const walker = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const found of node.textContent.matchAll(/[A-Za-z0-9.]+/g)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (tops.size > 1) broken.push(found[0]);
    }
  }
  return broken;
});
"""


def everything(page: Page, folder: Path) -> None:
    """Give the pages a standing alert of each look, and a quarantine of several reasons."""
    fill(page, folder)
    page.reader.rows[1] = well_row(
        "A2",
        0.2,
        outlook=outlook(),
        flags=(
            flag(),
            flag(2, kind=RuleKind.WEAK_FORECAST, severity=Severity.CRITICAL, probability=0.97),
        ),
    )
    page.reader.raised = [
        alert_row(),
        alert_row(2, "A3", acknowledged_at=NOW),
        alert_row(3, "A4", resolved_at=NOW),
    ]
    page.acquisitions = (replace(STANDING, held=AWAY),)
    page.reader.entries = [entry(Act.MEDIUM), entry(Act.NOW, done=False), entry(done=None)]
    page.reader.quarantine = [refused_row()] * 5 + [refused_row("duplicate", well=None)]


def axe(page: Page) -> list[str]:
    """Return the findings of axe that are not minor."""
    name = os.environ.get("SCOPEWATCH_AXE")
    if not name:
        pytest.skip("SCOPEWATCH_AXE names no axe.min.js: make .axe/.ready downloads it")
    # The pages' policy allows no foreign script: the debugger inserts it.
    page.driver.execute_cdp_cmd(
        "Runtime.evaluate", {"expression": Path(name).read_text(encoding="utf-8")}
    )
    options = '{rules: {"label-content-name-mismatch": {enabled: true}}}'
    found: dict[str, Any] = page.driver.execute_async_script(
        f"const done = arguments[0]; axe.run(document, {options}).then(done, (e) => done("
        "{passes: Array(16), violations: [{impact: 'critical', id: String(e), nodes: []}]}))"
    )
    assert len(found["passes"]) > 15, "axe checked hardly anything"
    return [
        f"{each['impact']} {each['id']}: {[node['html'][:160] for node in each['nodes']][:4]}"
        for each in found["violations"]
        if each["impact"] in GRAVE
    ]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious_or_moderate(
    page: Page, tmp_path: Path, path: str, width: int
) -> None:
    everything(page, tmp_path)
    for dark in (False, True):
        page.open(path, width=width, dark=dark)
        assert axe(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_on_japanese_pages(page: Page, tmp_path: Path, path: str) -> None:
    everything(page, tmp_path)
    page.open("/language/ja?to=" + path.replace("%", "%25"))
    assert page.js("return document.documentElement.lang") == "ja"
    assert axe(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_buttons_are_large_enough_for_a_finger(page: Page, tmp_path: Path, path: str) -> None:
    everything(page, tmp_path)
    page.open(path, width=390)
    assert page.js(SMALL) == []


@pytest.mark.parametrize("path", PATHS)
def test_no_heading_breaks_within_a_word_on_a_phone(page: Page, tmp_path: Path, path: str) -> None:
    everything(page, tmp_path)
    page.open(path, width=390)
    assert page.js(BROKEN) == []


def test_a_phone_shows_all_columns_of_96_wells_and_the_forecast(page: Page, tmp_path: Path) -> None:
    everything(page, tmp_path)
    page.open("/", width=390)
    script = "return document.querySelector('.plate td:last-child a').getBoundingClientRect().right"
    assert 0 < float(str(page.js(script))) <= 390
    page.open(A2, width=390)
    ahead = "return document.querySelector('.ahead path').getBoundingClientRect()"
    assert 0 < float(str(page.js(ahead + ".right"))) <= 390
    ticks = """return [...document.querySelectorAll(".chart text")].filter((text) => {
      const box = text.getBoundingClientRect();
      return box.width && (box.left < 0 || box.right > 390 || box.height < 9); }).length"""
    assert page.js(ticks) == 0
