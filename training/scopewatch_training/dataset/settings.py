"""Settings of `prepare` and of labelling, recorded with the data set.

The core owns those of labelling: the daemon labels the fluorescence of the final day alike.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from scopewatch.core.imaging.label_settings import BinariseSettings, LabelSettings, require
from scopewatch.core.imaging.normalise import NormaliseSpec

__all__ = ["BinariseSettings", "LabelSettings", "PrepareSettings", "require"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings:
    """Settings by which pairs become views and signals.

    Parameters
    ----------
    marker
        What the fluorescence shows (`NKX2.5-GFP`); goes on the model card.
    normalisation
        Of the phase frame; the daemon will use the same.
    register
        Whether the fluorescence is shifted onto the phase frame.
    max_shift_px
        Shifts are looked for up to this many pixels each way.
    min_confidence
        A pair whose registration is less sure is refused, 0 to 1; see `registration`.
    smooth_px
        Standard deviation of the Gaussian that takes the camera's noise out of the signal.
    glow_px, glow_share
        A pixel with less than this share of the brightest signal within so many pixels is glow,
        and no cell; see `core.imaging.fluorescence_signal.remove_glow`. 0 px: no removal.
    um_per_px
        All pairs are brought to this scale; None keeps theirs, which must then be one.
    """

    marker: str = "fluorescence"
    normalisation: NormaliseSpec = field(default_factory=NormaliseSpec)
    register: bool = True
    max_shift_px: float = 20.0
    min_confidence: float = 0.5
    smooth_px: float = 1.0
    glow_px: int = 0
    glow_share: float = 0.3
    um_per_px: float | None = None

    def __post_init__(self) -> None:
        require(bool(self.marker.strip()), "marker", "a name", repr(self.marker))
        require(1 <= self.max_shift_px <= 200, "max_shift_px", "1 to 200", self.max_shift_px)
        require(0 <= self.min_confidence < 1, "min_confidence", "0 to 1", self.min_confidence)
        require(0 <= self.smooth_px <= 10, "smooth_px", "0 to 10", self.smooth_px)
        require(0 <= self.glow_px <= 200, "glow_px", "0 to 200", self.glow_px)
        require(0 < self.glow_share < 1, "glow_share", "above 0, below 1", self.glow_share)
        require(
            self.um_per_px is None or 0 < self.um_per_px < 1000,
            "um_per_px",
            "0 to 1000",
            self.um_per_px,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "PrepareSettings":
        """Read what `to_json` wrote."""
        return cls(**{**values, "normalisation": NormaliseSpec(**values["normalisation"])})
