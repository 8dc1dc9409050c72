"""Whether a data set fits a bundle: the same normalisation and scale of the phase frames."""

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.dataset.prepared import Dataset


def refuse_other_views(bundle: Bundle, dataset: Dataset) -> None:
    """Refuse a data set that was normalised or scaled otherwise than the bundle's."""
    card = bundle.card
    if card.normalisation.spec() != dataset.normalisation:
        raise ConfigError(
            complaint(
                "data set is normalised otherwise than the bundle's",
                where=dataset.folder,
                expected=card.normalisation.spec(),
                got=dataset.normalisation,
                do="prepare the data set with the bundle's normalisation",
            )
        )
    known = card.um_per_px is not None and dataset.um_per_px is not None
    if known and abs(dataset.um_per_px / card.um_per_px - 1) > 0.02:  # type: ignore[operator]
        raise ConfigError(
            complaint(
                "data set has another scale than the bundle",
                where=dataset.folder,
                expected=f"{card.um_per_px} um/px",
                got=f"{dataset.um_per_px} um/px",
                do=f"prepare it with --um-per-px {card.um_per_px}",
            )
        )
