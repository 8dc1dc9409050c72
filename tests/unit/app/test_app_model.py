from pathlib import Path

import pytest

from scopewatch.app.model import mark_simulated, open_scorer
from scopewatch.config import Config, ModelConfig
from scopewatch.core.errors import ModelError
from tests.unit.core.samples import make_card


@pytest.mark.parametrize(
    ("images", "model", "marked"),
    [(False, False, False), (True, False, True), (False, True, True), (True, True, True)],
)
def test_results_are_simulated_when_images_or_model_are(
    images: bool, model: bool, marked: bool
) -> None:
    config = Config.model_validate(
        {
            "experiment": {"name": "run 1", "simulated": images},
            "model": {"bundle": "m"},
            "sources": [{"kind": "folder", "path": "in"}],
        }
    )
    card = make_card().model_copy(update={"simulated": model})
    assert mark_simulated(config, card).experiment.simulated is marked


def test_a_bundle_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model bundle does not exist"):
        open_scorer(ModelConfig(bundle=tmp_path / "none"))
