"""Names of wells."""

from dataclasses import dataclass, field

from scopewatch.core.public_names import AS_EXPERIMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class WellName:
    """Which well of which plate of which differentiation run."""

    run: str = field(metadata=AS_EXPERIMENT)
    plate: str
    well: str

    def __str__(self) -> str:
        return f"{self.run} / {self.plate} / {self.well}"
