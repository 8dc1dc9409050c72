"""Laws of every seed, run and well of the simulator."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch_simulator.noise import Purpose, smooth_field, stream
from scopewatch_simulator.optics import Pupil, expose
from scopewatch_simulator.plan import MAX_WELLS, Regime, plan_run, plan_well, well_name
from scopewatch_simulator.truth import efficiency_of

seeds = st.integers(0, 2**40)
places = st.integers(0, 200)
wells = st.integers(0, MAX_WELLS - 1)


@given(seed=seeds, run=places, well=wells, regime=st.sampled_from(Regime))
def test_every_plan_is_within_its_regime(seed: int, run: int, well: int, regime: Regime) -> None:
    plan = plan_well(seed, regime, plan_run(seed, run), well)
    low, high = (0.05, 0.9) if regime is Regime.BROAD else (0.005, 0.26)
    assert low <= plan.final_efficiency <= high
    assert 4.5 <= plan.half_day <= 7.5
    assert plan_well(seed, regime, plan_run(seed, run), well) == plan


@given(seed=seeds, run=places)
def test_any_dozen_wells_cover_the_range_evenly(seed: int, run: int) -> None:
    shared = plan_run(seed, run)
    finals = sorted(
        plan_well(seed, Regime.BROAD, shared, well).final_efficiency for well in range(12)
    )
    assert max(np.diff(finals)) < 0.2
    assert finals[0] < 0.2
    assert finals[-1] > 0.75


@given(seed=seeds, run=places, well=wells, ranks=st.lists(st.floats(0, 1), min_size=2))
def test_earlier_ranks_switch_no_later(seed: int, run: int, well: int, ranks: list[float]) -> None:
    plan = plan_well(seed, Regime.BROAD, plan_run(seed, run), well)
    days = plan.switch_days(np.sort(np.array(ranks, np.float32)))
    assert (np.diff(days) >= 0).all()
    assert days.min() >= 4
    assert days.max() <= 9.5


@given(seed=seeds, place=places)
def test_streams_repeat_and_differ_by_purpose_and_place(seed: int, place: int) -> None:
    def draw(purpose: Purpose, *where: int) -> float:
        return float(stream(seed, purpose, *where).random())

    assert draw(Purpose.RUN, place) == draw(Purpose.RUN, place)
    different = {
        draw(Purpose.RUN, place),
        draw(Purpose.WELL, place),
        draw(Purpose.RUN, place + 1),
        draw(Purpose.RUN, place, 0),
    }
    assert len(different) == 4


@given(seed=seeds, spacing_px=st.floats(2, 40))
@settings(max_examples=25)
def test_smooth_fields_have_unit_variance(seed: int, spacing_px: float) -> None:
    field = smooth_field(np.random.default_rng(seed), (400, 400), spacing_px)
    assert field.shape == (400, 400)
    knots = (400 / spacing_px) ** 2
    assert abs(field.std() - 1) < 0.05 + 4 / np.sqrt(knots)


@given(
    seed=seeds,
    ring_um=st.floats(10, 40),
    transmission=st.floats(0.1, 0.6),
    defocus_um=st.floats(-15, 15),
)
@settings(max_examples=25)
def test_light_is_never_negative_and_finite(
    seed: int, ring_um: float, transmission: float, defocus_um: float
) -> None:
    phase = smooth_field(np.random.default_rng(seed), (64, 64), 8)
    pupil = Pupil(
        ring_transmission=transmission,
        ring_um=ring_um,
        na=0.28,
        wavelength_um=0.55,
        defocus_um=defocus_um,
    )
    image = expose(phase, pupil)
    assert np.isfinite(image).all()
    assert image.min() >= 0


@given(seed=seeds, rows=st.integers(1, 4), cols=st.integers(1, 4))
def test_efficiency_of_whole_tiles_is_their_share(seed: int, rows: int, cols: int) -> None:
    tiles = np.random.default_rng(seed).random((rows, cols)) < 0.5
    mask = tiles.repeat(32, axis=0).repeat(32, axis=1)
    assert efficiency_of(mask) == tiles.mean()


def test_well_names_are_those_of_a_plate() -> None:
    names = [well_name(index) for index in range(MAX_WELLS)]
    assert len(set(names)) == MAX_WELLS
    assert (names[0], names[11], names[12], names[-1]) == ("A1", "A12", "B1", "H12")
