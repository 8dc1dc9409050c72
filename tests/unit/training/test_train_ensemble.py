"""Networks that are trained from different seeds and joined to one."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.bundle.gate import layer_errors
from scopewatch_training.dataset.settings import LabelSettings
from scopewatch_training.network import train_loop
from scopewatch_training.network.architecture import AREA_HEAD, TILE_HEAD, build_network
from scopewatch_training.network.checkpoint import load_checkpoint, save_checkpoint
from scopewatch_training.network.ensemble import join_networks, train_ensemble
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import NetworkSpec, plan_layers
from scopewatch_training.network.quantise import convert_int8, float_weights, load_float
from scopewatch_training.network.stages import Listener
from scopewatch_training.network.train_loop import Training, predict_logits
from tests.unit.training.tiny_data import make_frames
from tests.unit.training_network.spread_networks import spread_network

pytestmark = pytest.mark.training

SMALL = NetworkSpec(tile_px=16, width=16, depth=1)
SETTINGS = FitSettings(
    network=SMALL,
    labels=LabelSettings(tile_px=16),
    steps=4,
    batch=2,
    crop_px=64,
    checks=1,
    members=2,
)


class RecordedStages:
    """Listens to trainings and shows nothing."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.resumed_at: list[int] = []
        self.trained_at: list[int] = []
        self.reports: list[str] = []

    def training(self, title: str, steps: int) -> AbstractContextManager[Listener]:
        assert steps == SETTINGS.steps
        self.titles.append(title)
        return nullcontext(self)

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        raise AssertionError(what)

    def report(self, text: str) -> None:
        self.reports.append(text)

    def resumed(self, step: int) -> None:
        self.resumed_at.append(step)

    def found_trained(self, step: int) -> None:
        self.trained_at.append(step)

    def stepped(self, step: int, tile_loss: float) -> None:
        pass

    def checked(self, step: int, loss: float, *, best: bool) -> None:
        pass


def training(folder: Path | None = None, **changes: object) -> Training:
    return Training(
        settings=replace(SETTINGS, **changes),  # type: ignore[arg-type]
        frames=make_frames(4),
        held_out=(),
        clip=6.0,
        last_step=4,
        checkpoint=None if folder is None else folder / "all.npz",
        fingerprint="m",
    )


def test_the_logit_of_joined_networks_is_the_mean_of_theirs() -> None:
    networks = [build_network(SMALL, seed) for seed in range(3)]
    frames = make_frames(2)

    joined = join_networks(networks, SMALL)

    for one, *others in zip(
        predict_logits(joined, frames),
        *(predict_logits(network, frames) for network in networks),
        strict=True,
    ):
        np.testing.assert_allclose(one, np.mean(others, axis=0), atol=1e-4)


@pytest.mark.parametrize("context", ["full", "none"])
def test_the_logit_of_a_tile_is_the_mean_of_its_squares_where_brightness_is_learnt(
    context: str,
) -> None:
    spec = replace(SMALL, learns="brightness", context=context)  # type: ignore[arg-type]
    network = build_network(spec, 1)
    frames = make_frames(2)
    learning = predict_logits(network, frames)

    kept = join_networks([network], spec)

    assert {TILE_HEAD, AREA_HEAD} <= {layer.name for layer in kept.layers if layer.weights}
    for one, two in zip(predict_logits(kept, frames), learning, strict=True):
        assert one.shape == (8, 8)
        np.testing.assert_allclose(one, two, atol=1e-4)


def test_joined_networks_quantise_and_their_layers_are_compared_in_order() -> None:
    joined = join_networks([spread_network(SMALL, seed) for seed in range(2)], SMALL)
    model = convert_int8(joined, make_frames(3), SMALL.tile_px)

    errors = layer_errors(joined, SMALL, model, make_frames(1)[0])

    plan = [layer.name for layer in plan_layers(SMALL)]
    names = [f"{member}_{name}" for member in ("net1", "net2") for name in plan]
    assert list(errors) == [*names, "ramps", "probability"]
    assert max(errors[name] for name in names) < 0.15


def test_float_weights_of_joined_networks_can_be_stored(tmp_path: Path) -> None:
    joined = join_networks([build_network(SMALL, seed) for seed in range(2)], SMALL)
    (tmp_path / "float.npz").write_bytes(float_weights(joined))

    again = load_float(SETTINGS, tmp_path / "float.npz")

    frames = make_frames(1)
    np.testing.assert_array_equal(predict_logits(again, frames), predict_logits(joined, frames))


def test_a_network_that_was_trained_stays_the_first_when_others_are_asked_for(
    tmp_path: Path,
) -> None:
    frames = make_frames(1)
    stages = RecordedStages()
    first = train_ensemble(training(tmp_path, members=1), "all", stages).network
    alone = predict_logits(first, frames)[0]

    both = predict_logits(train_ensemble(training(tmp_path), "all", stages).network, frames)[0]

    assert stages.titles == ["all", "all, network 1 of 2", "all, network 2 of 2"]
    assert (stages.trained_at, stages.resumed_at) == ([4], [])
    other = 2 * both - alone
    assert np.abs(other - alone).max() > 0.01
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all-2.npz", "all.npz"]


def test_another_seed_with_the_same_checkpoints_starts_again_and_reports_it(tmp_path: Path) -> None:
    stages = RecordedStages()
    train_ensemble(training(tmp_path, members=1), "all", stages)
    train_ensemble(replace(training(tmp_path, members=1), fingerprint="seed 2"), "all", stages)

    assert stages.trained_at == []
    (line,) = stages.reports
    assert line.startswith("all: other settings or data than before; those are kept in ")
    train_ensemble(training(tmp_path, members=1), "all", stages)
    assert (stages.trained_at, stages.resumed_at) == ([4], [])


class CutOffStages(RecordedStages):
    """Ends a training at its third step."""

    def stepped(self, step: int, tile_loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt


def test_a_network_that_was_cut_off_goes_on_from_its_checkpoint_and_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_loop, "CHECKPOINT_STEPS", 2)
    with pytest.raises(KeyboardInterrupt):
        train_ensemble(training(tmp_path, members=1), "all", CutOffStages())

    stages = RecordedStages()
    train_ensemble(training(tmp_path, members=1), "all", stages)

    assert (stages.trained_at, stages.resumed_at) == ([], [2])


def test_a_network_that_early_stopping_had_ended_is_reported_as_trained(tmp_path: Path) -> None:
    request = replace(training(tmp_path, members=1), held_out=make_frames(1))
    path = tmp_path / "all.npz"
    stages = RecordedStages()
    train_ensemble(request, "all", stages)
    stored = load_checkpoint(path, "m")
    assert stored is not None
    ended = {**stored.facts, "step": 2, "stale": SETTINGS.patience}
    save_checkpoint(path, replace(stored, facts=ended))

    train_ensemble(request, "all", stages)

    assert (stages.trained_at, stages.resumed_at) == ([2], [])


@pytest.mark.parametrize("members", [0, 9])
def test_too_many_or_no_members_are_refused(members: int) -> None:
    with pytest.raises(ConfigError, match="members"):
        replace(SETTINGS, members=members)
