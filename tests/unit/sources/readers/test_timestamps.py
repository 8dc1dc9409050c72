from datetime import UTC, datetime

import pytest

from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.timestamps import parse_iso, parse_time, time_facts


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2016-02-11 09:00:16 -0800", datetime(2016, 2, 11, 17, 0, 16, tzinfo=UTC)),
        ("2026-03-01 09:00:00.250 +0100", datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_time_with_its_zone_is_converted(text: str, utc: datetime) -> None:
    assert parse_time(text) == utc


@pytest.mark.parametrize(
    "text", ["2026-03-01 09:00:00 -", "2026/03/01 09:00:00", "2026:03:01 09:00:00"]
)
def test_a_time_without_zone_stays_without_one(text: str) -> None:
    assert parse_time(text) == datetime(2026, 3, 1, 9)
    assert time_facts(parse_time(text)) == PlaneFacts(wall_time=datetime(2026, 3, 1, 9))


def test_a_time_with_its_zone_is_a_moment() -> None:
    moment = datetime(2016, 2, 11, 17, 0, 16, tzinfo=UTC)
    assert time_facts(parse_time("2016-02-11 09:00:16 -0800")) == PlaneFacts(acquired_at=moment)
    assert time_facts(None) == PlaneFacts()


@pytest.mark.parametrize(
    "filler",
    ["The age of Aquarius", "1920-01-01 12:34:56", "0000:00:00 00:00:00", "", 17, None, "9" * 4000],
)
def test_filler_is_no_time(filler: object) -> None:
    assert parse_time(filler) is None
    assert parse_iso(filler) is None


def test_an_iso_time_without_zone_stays_without_one() -> None:
    assert parse_iso("2016-02-11T17:00:16") == datetime(2016, 2, 11, 17, 0, 16)
    assert parse_iso("2016-02-11T17:00:16+01:00") == datetime(2016, 2, 11, 16, 0, 16, tzinfo=UTC)
