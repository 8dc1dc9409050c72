"""Which runs a command trains on: each is held out, excluded or trained on, and one at least is."""

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.cli.arguments import runs_of
from scopewatch_training.dataset.prepared import Dataset
from tests.unit.training_doubts.changed_runs import prepare_runs

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return prepare_runs(tmp_path_factory.mktemp("runs"), lambda field, _: field)


def test_what_is_neither_held_out_nor_excluded_is_trained_on(made: Dataset) -> None:
    assert runs_of(made, hold_out=["r1"], exclude=["r3"]) == ("r2",)


@pytest.mark.parametrize(
    ("hold_out", "exclude", "begin", "got"),
    [
        (["r1", "r2"], ["r2"], "run is held out and excluded", "got r2 with both"),
        (["r1", "r2"], ["r3"], "no run is left to train on", "all of r1, r2, r3"),
        (["r1"], ["r4"], "run is not in the data set", "got r4"),
    ],
)
def test_a_choice_of_runs_that_cannot_be_meant_is_one_line(
    made: Dataset, hold_out: list[str], exclude: list[str], begin: str, got: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        runs_of(made, hold_out=hold_out, exclude=exclude)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{begin}: {made.folder}")
    assert got in line
