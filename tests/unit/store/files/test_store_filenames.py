from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scopewatch.store.files.filenames import LONGEST, safe_name

NAMES = st.text(st.characters(exclude_categories=[]), min_size=1)


@pytest.mark.parametrize("name", ["A1", "HES-NKX2.5_run 7", "培養", "d0", "Ü-1"])
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("../../etc/passwd", "_.._etc_passwd-"),
        ("a/b\\c", "a_b_c-"),
        ("two\nlines", "two_lines-"),
        ("..", "-"),
        (".hidden", "hidden-"),
        ("CON", "CON-"),
        ("nul.txt", "nul.txt-"),
        ("ends with a dot.", "ends with a dot-"),
        ("x" * 300, "x" * 71 + "-"),
        ("a_b-7e18f737", "a_b-7e18f737-"),
    ],
)
def test_a_dangerous_name_is_cleaned_and_marked(name: str, start: str) -> None:
    assert safe_name(name)[:-8] == start


@given(NAMES)
@example("\x00")
@example("C:\\x")
@example("\ud800")
def test_no_name_leads_out_of_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= LONGEST
    assert PurePosixPath(safe).parts == (safe,)
    assert PureWindowsPath(safe).parts == (safe,)
    assert safe not in {".", ".."}
    assert not safe.endswith((".", " "))
    assert safe.isprintable()


@given(st.lists(NAMES, unique=True, max_size=8))
@example(["a/b", "a_b", "a\\b", safe_name("a/b")])
@example(["é", "e\u0301"])
def test_two_names_never_become_one(names: list[str]) -> None:
    assert len({safe_name(name) for name in names}) == len(names)
