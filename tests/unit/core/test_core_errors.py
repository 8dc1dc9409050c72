"""Every complaint is one line that says what, where, and what to do."""

import pytest

from scopewatch.core.errors import (
    ConfigError,
    DeliveryError,
    FrameError,
    ModelError,
    NoSpaceError,
    ScopewatchError,
    SourceError,
    StoreError,
    complaint,
)


def test_a_complaint_names_what_where_expected_got_and_what_to_do() -> None:
    line = complaint("frame is RGB", where="a.tif", expected="grey", got="RGB", do="export grey")
    assert line == "frame is RGB: a.tif (expected grey, got RGB); export grey"


def test_a_complaint_leaves_out_what_is_not_known() -> None:
    assert complaint("no light", where="a.tif", do="look") == "no light: a.tif; look"
    assert complaint("no light", where="a", got=0, do="look") == "no light: a (got 0); look"


def test_a_file_name_with_a_newline_stays_on_one_line() -> None:
    assert complaint("bad", where="a\nb\r\n.tif", do="rename") == "bad: a b .tif; rename"


@pytest.mark.parametrize(
    "kind", [ConfigError, FrameError, ModelError, NoSpaceError, StoreError, SourceError]
)
def test_every_error_is_a_scopewatch_error(kind: type[ScopewatchError]) -> None:
    assert issubclass(kind, ScopewatchError)
    assert str(kind("one line")) == "one line"


def test_a_delivery_error_says_whether_trying_again_can_help() -> None:
    refused = DeliveryError("the address is malformed", permanent=True)
    assert refused.permanent
    assert str(refused) == "the address is malformed"
    assert isinstance(refused, ScopewatchError)
