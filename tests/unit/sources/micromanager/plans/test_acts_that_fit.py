"""How many images beyond the plan fit between two time points, and what they take at most."""

from pathlib import Path
from typing import Any

from scopewatch.config import ActsConfig, FocusConfig, MicroManagerSourceConfig, MoreSitesConfig
from scopewatch.sources.micromanager.acts.slack import longest_act_s
from scopewatch.sources.micromanager.plans.limits import (
    acts_in_words,
    acts_that_fit,
    no_time_for_acts,
)
from scopewatch.sources.micromanager.plans.projection import Projection, project
from tests.unit.sources.time_lapse_scene import settings

AGAIN = ActsConfig(reimage_unfit=True)


def made(path: Path, **changes: Any) -> tuple[MicroManagerSourceConfig, Projection]:
    config = settings(path, **changes)
    return config, project(config, {"A1": "A1", "A2": "A2"})


def test_nothing_is_reckoned_where_nothing_is_switched_on(tmp_path: Path) -> None:
    config, projection = made(tmp_path, acts=ActsConfig(skip_dead=True))
    assert acts_that_fit(config, projection) == 0
    assert no_time_for_acts(config, projection, "scope") is None
    assert acts_in_words(config, projection, 3) == ""


def test_as_many_fit_as_the_rest_of_the_interval_holds(tmp_path: Path) -> None:
    config, projection = made(tmp_path, acts=AGAIN, interval_s=60)
    left_s = 60 - projection.time_point_s
    assert acts_that_fit(config, projection) == int(left_s // longest_act_s(config)) > 2
    assert no_time_for_acts(config, projection, "scope") is None


def test_where_none_fits_that_is_refused_with_the_figures(tmp_path: Path) -> None:
    focus = FocusConfig(method="lock", wait_s=30)
    config, projection = made(tmp_path, acts=AGAIN, focus=focus, interval_s=60)
    refusal = str(no_time_for_acts(config, projection, "source scope"))
    assert refusal.startswith(
        "acts are switched on, and no time is left for an image beyond the plan: source scope"
    )
    assert f"expected {longest_act_s(config):.0f} s between the end" in refusal


def test_what_they_take_at_most_is_put_into_words(tmp_path: Path) -> None:
    acts = ActsConfig(
        reimage_unfit=True,
        most_per_time_point=3,
        more_sites=MoreSitesConfig(offsets_um=((500.0, 0.0), (0.0, 500.0)), most_wells=2),
    )
    config, projection = made(tmp_path, acts=acts)
    words = acts_in_words(config, projection, 10)
    assert words.startswith("images beyond the plan: at most 7 at a time point (")
    assert "not those out of focus: `focus` is none" in words
    assert words.endswith("further sites as the planned ones")
