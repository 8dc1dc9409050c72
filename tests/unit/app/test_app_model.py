from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scopewatch.app import model
from scopewatch.app.model import keep_verdict, mark_simulated, open_scorer
from scopewatch.config import Config, ModelConfig
from scopewatch.core.errors import ModelError
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.runtime_check import compare_runtime
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.inference.verdicts import VERDICTS_FILE
from tests.unit.core.samples import make_card
from tests.unit.inference.bundles import tiny_bundle, write_bundle


@pytest.mark.parametrize(
    ("images", "simulated", "marked"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_results_are_simulated_when_images_or_model_are(
    images: bool, simulated: bool, marked: bool
) -> None:
    config = Config.model_validate(
        {
            "experiment": {"name": "run 1", "simulated": images},
            "model": {"bundle": "m"},
            "sources": [{"kind": "folder", "path": "in"}],
        }
    )
    card = make_card().model_copy(update={"simulated": simulated})
    assert mark_simulated(config, card).experiment.simulated is marked


def test_a_bundle_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model bundle does not exist"):
        open_scorer(ModelConfig(bundle=tmp_path / "none"))


@pytest.fixture
def tiny(tmp_path: Path) -> ModelConfig:
    """A tiny bundle under OpenVINO, with weights that it multiplies exactly without VNNI."""
    bundle = write_bundle(tmp_path / "tiny", tiny_bundle(), {})
    return ModelConfig(bundle=bundle, threads=1, runtime="openvino")


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runtimes that were compared with LiteRT."""
    seen: list[str] = []

    def count(bundle: Bundle, scorer: TFLiteScorer, opener: Callable[[], TFLiteScorer]) -> Any:
        seen.append(scorer.runtime)
        return compare_runtime(bundle, scorer, opener)

    monkeypatch.setattr(model, "compare_runtime", count)
    return seen


def test_another_runtime_is_compared_once_for_a_state_folder(
    tiny: ModelConfig, comparisons: list[str], tmp_path: Path
) -> None:
    for _ in range(3):
        scorer = open_scorer(tiny, tmp_path)
        keep_verdict(scorer, tmp_path)
        assert scorer.verdict is not None
        scorer.close()

    assert comparisons == ["openvino"]
    assert (tmp_path / VERDICTS_FILE).is_file()


def test_a_refusal_is_one_line_and_is_not_forgotten(
    tiny: ModelConfig, comparisons: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = open_scorer(tiny, tmp_path)
    assert scorer.verdict is not None
    scorer.verdict = replace(scorer.verdict, points=2.7)
    keep_verdict(scorer, tmp_path)

    with pytest.raises(ModelError, match=r"openvino .* does not score as LiteRT does here: .*tiny"):
        open_scorer(tiny, tmp_path)

    assert comparisons == ["openvino"]


def test_litert_is_compared_with_nothing(
    tiny: ModelConfig, comparisons: list[str], tmp_path: Path
) -> None:
    for runtime in (None, "litert"):
        scorer = open_scorer(tiny.model_copy(update={"runtime": runtime}), tmp_path)
        keep_verdict(scorer, tmp_path)

    assert comparisons == []
    assert not (tmp_path / VERDICTS_FILE).exists()


def test_without_litert_and_frames_the_other_interpreter_scores_with_a_warning(
    tiny: ModelConfig,
    comparisons: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(model, "is_installed", lambda _: False)

    scorer = open_scorer(tiny)

    assert scorer.verdict is None
    assert comparisons == []
    assert "runtime was not compared with LiteRT" in caplog.text


def test_a_verdict_that_cannot_be_kept_hinders_no_start(
    tiny: ModelConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scorer = open_scorer(tiny)

    keep_verdict(scorer, tmp_path / "none")

    assert "verdict on the runtime cannot be kept" in caplog.text
