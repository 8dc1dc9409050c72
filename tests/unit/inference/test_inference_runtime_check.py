"""The comparison of a runtime with LiteRT, and the verdicts that are kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError
from scopewatch.inference import processor
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.check_frames import (
    CHECK_FILE,
    MADE_FRAMES,
    encode_check,
    load_check,
    make_frames,
)
from scopewatch.inference.runtime_check import compare_runtime, refuse_unlike, verdict_key
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.inference.verdicts import VERDICTS_FILE, RuntimeVerdict, Verdicts
from tests.unit.inference.bundles import make_view, tiny_bundle

SHIPPED = Path(__file__).parents[3] / "models" / "simulated-cardiomyocyte"
VERDICT = RuntimeVerdict(
    runtime="openvino",
    runtime_version="2026.4.1",
    model_id="0123456789ab",
    processor="a processor (without VNNI)",
    frames=3,
    own=True,
    points=0.4,
    steps=0.02,
)


def open_scorer(bundle: Bundle, **options: Any) -> TFLiteScorer:
    return TFLiteScorer(bundle, **{"threads": 1, "memory_budget_mb": 256, **options})


def never() -> TFLiteScorer:
    raise AssertionError("LiteRT was opened, though its scores are in the bundle")


def write_check(folder: Path, *, moved: int = 0, sha256: str | None = None) -> Bundle:
    """Return a tiny bundle with check frames; `moved` tiles of each were positive and are not."""
    bundle = replace(tiny_bundle(), folder=folder)
    scorer = open_scorer(bundle)
    entry, answer = scorer.codes
    frames = []
    for seed in range(2):
        codes = np.empty((320, 320), np.int8)
        entry.encode(make_view(320, 320, seed=seed), codes)
        tiles = np.empty((20, 20), np.int8)
        answer.encode(scorer.score(entry.decode(codes)), tiles)
        tiles.reshape(-1)[np.flatnonzero(tiles >= 0)[:moved]] = -1
        frames.append((codes, tiles))
    path = folder / CHECK_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_check(sha256 or bundle.card.model_sha256, frames, entry, answer))
    return bundle


def test_openvino_scores_the_frames_of_a_bundle_as_litert_did(tmp_path: Path) -> None:
    bundle = write_check(tmp_path)

    verdict = compare_runtime(bundle, open_scorer(bundle, runtime="openvino"), never)

    # Weights have 7 bits: no product saturates on a processor without VNNI.
    assert verdict.holds
    assert (verdict.runtime, verdict.frames, verdict.own) == ("openvino", 2, True)
    assert verdict.model_id == bundle.card.model_id
    assert verdict.describe().startswith("openvino 20")
    assert "on 2 frames of the bundle: efficiency at most 0.00 points off" in verdict.describe()
    refuse_unlike(verdict, tmp_path)


def test_the_shipped_bundle_has_the_same_scores_under_openvino_on_any_processor() -> None:
    bundle = load_bundle(SHIPPED)

    verdict = compare_runtime(bundle, open_scorer(bundle, runtime="openvino"), never)

    assert verdict.own
    assert verdict.points <= 0.1
    assert verdict.steps <= 0.01


def test_litert_scores_the_frames_of_the_shipped_bundle_as_when_it_was_made() -> None:
    bundle = load_bundle(SHIPPED)
    frames = load_check(bundle)
    assert frames is not None

    scorer = open_scorer(bundle)

    for view, expected in zip(frames.views, frames.probabilities, strict=True):
        tiles, squares = scorer.score_finely(view)
        np.testing.assert_array_equal(tiles, expected)
        assert squares is not None
        assert 0.2 < np.mean(tiles >= bundle.card.threshold) < 0.8


@pytest.mark.parametrize(("moved", "holds"), [(0, True), (4, True), (5, False)])
def test_one_point_of_a_frame_is_allowed_and_more_is_refused(
    tmp_path: Path, moved: int, holds: bool
) -> None:
    bundle = write_check(tmp_path, moved=moved)

    verdict = compare_runtime(bundle, open_scorer(bundle), never)

    assert verdict.points == pytest.approx(moved / 4)
    assert verdict.holds == holds


def test_tiles_that_are_off_are_refused_though_none_crosses_the_threshold(tmp_path: Path) -> None:
    bundle = write_check(tmp_path)

    class Off(TFLiteScorer):
        def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
            scores = super().score(view)
            return np.where(scores >= 0.5, 0.99, 0.01).astype(np.float32)

    verdict = compare_runtime(bundle, Off(bundle, threads=1, memory_budget_mb=64), never)

    assert verdict.points == 0
    assert verdict.steps > 10
    with pytest.raises(ModelError) as caught:
        refuse_unlike(verdict, "models/ours")
    line = str(caught.value)
    assert line.startswith(f"litert {verdict.runtime_version} does not score as LiteRT does here:")
    assert f"models/ours on {verdict.processor}" in line
    assert "expected efficiencies within 1 point, and tiles within 1 step" in line
    assert "got 0.00 points and" in line
    assert line.endswith("set model.runtime: litert, or run scopewatch-train quantise")


def test_a_bundle_without_frames_is_compared_on_textures_of_which_it_is_unsure() -> None:
    bundle = tiny_bundle()
    reference = open_scorer(bundle)

    frames = make_frames(bundle, reference.score)
    verdict = compare_runtime(
        bundle, open_scorer(bundle, runtime="openvino"), lambda: open_scorer(bundle)
    )

    assert len(frames.views) == MADE_FRAMES
    assert all(np.mean(p * (1 - p)) > 0.01 for p in frames.probabilities)
    assert verdict.holds
    assert not verdict.own
    assert f"on {MADE_FRAMES} frames made for it" in verdict.describe()


def test_a_network_that_is_sure_of_all_textures_cannot_be_compared() -> None:
    with pytest.raises(ModelError) as caught:
        make_frames(tiny_bundle(), lambda _: np.zeros((16, 16), np.float32))

    assert str(caught.value) == (
        "runtime cannot be compared with LiteRT: tiny (expected report/check.npz, or a network that"
        " is unsure of some made texture, got neither); set model.runtime: litert, or write the"
        " bundle again with scopewatch-train quantise"
    )


def test_frames_of_another_model_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    other = write_check(tmp_path / "a", sha256="f" * 64)
    with pytest.raises(ModelError, match=r"check frames of the bundle cannot be used: .* got ffff"):
        load_check(other)

    damaged = write_check(tmp_path / "b")
    path = damaged.folder / CHECK_FILE
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(ModelError, match="copy the whole bundle folder again"):
        load_check(damaged)
    assert load_check(tiny_bundle()) is None


@pytest.mark.parametrize("tiles", [(0, 20, 20), (1, 20, 20), (2, 20, 19)])
def test_check_frames_that_do_not_fit_their_tiles_are_refused(
    tmp_path: Path, tiles: tuple[int, ...]
) -> None:
    bundle = write_check(tmp_path)
    path = bundle.folder / CHECK_FILE
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["tiles"] = np.zeros(tiles, np.int8)
    if not tiles[0]:
        arrays["frames"] = arrays["frames"][:0]
    np.savez(path, allow_pickle=False, **arrays)
    with pytest.raises(ModelError, match="check frames of the bundle cannot be used"):
        load_check(bundle)


def test_a_verdict_is_found_again_under_its_key_alone(tmp_path: Path) -> None:
    verdicts = Verdicts(path=tmp_path / VERDICTS_FILE)
    assert verdicts.find("a") is None

    verdicts.keep("a", VERDICT)

    assert Verdicts(path=tmp_path / VERDICTS_FILE).find("a") == VERDICT
    assert verdicts.find("b") is None
    for number in range(60):
        verdicts.keep(f"other {number}", VERDICT)
    assert verdicts.find("a") is None
    assert verdicts.find("other 59") == VERDICT


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": {"runtime": "openvino"}}'])
def test_a_damaged_file_of_verdicts_holds_none(tmp_path: Path, text: str) -> None:
    verdicts = Verdicts(path=tmp_path / VERDICTS_FILE)
    verdicts.path.write_text(text, encoding="utf-8")

    assert verdicts.find("a") is None
    verdicts.keep("a", VERDICT)
    assert verdicts.find("a") == VERDICT


def test_another_processor_or_a_limit_of_its_instructions_has_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {}
    for name, flags in (("old", "avx2 fma"), ("new", "avx2 fma avx512_vnni")):
        path = tmp_path / name
        path.write_text(f"model name\t: AMD EPYC\nflags\t\t: {flags}\n\n", encoding="utf-8")
        keys[name] = processor.processor_key(path)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    keys["limited"] = processor.processor_key(tmp_path / "new")

    assert len(set(keys.values())) == 3
    assert processor.describe_processor(tmp_path / "old") == "AMD EPYC (without VNNI)"
    assert processor.describe_processor(tmp_path / "new") == "AMD EPYC (with VNNI)"
    assert processor.describe_processor(tmp_path / "none")
    card = tiny_bundle().card
    assert verdict_key(card, "litert") != verdict_key(card, "openvino")
