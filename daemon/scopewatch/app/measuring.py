"""Makes the readers of the final day's fluorescence from the configuration."""

from scopewatch.config import Config
from scopewatch.core.imaging.fluorescence import no_recipe, read_fluorescence, thresholds_of
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.runtime.pipeline.frame_pipeline import Marker
from scopewatch.store.write.measuring import Measuring


def make_marker(config: Config, card: ModelCard) -> Marker | None:
    """Make what reads fluorescence frames; None where no channel of them is configured.

    Raises
    ------
    ModelError
        When the card does not say how fluorescence is binarised.
    """
    channel = config.experiment.fluorescence_channel
    if channel is None:
        return None
    if card.labels.recipe is None:
        raise no_recipe(card)
    return Marker(channel=channel, read=lambda frame, shape: read_fluorescence(frame, card, shape))


def make_measuring(config: Config, card: ModelCard) -> Measuring | None:
    """Gather what the store needs to measure a run; None where nothing measures it."""
    if config.experiment.fluorescence_channel is None or card.labels.recipe is None:
        return None
    return Measuring(
        thresholds=thresholds_of(card.labels),
        final_day=config.experiment.final_day,
        errors=card.errors,
        model_sha256=card.model_sha256,
        state=config.state.folder,
    )
