"""docs/events.md names what the program writes into its log and quarantine: all, and no more."""

import re

import pytest

from scopewatch.core.faults import Fault
from scopewatch.runtime.process.former_events import FORMER_EVENTS
from tests.unit.docs import written_events as written

PAGE = (written.ROOT / "docs/events.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`+)(?P<name>.+?) ?\1 \| (?P<rest>.+) \|$", re.MULTILINE)
EVENTS = PAGE.split("\n## Start and end")[1].split("\n## Faults of")[0]
FAULTS = PAGE.split("\n## Faults of the quarantine")[1].split("\n## Reasons of")[0]
REASONS = PAGE.split("\n## Reasons of the quarantine")[1]


def rows(section: str) -> list[tuple[str, list[str]]]:
    return [(row["name"], row["rest"].split(" | ")) for row in ROW.finditer(section)]


def test_every_event_of_the_log_is_documented_with_its_level_and_none_that_is_gone() -> None:
    documented = [(name, cells[0]) for name, cells in rows(EVENTS)]
    assert len(documented) == len(set(documented))
    assert sorted(written.events() - set(documented)) == [], "missing in docs/events.md"
    assert sorted(set(documented) - written.events()) == [], "documented, but not written any more"


def test_every_event_is_spelled_out_where_it_is_logged() -> None:
    assert written.odd_events() == []


@pytest.mark.parametrize(("name", "cells"), rows(EVENTS))
def test_every_event_says_when_it_comes_and_what_to_do(name: str, cells: list[str]) -> None:
    assert len(cells) == 3, name
    assert all(cells)


def test_every_fault_is_documented_and_none_that_is_gone() -> None:
    assert sorted(name for name, _ in rows(FAULTS)) == sorted(Fault)
    known = {name for name, _ in written.events()}
    for fault, (events, _) in rows(FAULTS):
        assert set(re.findall(r"`([^`]+)`", events)) <= known, fault


def test_every_reason_is_documented_and_none_that_is_gone() -> None:
    documented = [name for name, _ in rows(REASONS)]
    assert len(documented) == len(set(documented))
    assert sorted(written.reasons() - set(documented)) == [], "missing in docs/events.md"
    assert sorted(set(documented) - written.reasons()) == [], "documented, but not given any more"
    for name, (faults, advice) in rows(REASONS):
        assert set(faults.split(", ")) <= set(Fault), name
        assert advice, name


def test_the_collector_sees_what_is_there() -> None:
    """Figures of today, rounded down: a collector that goes blind must not pass."""
    assert len(written.events()) >= 70
    assert len(written.reasons()) >= 50
    assert ("frame scored", "info") in written.events()
    assert ("stage ended by itself", "critical") in written.events()
    assert ("source failed unexpectedly", "error") in written.events()


def test_every_renamed_event_is_listed_with_its_former_text_and_still_written() -> None:
    page = (written.ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
    listed = re.findall(r"\| event `([^`]+)` \| `([^`]+)` \|", page)
    assert {new: old for old, new in listed} == dict(FORMER_EVENTS)
    assert set(FORMER_EVENTS) <= {name for name, _ in written.events()}
