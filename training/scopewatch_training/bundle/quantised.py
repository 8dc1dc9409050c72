"""Converts a network to int8 and checks it at the gate."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from scopewatch_training.bundle.agreement import Agreement, compare_scores
from scopewatch_training.bundle.gate import OpenScorer, refuse_disagreement
from scopewatch_training.network.area_output import add_squares
from scopewatch_training.network.batches import TrainingFrame
from scopewatch_training.network.calibrate import ScoredFrame
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.frames import score_frames
from scopewatch_training.network.quantise import convert_int8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantised:
    """An int8 network with its float network, and the scores that both gave to the same frames.

    Parameters
    ----------
    model
        The TFLite file.
    frames
        Frames that both scored.
    exact, rounded
        Probabilities of the float network and of the int8 network.
    """

    network: keras.Model
    settings: FitSettings
    model: bytes
    frames: Sequence[TrainingFrame]
    exact: Sequence[ScoredFrame]
    rounded: Sequence[ScoredFrame]

    @property
    def where(self) -> str:
        """Name the runs of the frames."""
        return f"runs {', '.join(sorted({frame.run for frame in self.frames}))}"

    def pass_gate(self, threshold: float, where: str) -> Agreement:
        """Return how far the two networks differ.

        Parameters
        ----------
        threshold
            Of the decision, as a probability.
        where
            Names the frames in the refusal.

        Raises
        ------
        ModelError
            When they differ too much; it names the layer that differs most.
        """
        agreement = compare_scores(self.exact, self.rounded, threshold)
        refuse_disagreement(
            agreement, where, self.network, self.settings.network, self.model, self.frames[0]
        )
        return agreement


def quantise(
    network: keras.Model,
    settings: FitSettings,
    *,
    training: Sequence[TrainingFrame],
    frames: Sequence[TrainingFrame],
    exact: Sequence[ScoredFrame],
    open_scorer: OpenScorer,
    tiles_of: bytes | None = None,
) -> Quantised:
    """Convert a calibrated network to int8 and score frames with it.

    Parameters
    ----------
    training
        Frames that set the ranges of the activations.
    frames
        Frames that the int8 network scores, for the gate.
    exact
        Probabilities that the float network gave to the same frames.
    tiles_of
        An earlier file of the same network, whose tiles stay as they are; the squares are added.
    """
    model = convert_int8(network, training, settings.labels.tile_px)
    if tiles_of is not None:
        model = add_squares(tiles_of, model)
    return Quantised(
        network=network,
        settings=settings,
        model=model,
        frames=frames,
        exact=exact,
        rounded=score_frames(open_scorer(model), frames, settings.labels),
    )
