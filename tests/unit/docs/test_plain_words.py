"""Code and documentation use standard terms: words of the project's former dialect stay out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]
# As whole words, and as parts of identifiers between underscores.
WORDS = re.compile(
    r"(?<![A-Za-z])(told|said|stands|anew|gist|hand|lives|tend|farewell)(?![A-Za-z])", re.IGNORECASE
)
FOLDERS = (
    "benchmarks",
    "daemon",
    "docs",
    "examples",
    "release",
    "simulator",
    "systemd",
    "tests",
    "training",
)
KINDS = {".css", ".html", ".j2", ".js", ".md", ".py", ".service", ".sh", ".toml", ".yaml"}
MOST_EXCEPTIONS = 20


class AllowedLine(NamedTuple):
    """A line that may hold such a word."""

    path: str
    text: str
    reason: str


ALLOWED = (
    AllowedLine(
        "daemon/scopewatch/core/alerts/serialisation.py",
        '"notified": "said", "notified_at": "said_at"',
        "keys of states that databases hold",
    ),
    AllowedLine(
        "tests/unit/core/alerts/test_core_stored_states.py",
        '"said": "warning"',
        "a key of states that databases hold",
    ),
    AllowedLine(
        "tests/unit/core/alerts/test_core_stored_states.py",
        '"said_at": "2026-03-01T09:00:00Z"',
        "a key of states that databases hold",
    ),
    AllowedLine(
        "daemon/scopewatch/messages/alert_texts.py",
        "it stands at {now}",
        "alert texts are kept word for word",
    ),
    AllowedLine(
        "daemon/scopewatch/messages/alert_texts.py",
        "scopewatch ended without having been told to",
        "alert texts are kept word for word",
    ),
    AllowedLine(
        "daemon/scopewatch/messages/alert_texts.py",
        "scopewatch was told to reload",
        "alert texts are kept word for word",
    ),
    *(
        AllowedLine(path, text, "the former text of a log event")
        for path in ("docs/compatibility.md", "daemon/scopewatch/runtime/process/former_events.py")
        for text in (
            "file was written anew",
            "folder is watched anew",
            "seen, scored anew",
            "image was acquired anew",
            "the model cannot be told",
        )
    ),
    AllowedLine(
        "daemon/scopewatch/store/schema/migrations/versions/v0002_early_warning.py",
        'state["said_at"]',
        "a key of states that databases hold",
    ),
    AllowedLine(
        "daemon/scopewatch/store/schema/migrations/versions/v0002_early_warning.py",
        '"said": severity',
        "a key of states that databases hold",
    ),
)


class Use(NamedTuple):
    """A line that holds such a word."""

    path: str
    number: int
    text: str


def find_uses() -> Iterator[Use]:
    paths = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / "config.yaml"]
    paths += [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        # The changelog speaks of each version in the words of its time.
        if name == "CHANGELOG.md" or path == Path(__file__) or not path.is_file():
            continue
        if path.suffix in KINDS or path.name == "Makefile":
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                if WORDS.search(line):
                    yield Use(name, number, line.strip())


USES = tuple(find_uses())


def is_allowed(use: Use) -> bool:
    return any(each.path == use.path and each.text in use.text for each in ALLOWED)


def test_code_and_documentation_use_none_of_the_words() -> None:
    left = [f"{use.path}:{use.number}: {use.text[:100]}" for use in USES if not is_allowed(use)]
    assert left == []


@pytest.mark.parametrize("each", ALLOWED, ids=lambda each: each.text[:30])
def test_every_exception_has_a_line_and_a_reason(each: AllowedLine) -> None:
    assert each.reason
    assert any(use.path == each.path and each.text in use.text for use in USES)


def test_exceptions_stay_few() -> None:
    assert len(ALLOWED) <= MOST_EXCEPTIONS


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_that_is_searched_exists(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_every_folder_of_code_and_documentation_is_searched() -> None:
    kept = {"findings", "models"}  # what was found elsewhere, and generated reports
    with_text = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and any(path.rglob("*.py"))
    }
    assert (with_text | {"docs", "systemd"}) - kept - {"build", "dist"} <= set(FOLDERS)


@pytest.mark.parametrize("line", ["so said he", "what_was_told", "Stands.", "by hand", "GIST = 1"])
def test_the_search_finds_words_and_parts_of_names(line: str) -> None:
    assert WORDS.search(line)


@pytest.mark.parametrize("line", ["handle", "tendency", "second-hand".replace("-", ""), "saidst"])
def test_the_search_leaves_other_words_alone(line: str) -> None:
    assert not WORDS.search(line)
