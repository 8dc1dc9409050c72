"""Laws of any course of a focus: it stays within its bounds, and failures change nothing."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.config import FocusConfig, MicroManagerSourceConfig, PositionConfig
from scopewatch.sources.micromanager.focus.file import FocusFile
from scopewatch.sources.micromanager.focus.kept import FocusKept
from scopewatch.sources.micromanager.focus.search import band, stops

AT = datetime(2026, 3, 1, tzinfo=UTC)
UM = st.floats(min_value=-1e4, max_value=1e4)
LIMITS = st.tuples(st.floats(0.1, 100), st.floats(0, 1000)).map(
    lambda both: FocusConfig(
        method="autofocus", max_step_um=both[0], max_drift_um=both[0] + both[1]
    )
)
POSITIONS = st.builds(
    PositionConfig,
    label=st.just("A1"),
    x_um=UM,
    y_um=UM,
    z_um=st.none() | UM,
    focus_offset_um=st.floats(-50, 50),
)
LABELS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12)


@given(position=POSITIONS, focus=LIMITS, home=UM, steps=st.lists(UM, max_size=30))
def test_the_focus_never_goes_further_than_it_may(
    position: PositionConfig, focus: FocusConfig, home: float, steps: list[float]
) -> None:
    kept = FocusKept(home_um=home)
    planned = kept.planned_um(position)
    for index, step in enumerate(steps):
        last = kept.correction_um(position)
        found = planned + last + step
        if band(kept, position, focus).refuses(found):
            assert kept.correction_um(position) == last
            continue
        kept = kept.with_found([position], found - planned, index)
        slack = 1e-6
        assert abs(kept.correction_um(position)) <= focus.max_drift_um + slack
        assert abs(kept.correction_um(position) - last) <= focus.max_step_um + slack


@given(position=POSITIONS, focus=LIMITS, home=UM)
def test_the_search_begins_within_its_own_band(
    position: PositionConfig, focus: FocusConfig, home: float
) -> None:
    kept = FocusKept(home_um=home)
    assert not band(kept, position, focus).refuses(kept.planned_um(position))


@given(
    position=POSITIONS,
    corrections=st.lists(UM, max_size=5),
    reasons=st.dictionaries(st.tuples(st.integers(0, 20), st.text(max_size=3)), st.text()),
)
def test_what_is_written_down_is_read_as_it_was(
    position: PositionConfig, corrections: list[float], reasons: dict[tuple[int, str], str]
) -> None:
    kept = FocusKept(home_um=1.5)
    for index, correction in enumerate(corrections):
        kept = kept.with_found([position], correction, index)
        kept = kept.with_pass(index, AT, ["A1"], {"B2": "no contrast"})
    for (time_point, label), why in reasons.items():
        kept = kept.with_marks(time_point, [label], why)
    assert FocusFile.model_validate_json(FocusFile.of(kept).model_dump_json()).kept() == kept


@given(labels=LABELS, every=st.sampled_from(["time-point", "well", "position"]))
def test_each_image_has_one_focus_and_keeps_its_place_in_the_order(
    labels: list[str], every: str
) -> None:
    places = tuple((0, label, f"c{number}") for number, label in enumerate(labels))
    config = MicroManagerSourceConfig(
        kind="micromanager",
        mode="follow",
        path=Path("data"),
        focus=FocusConfig.model_validate({"method": "autofocus", "every": every}),
    )
    wells = {label: "A1" if label in "abc" else "B2" for label in labels}
    made = stops(config, places, wells)
    assert tuple(place for stop in made for place in stop.places) == places
    assert all(stop.at == (stop.places[0][1],) for stop in made)
