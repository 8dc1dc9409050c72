"""The owner of the interpreter."""

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.core.errors import ModelError
from scopewatch.inference import runtimes
from scopewatch.inference.runtimes import open_runtime
from scopewatch.inference.tflite import TFLiteScorer
from tests.unit.inference.bundles import TILE_PX, make_view, tiny_bundle


def open_tiny(**options: Any) -> TFLiteScorer:
    return TFLiteScorer(tiny_bundle(), **{"threads": 1, "memory_budget_mb": 256, **options})


def strip_budget(scorer: TFLiteScorer, width_px: int, rows: int) -> float:
    """Return the budget in MB that lets `rows` tile rows of a frame pass at once."""
    return scorer._bytes_per_px * width_px * (rows + 0.5) * TILE_PX / 1e6


def test_scores_differ_from_tile_to_tile() -> None:
    scores = open_tiny().score(make_view(128, 96))

    assert scores.shape == (8, 6)
    assert scores.std() > 0.05
    assert 0 <= scores.min() < scores.max() <= 1


def test_a_frame_in_strips_scores_as_in_one_piece() -> None:
    view = make_view(1003, 150)
    whole = open_tiny().score(view)
    scorer = open_tiny()
    for rows in (7, 8, 13, 21, 40):
        scorer._budget_mb = strip_budget(scorer, 160, rows)

        np.testing.assert_array_equal(scorer.score(view), whole)


def test_a_strip_without_its_margin_would_score_differently() -> None:
    view = make_view(640, 96)
    whole = open_tiny().score(view)
    scorer = open_tiny()
    scorer._margin = 0
    scorer._budget_mb = strip_budget(scorer, 96, 10)

    assert not np.array_equal(scorer.score(view), whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(1, 100), st.integers(0, 9))
def test_any_size_scores_alike_in_strips(height: int, width: int, spare: int) -> None:
    scorer = open_tiny()
    view = make_view(height, width, seed=height)
    whole = scorer.score(view)
    scorer._budget_mb = strip_budget(scorer, -(-width // TILE_PX) * TILE_PX, 7 + spare)

    np.testing.assert_array_equal(scorer.score(view), whole)


def test_scores_move_with_the_picture_by_whole_tiles() -> None:
    view = make_view(320, 320)
    scorer = open_tiny()

    scores, moved = scorer.score(view), scorer.score(view[2 * TILE_PX :, TILE_PX:])

    # Away from the borders, where padding replaces the pixels that were cut off.
    np.testing.assert_array_equal(scores[7:15, 6:15], moved[5:13, 5:14])


def test_partial_tiles_are_filled_with_the_neutral_value() -> None:
    view = make_view(100, 90)
    filled = np.zeros((112, 96), np.float32)
    filled[:100, :90] = view
    scorer = open_tiny()

    np.testing.assert_array_equal(scorer.score(view), scorer.score(filled))


def test_sizes_may_change_from_frame_to_frame() -> None:
    scorer = open_tiny()
    first = scorer.score(make_view(96, 96))
    scorer.score(make_view(64, 160))

    np.testing.assert_array_equal(scorer.score(make_view(96, 96)), first)


def test_values_beyond_the_input_range_saturate() -> None:
    view = np.full((64, 64), 50.0, np.float32)
    scorer = open_tiny()

    np.testing.assert_array_equal(scorer.score(view), scorer.score(view * 100))


def test_a_frame_too_wide_for_the_budget_is_refused() -> None:
    scorer = open_tiny(memory_budget_mb=1)

    with pytest.raises(ModelError) as caught:
        scorer.score(make_view(512, 8000))

    message = str(caught.value)
    assert message.startswith("frame does not fit the memory budget even in strips: 512 x 8000 px")
    assert "got 1 MB); raise model.memory_budget_mb" in message


def test_the_budget_that_the_refusal_names_is_enough() -> None:
    scorer = open_tiny(memory_budget_mb=1)
    with pytest.raises(ModelError) as caught:
        scorer.score(make_view(512, 4000))
    needed = int(str(caught.value).split("at least ")[1].split(" MB")[0])

    enough = open_tiny(memory_budget_mb=needed).score(make_view(512, 4000))

    assert enough.shape == (32, 250)


def test_a_second_thread_is_refused_until_the_first_lets_go() -> None:
    scorer = open_tiny()
    view = make_view(64, 64)
    expected = scorer.score(view)
    heard: list[object] = []

    def call() -> None:
        try:
            heard.append(scorer.score(view))
        except RuntimeError as error:
            heard.append(str(error))

    for release in (False, True):
        if release:
            scorer.release()
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    assert "TFLiteScorer was called from a second thread" in str(heard[0])
    np.testing.assert_array_equal(np.asarray(heard[1]), expected)


@pytest.mark.parametrize(
    ("model", "card", "words"),
    [
        ("tile16", {"tile_px": 8}, "one score per tile: tiny (expected stride 8 px, got 16.0)"),
        ("tile16", {"tile_px": 32}, "one score per tile: tiny (expected stride 32 px, got 16.0)"),
        ("float", {}, "model input has the wrong shape or type: tiny (expected one (1, H, W, 1)"),
        ("fixed", {}, "got 1 x [1, 32, 32, 1] float32"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(
    model: str, card: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        TFLiteScorer(tiny_bundle(model, **card), threads=1, memory_budget_mb=64)

    assert words in str(caught.value)


def test_a_cut_off_model_is_refused() -> None:
    bundle = tiny_bundle()
    cut = type(bundle)(folder=bundle.folder, card=bundle.card, model=bundle.model[:3000])

    with pytest.raises(ModelError, match="model cannot be opened: tiny"):
        TFLiteScorer(cut, threads=1, memory_budget_mb=64)


def test_without_a_runtime_the_refusal_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    modules = {"litert": "no_such_runtime.a", "tflite-runtime": "no_such_runtime.b"}
    monkeypatch.setattr(runtimes, "_MODULES", modules)

    with pytest.raises(ModelError, match="no runtime for TFLite models is installed: ai-edge"):
        open_runtime(None)
    with pytest.raises(ModelError, match="tflite-runtime; pip install tflite-runtime"):
        open_runtime("tflite-runtime")


def test_the_step_is_one_of_256() -> None:
    assert open_tiny().step == pytest.approx(1 / 256)


def test_a_damaged_runtime_is_not_mistaken_for_a_missing_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("No module named 'flatbuffers'", name="flatbuffers")

    monkeypatch.setattr(runtimes, "import_module", broken)

    with pytest.raises(ModuleNotFoundError, match="flatbuffers"):
        open_runtime(None)
