"""Settings by which fluorescence becomes labels; recorded with a data set and on the model card."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from scopewatch.core.errors import ConfigError, complaint

Method = Literal["otsu", "triangle", "mad", "fixed", "control"]
Scope = Literal["per-frame", "per-run", "pooled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BinariseSettings:
    """How a fluorescence signal becomes positive and negative pixels.

    Parameters
    ----------
    method
        otsu: from the histogram, on a scale that is linear within `knee_sigmas` of noise and
        logarithmic above, so that few bright pixels do not rule. triangle: from the histogram
        on the linear scale; for few positive pixels on much background.
        mad: median + `mad_k` robust standard deviations of the background.
        fixed: `fixed_counts` above the background.
        control: the `control_quantile` of reporter-free pairs.
    scope
        per-run: each run by its own histogram (staining and exposure differ between runs).
        pooled: one threshold from all training runs. per-frame: each frame by its own.
        Where None, control and fixed are pooled and the others per-run.
    controls
        For method control: patterns of reporter-free pairs, `run/plate/well` with wildcards.
    floor_sigmas
        No threshold lies below this many standard deviations of the camera's noise.
    min_snr
        A run (or frame) whose 99.9th percentile stays below this many standard deviations of
        the noise has no signal: all of it is negative.
    """

    method: Method = "otsu"
    scope: Scope | None = None
    knee_sigmas: float = 30.0
    mad_k: float = 20.0
    fixed_counts: float | None = None
    controls: tuple[str, ...] = ()
    control_quantile: float = 0.999
    floor_sigmas: float = 5.0
    min_snr: float = 8.0

    def __post_init__(self) -> None:
        methods, scopes = get_args(Method), get_args(Scope)
        require(self.method in methods, "method", ", ".join(methods), self.method)
        require(self.scope in (None, *scopes), "scope", ", ".join(scopes), self.scope)
        require(self.knee_sigmas > 0, "knee_sigmas", "above 0", self.knee_sigmas)
        require(self.mad_k > 0, "mad_k", "above 0", self.mad_k)
        require(
            (self.method == "fixed") == (self.fixed_counts is not None),
            "fixed_counts",
            "a number for method fixed, and for no other",
            self.fixed_counts,
        )
        require(
            (self.method == "control") == bool(self.controls),
            "controls",
            "names of reporter-free pairs for method control, and for no other",
            list(self.controls),
        )
        require(
            0.5 <= self.control_quantile < 1,
            "control_quantile",
            "0.5 to 1",
            self.control_quantile,
        )
        require(self.floor_sigmas >= 0, "floor_sigmas", "0 or more", self.floor_sigmas)
        require(self.min_snr >= 0, "min_snr", "0 or more", self.min_snr)

    @property
    def effective_scope(self) -> Scope:
        """The scope, with its default filled in."""
        if self.scope is not None:
            return self.scope
        return "pooled" if self.method in ("fixed", "control") else "per-run"

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return {**asdict(self), "controls": list(self.controls)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "BinariseSettings":
        """Read what `to_json` wrote."""
        return cls(**{**values, "controls": tuple(values["controls"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSettings:
    """How positive pixels become tile labels.

    Parameters
    ----------
    tile_px
        Side of a tile.
    area_cutoff
        A tile is 1 when at least this share of its area is positive.
    ambiguous_band
        Tiles within +-this share of the cut-off are not counted.
    max_unknown
        A tile with a larger share of unknown pixels (beyond the shifted fluorescence, black,
        burnt out) does not count.
    """

    tile_px: int = 32
    area_cutoff: float = 0.05
    ambiguous_band: float = 0.0
    max_unknown: float = 0.25

    def __post_init__(self) -> None:
        require(8 <= self.tile_px <= 256, "tile_px", "8 to 256", self.tile_px)
        require(0 < self.area_cutoff <= 1, "area_cutoff", "above 0, up to 1", self.area_cutoff)
        require(
            0 <= self.ambiguous_band < self.area_cutoff,
            "ambiguous_band",
            "0 up to area_cutoff",
            self.ambiguous_band,
        )
        require(0 <= self.max_unknown < 1, "max_unknown", "0 to 1", self.max_unknown)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self)


def require(holds: bool, name: str, expected: object, got: object) -> None:
    """Raise ConfigError naming a setting that does not hold."""
    if not holds:
        raise ConfigError(
            complaint("setting is wrong", where=name, expected=expected, got=got, do="correct it")
        )
