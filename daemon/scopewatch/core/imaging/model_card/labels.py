"""How the labels of the training frames were made, as the model card states it."""

from pydantic import Field

from scopewatch.core.imaging.label_settings import Method, Scope
from scopewatch.core.imaging.model_card.base import Fraction, Strict


class LabelRecipe(Strict):
    """The numbers by which fluorescence became labels; see `core.imaging.label_settings`.

    With them the daemon labels the fluorescence of the final day as training labelled its own.
    """

    method: Method
    scope: Scope
    knee_sigmas: float = Field(gt=0)
    mad_k: float = Field(gt=0)
    fixed_counts: float | None
    controls: tuple[str, ...]
    control_quantile: Fraction
    floor_sigmas: float = Field(ge=0)
    min_snr: float = Field(ge=0)
    pooled_counts: float | None = Field(
        description="the one threshold of the training runs, where the scope is pooled"
    )
    ambiguous_band: Fraction
    max_unknown: Fraction
    smooth_px: float = Field(ge=0, description="Gaussian that took the noise out of the signal")
    glow_px: int = Field(
        default=0, ge=0, le=200, description="how far the glow about bright cells was removed"
    )
    glow_share: Fraction = Field(
        default=0.3, description="share of the brightest within glow_px that makes a pixel a cell's"
    )


class LabelCorrections(Strict):
    """How much people corrected in the labels of the training runs; see docs/training.md."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of all that changes a label")
    tiles: int = Field(ge=0, description="tiles with a label that a person gave")
    pairs_dropped: int = Field(ge=0, description="pairs that were left out")


class Labels(Strict):
    """How fluorescence became tile labels."""

    marker: str = Field(description="what the fluorescence shows, e.g. NKX2.5-GFP")
    binarisation: str = Field(description="method and its fitted threshold in words")
    area_cutoff: Fraction = Field(description="positive share of a tile's area that makes it 1")
    recipe: LabelRecipe | None = Field(
        default=None, description="None: of a bundle made before the card carried it"
    )
    corrections: LabelCorrections | None = Field(
        default=None, description="None: all labels are as the fluorescence gave them"
    )
