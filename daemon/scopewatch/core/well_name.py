"""Names of wells."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WellName:
    """Which well of which plate of which differentiation run."""

    experiment: str
    plate: str
    well: str

    def __str__(self) -> str:
        return f"{self.experiment} / {self.plate} / {self.well}"
