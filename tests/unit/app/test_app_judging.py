"""The settings that a refusal belongs to."""

from pathlib import Path
from typing import Any, get_args

import pytest

from scopewatch.app import judging
from scopewatch.app.judging import NAMING, SCALE, WATCHING, make_judging
from scopewatch.config import Config, RunConfig, SourceConfig
from tests.unit.core.samples import make_card

OTHERS: dict[str, Any] = {
    "pattern": "incucyte",
    "position": r"(?P<well>XY\d+)",
    "z": 3,
    "um_per_px": 0.9,
    "clock_zone": "Asia/Tokyo",
    "channel_names": {"ch6": "phase"},
    "wells": {"XY01": "A1"},
    "plate_wells": 96,
    "counts_from": {"time_point": 1},
    "path": "/elsewhere",
    "started_at": "2026-03-01T09:00:00+01:00",
    "interval_h": 6,
    "phase_channel": "brightfield",
    "fluorescence_channel": "gfp",
}


def parts(source: dict[str, Any] | None = None, **config: Any) -> list[str]:
    """Return the names, reading and model digests of the only source."""
    made = Config.model_validate(
        {
            "experiment": {"name": "run 7", **config.pop("experiment", {})},
            "model": {"bundle": Path("/bundle")},
            "sources": [{"kind": "folder", "path": Path("/in"), **(source or {})}],
            "state": {"folder": Path("/state")},
            **config,
        }
    )
    (name,) = (each.name for each in made.sources)
    return make_judging(made, make_card()).under(name).split("/")


PLAIN = parts()


def changed(now: list[str]) -> str:
    named = zip(("names", "reading", "model"), PLAIN, now, strict=True)
    return " ".join(part for part, before, after in named if before != after)


def kinds() -> tuple[type[Any], ...]:
    (union, *_) = get_args(SourceConfig)
    return get_args(union)


def test_the_settings_that_are_left_out_exist() -> None:
    known = {name for kind in kinds() for name in kind.model_fields}
    assert known >= WATCHING | SCALE
    assert set(RunConfig.model_fields) >= set(NAMING)


@pytest.mark.parametrize("setting", sorted(set(OTHERS) - SCALE - set(NAMING)))
def test_what_names_frames_counts_for_all_but_the_model(setting: str) -> None:
    assert changed(parts({setting: OTHERS[setting]})) == "names reading"


@pytest.mark.parametrize("setting", NAMING)
def test_what_names_frames_of_the_run_does_too(setting: str) -> None:
    assert changed(parts(experiment={setting: OTHERS[setting]})) == "names reading"


@pytest.mark.parametrize("setting", sorted(SCALE))
def test_what_only_reads_them_leaves_names(setting: str) -> None:
    assert changed(parts({setting: OTHERS[setting]})) == "reading"


def test_limits_of_files_only_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert changed(parts(limits={"max_pixels": 10_000})) == "reading"


def test_how_and_when_it_is_watched_changes_nothing() -> None:
    watching = {"name": "scope", "poll_s": 9, "settle_s": 9, "give_up_s": 9, "recursive": False}
    assert changed(parts({**watching, "observer": "polling"})) == ""
    settings = {"day_from": "time_point", "final_day": 12, "sites_per_well": 4, "simulated": True}
    assert changed(parts(experiment={**settings, "well_groups": {"a": ["A1"]}})) == ""
    assert changed(parts(runtime={"inbox": 9}, web={"enabled": False})) == ""


def test_the_name_of_the_run_leaves_frames_with_the_run_they_came_in() -> None:
    assert changed(parts(experiment={"name": "run 8"})) == ""


def test_another_card_is_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    card = make_card()
    stricter = card.model_copy(
        update={"quality": card.quality.model_copy(update={"min_focus": 0.5})}
    )
    monkeypatch.setitem(globals(), "make_card", lambda: stricter)
    assert changed(parts()) == "model"


def test_a_newer_version_may_read_what_this_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "__version__", "9.9.9")
    assert changed(parts()) == "names reading"
