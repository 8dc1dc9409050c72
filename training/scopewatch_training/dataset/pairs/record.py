"""Record of a pair: one phase frame and its signal, with what was measured on both."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from scopewatch.core.imaging.histogram import BINS, Counts
from scopewatch_training.dataset.looks import Look
from scopewatch_training.dataset.pairs.background import Background
from scopewatch_training.dataset.pairs.brightness import Brightness


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """One phase frame and its signal, or the reason why it was refused.

    Parameters
    ----------
    id
        Unique name, fit for a file.
    phase, fluorescence
        The pictures it was made from.
    height, width
        Of view and signal, in pixels; 0 when refused.
    offset_px
        (dy, dx) of the fluorescence against the phase frame, that was undone.
    registration_confidence
        0 to 1; 0 where the offset was not measured on this pair.
    note
        Exceptional processing, in words.
    refused
        Why the pair is not used; None when it is.
    noise
        Standard deviation of the camera's noise in the signal, in counts.
    histogram
        (512,) int64, `histogram.count_signal` of the signal.
    measures
        `core.imaging.quality.measure` of the phase frame.
    source_sha256
        Hash of the two pictures' pixels.
    phase_look, fluorescence_look
        Descriptions of the two pictures, as they were read.
    role_score
        `looks.role_score`; None where the pictures show too little to judge by.
    lit
        Share of squares of 64 px of the fluorescence that show signal clearly above the noise; 0
        where it is a mask.
    moved_px, moved_at_px
        Largest offset that parts of the pair keep after its own was undone, where one is sure,
        and (row, column) of that part; 0 and None where none disagrees, see `local_offsets`.
    light
        Brightness of the fluorescence picture.
    see_through
        `see_through.measure_see_through`; 0 for masks.
    scale_ratio
        Pixel size by the manifest over that by the phase file; 1 where one of them states none.
    background
        Background of the fluorescence by place.
    black
        Share of the field that one of both pictures does not show, see `gaps`.
    phase_top
        Where the phase frame has its highest count, as `Brightness.top`.
    pages
        Pages of the files of phase and fluorescence; 1 of a data set, and where not counted.
    shared_noise
        `shared_noise.measure_shared_noise`; 0 for masks.
    enclosed
        `regions.measure_enclosed` of a mask, or of the pixels at the highest count.
    """

    id: str
    run: str
    plate: str
    well: str
    site: int
    time_point: int
    day: float | None
    phase: str
    fluorescence: str
    height: int = 0
    width: int = 0
    um_per_px: float | None = None
    offset_px: tuple[float, float] = (0.0, 0.0)
    registration_confidence: float = 0.0
    note: str = ""
    refused: str | None = None
    view: str = ""
    signal: str = ""
    noise: float = 0.0
    histogram: Counts = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))
    measures: dict[str, float] = field(default_factory=dict)
    source_sha256: str = ""
    phase_look: Look = field(default_factory=Look)
    fluorescence_look: Look = field(default_factory=Look)
    role_score: float | None = None
    lit: float = 0.0
    moved_px: float = 0.0
    moved_at_px: tuple[int, int] | None = None
    light: Brightness = field(default_factory=Brightness)
    see_through: float = 0.0
    scale_ratio: float = 1.0
    background: Background = field(default_factory=Background)
    black: float = 0.0
    phase_top: tuple[int, int, int, int] | None = None
    pages: tuple[int, int] = (1, 1)
    enclosed: float = 0.0
    shared_noise: float = 0.0

    @property
    def group(self) -> str:
        """`run/plate/well`: fields of one well belong together."""
        return f"{self.run}/{self.plate}/{self.well}"

    @property
    def registered(self) -> bool:
        """Whether its offset was measured on its own pictures."""
        return self.registration_confidence > 0

    @property
    def place(self) -> str:
        """Where in its run it was taken, in words."""
        words = f"plate {self.plate}, well {self.well}, site {self.site}"
        return f"{words}, time point {self.time_point}"

    def __str__(self) -> str:
        return f"{self.group}/s{self.site}/t{self.time_point:04d}"

    def to_json(self) -> dict[str, Any]:
        """Return the pair as JSON values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            **values,
            "offset_px": list(self.offset_px),
            "histogram": self.histogram.tolist(),
            "phase_look": asdict(self.phase_look),
            "fluorescence_look": asdict(self.fluorescence_look),
            "light": asdict(self.light),
            "background": asdict(self.background),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Pair":
        """Read what `to_json` wrote."""
        histogram = np.array(values["histogram"], dtype=np.int64)
        dy, dx = values["offset_px"]
        looks = {name: Look(**values.get(name, {})) for name in ("phase_look", "fluorescence_look")}
        place, top = values.get("moved_at_px"), values.get("phase_top")
        light = Brightness.from_json(values.get("light", {}))
        background = Background.from_json(values.get("background", {}))
        made: dict[str, Any] = {
            "offset_px": (dy, dx),
            "histogram": histogram,
            "light": light,
            **looks,
        }
        made["background"] = background
        made["moved_at_px"] = None if place is None else tuple(place)
        made["phase_top"] = None if top is None else tuple(top)
        made["pages"] = tuple(values.get("pages", (1, 1)))
        return cls(**{**values, **made})


def group_by_run(pairs: Iterable[Pair]) -> dict[str, tuple[Pair, ...]]:
    """Pairs by their run, in order."""
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.run, []).append(pair)
    return {run: tuple(members) for run, members in groups.items()}


def refused(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    """Name and reason of each refused pair."""
    return [(str(pair), pair.refused) for pair in pairs if pair.refused is not None]
