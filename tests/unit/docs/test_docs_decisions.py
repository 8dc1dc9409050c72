"""Architecture decisions are dated and listed, and every link between documents leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DECISIONS = sorted((ROOT / "docs/adr").glob("0*.md"))
INDEX = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("examples/*.md")]
)


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.name[:4])
def test_a_decision_has_its_number_a_date_and_its_title_in_the_index(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    title = re.match(r"# (\d+)\. (.+)\n", text)
    assert title is not None
    assert int(title[1]) == int(decision.name[:4])
    assert re.search(r"^Status: [a-z]+, 20\d\d-\d\d-\d\d\b", text, re.MULTILINE)
    assert f"| [{decision.name[:4]}]({decision.name}) | {title[2]} |" in INDEX


def test_there_are_decisions_and_the_index_lists_no_other() -> None:
    assert len(DECISIONS) >= 46
    listed = re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", INDEX, re.MULTILINE)
    assert listed == [decision.name for decision in DECISIONS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
