"""Checkpoints that survive a kill."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.network.checkpoint import (
    Checkpoint,
    load_checkpoint,
    make_way,
    save_checkpoint,
)


def sample(step: int = 3) -> Checkpoint:
    arrays = {"weights": [np.arange(6.0).reshape(2, 3), np.zeros(0)], "best": []}
    return Checkpoint(fingerprint="abc", facts={"step": step, "loss": None}, arrays=arrays)


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "new" / "a.npz", sample())

    back = load_checkpoint(tmp_path / "new" / "a.npz", "abc")

    assert back is not None
    assert back.facts == {"step": 3, "loss": None}
    assert [array.tolist() for array in back.arrays["weights"]] == [[[0, 1, 2], [3, 4, 5]], []]
    assert back.arrays["best"] == []


def test_no_file_is_no_checkpoint(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "a.npz", "abc") is None


def test_a_write_that_was_cut_off_leaves_the_former_one(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_checkpoint(path, sample(step=1))
    path.with_name(f".{path.name}.part").write_bytes(path.read_bytes()[:100])

    back = load_checkpoint(path, "abc")

    assert back is not None
    assert back.facts["step"] == 1


def test_other_settings_start_again_and_those_of_before_go_on_where_they_were(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.npz"
    save_checkpoint(path, sample(step=7))

    assert make_way(path, "abc") is None
    aside = make_way(path, "other")

    assert aside is not None
    assert (aside.is_file(), load_checkpoint(path, "other")) == (True, None)
    save_checkpoint(path, replace(sample(step=2), fingerprint="other"))
    make_way(path, "abc")
    back = load_checkpoint(path, "abc")
    assert back is not None
    assert back.facts["step"] == 7
    make_way(path, "other")
    again = load_checkpoint(path, "other")
    assert again is not None
    assert again.facts["step"] == 2


def test_a_damaged_checkpoint_is_left_to_be_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK")
    assert make_way(path, "abc") is None
    with pytest.raises(ConfigError, match="cannot be read"):
        load_checkpoint(path, "abc")


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_checkpoint(path, sample())

    with pytest.raises(ConfigError) as caught:
        load_checkpoint(path, "other")

    assert str(caught.value) == (
        f"checkpoint belongs to other settings or data: {path} (expected other, got abc);"
        " give the settings it was begun with, or delete its folder to start again"
    )


@pytest.mark.parametrize("keep", [0, 50, 400])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.npz"
    save_checkpoint(path, sample())
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(ConfigError, match="checkpoint cannot be read: "):
        load_checkpoint(path, "abc")
