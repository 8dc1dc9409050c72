"""Numbers, times and names as the pages write them."""

from datetime import timedelta
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.core.faults import Fault
from scopewatch.messages.links import segment
from scopewatch.web.advice import OTHERWISE, advise
from scopewatch.web.wording import age, day, moment, name_of, percent
from tests.unit.web.fakes import NOW


@given(st.text())
def test_any_name_survives_the_way_through_an_address(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return  # a lone surrogate cannot be sent at all
    written = segment(name)
    assert "/" not in written
    # A server decodes once before it looks at the slashes.
    assert "/" not in unquote(written)
    assert name_of(unquote(written)) == name


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=0), "0 s ago"),
        (timedelta(seconds=119), "119 s ago"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(minutes=119, seconds=59), "119 min ago"),
        (timedelta(hours=2), "2 h ago"),
        (timedelta(hours=71), "71 h ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(minutes=-5), "5 min ahead of this clock"),
    ],
)
def test_ages_are_written_in_their_largest_unit(ago: timedelta, words: str) -> None:
    assert age(NOW - ago, NOW) == words


def test_what_is_not_known_is_not_made_up() -> None:
    assert age(None, NOW) == "never"
    assert percent(None) == day(None) == moment(None) == "–"


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_its_advice(fault: Fault) -> None:
    assert advise(fault.value) == fault.advice
    assert advise(fault.value).endswith(".")


def test_a_fault_of_a_later_version_points_to_the_documentation() -> None:
    assert advise("moonstruck") == OTHERWISE
