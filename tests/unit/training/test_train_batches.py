"""Crops, augmentation and prefetching."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from scopewatch_training.network.augment import Augmentation
from scopewatch_training.network.batches import Batch, BatchPlan, brightness, prefetch
from tests.unit.training.tiny_data import make_frames


def plan(strength: float = 1.0, crop_px: int = 64, batch: int = 3) -> BatchPlan:
    return BatchPlan(
        frames=make_frames(),
        batch=batch,
        crop_px=crop_px,
        augmentation=Augmentation(strength=strength),
        seed=7,
    )


def same(one: Batch, two: Batch) -> bool:
    pairs = ((one.view, two.view), (one.marker, two.marker), (one.known, two.known))
    return all(np.array_equal(a, b) for a, b in pairs)


def test_a_batch_follows_from_seed_and_step_alone() -> None:
    assert same(plan().draw(5), plan().draw(5))
    assert not same(plan().draw(5), plan().draw(6))
    assert not same(plan().draw(5), replace(plan(), seed=8).draw(5))


def test_every_frame_is_drawn_once_before_one_is_drawn_twice() -> None:
    drawn = [plan()._frame(index).id for index in range(12)]

    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == sorted(drawn[8:])
    assert len(set(drawn[:4])) == 4


def test_a_batch_is_float32_and_clipped() -> None:
    batch = plan(strength=3.0).draw(0)

    assert batch.view.shape == batch.marker.shape == batch.known.shape == (3, 64, 64, 1)
    assert batch.view.dtype == batch.marker.dtype == np.float32
    assert np.abs(batch.view).max() <= 6
    assert 0 <= batch.marker.min() <= batch.marker.max() <= 1
    assert batch.known.min() == 1


def test_marker_and_picture_are_turned_alike() -> None:
    for step in range(8):
        batch = plan(strength=0).draw(step)
        striped = np.abs(batch.view) > 1.2
        # Stripes of +-2 over noise of 0.5: a pixel beyond them is a marked one.
        assert batch.marker[striped].mean() > 0.9
        assert batch.marker[~striped].mean() < 0.2


def test_unknown_pixels_stay_unknown_and_are_not_positive() -> None:
    frame = make_frames(1, share=1.0)[0]
    signal = frame.signal[:, :].copy()
    signal[:, :64] = np.nan
    half = replace(plan(strength=0, crop_px=128), frames=[replace(frame, signal=signal)])

    batch = half.draw(0)

    assert batch.known.mean() == pytest.approx(0.5)
    assert batch.marker[batch.known == 0].max() == 0


def test_a_frame_smaller_than_the_crop_is_filled_up_as_unknown() -> None:
    batch = plan(strength=0, crop_px=192).draw(0)

    assert batch.view.shape == (3, 192, 192, 1)
    assert batch.known.mean() == pytest.approx(128**2 / 192**2)


def test_augmentation_of_strength_0_keeps_values() -> None:
    frame = make_frames(1)[0]
    masks = np.stack([np.ones((128, 128), np.float32)])

    whole = frame.view[:, :]
    view, _ = Augmentation(strength=0).vary(whole, masks, np.random.default_rng(0))

    np.testing.assert_array_equal(np.sort(view, axis=None), np.sort(whole, axis=None))


def test_prefetched_batches_are_those_of_the_plan() -> None:
    with prefetch(plan(), 4, 9) as batches:
        drawn = list(batches)

    assert len(drawn) == 5
    assert all(same(batch, plan().draw(4 + i)) for i, batch in enumerate(drawn))


def test_leaving_early_ends_the_thread() -> None:
    with prefetch(plan(), 0, 1000) as batches:
        next(batches)

    assert "batches" not in {thread.name for thread in threading.enumerate()}


def test_a_fault_while_drawing_reaches_the_training() -> None:
    broken = replace(plan(), frames=[replace(make_frames(1)[0], signal=np.zeros(4))])

    with prefetch(broken, 0, 5) as batches, pytest.raises(IndexError, match="too many indices"):
        list(batches)


def test_brightness_counts_in_thresholds_and_has_an_end() -> None:
    signal = np.array([[-20.0, 0.0, 50.0, 400.0, 9000.0, np.nan]], np.float32)

    grades = brightness(signal, 50.0)

    assert grades.dtype == np.float32
    np.testing.assert_allclose(grades[0], [0, 0, 0.3175, 1, 1, 0], atol=1e-3)
    assert not brightness(signal, np.inf).any()


def test_graded_crops_hold_the_brightness_of_the_marker() -> None:
    plain, graded = plan(strength=0).draw(3), replace(plan(strength=0), graded=True).draw(3)

    np.testing.assert_array_equal(graded.view, plain.view)
    # 200 counts at a threshold of 50.
    assert graded.marker[plain.marker == 1].mean() == pytest.approx(0.754, abs=0.01)
    assert graded.marker[plain.marker == 0].max() < 0.3175
