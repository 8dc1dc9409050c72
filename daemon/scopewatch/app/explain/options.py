"""The options of the command line for reading files; what is not given has a default."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError, complaint


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """Options of a call; None where it does not say."""

    pattern: str | None = None
    position: str | None = None
    z: int | Literal["sharpest"] | None = None
    um_per_px: float | None = None
    clock_zone: str | None = None
    plate_wells: int | None = None
    channel: str | None = None
    interval_h: float | None = None
    counts_from: Mapping[str, str] | None = None
    channel_names: Mapping[str, str] | None = None
    wells: Mapping[str, str] | None = None

    @property
    def zone(self) -> tzinfo | None:
        """Zone of times without one; None: this machine's."""
        return None if self.clock_zone is None else ZoneInfo(self.clock_zone)

    def source(self, path: Path, *, default_pattern: str) -> FolderSourceConfig:
        """Return the configuration of a folder source that reads like this.

        Raises
        ------
        ConfigError
            When an option is wrong.
        """
        given = {
            "pattern": self.pattern or default_pattern,
            "position": self.position,
            "z": self.z,
            "um_per_px": self.um_per_px,
            "clock_zone": self.clock_zone,
            "plate_wells": self.plate_wells,
            "counts_from": self.counts_from,
            "channel_names": self.channel_names,
            "wells": self.wells,
        }
        known = {name: value for name, value in given.items() if value is not None}
        try:
            return FolderSourceConfig.model_validate({"kind": "folder", "path": path, **known})
        except ValidationError as error:
            first = error.errors()[0]
            option = "--" + str(first["loc"][0]).replace("_", "-")
            raise ConfigError(
                complaint(
                    "option is wrong",
                    where=option,
                    got=first["input"],
                    expected=first["msg"].removeprefix("Value error, "),
                    do="correct it",
                )
            ) from error

    def run(self, name: str) -> RunConfig:
        """Return the run that is assumed."""
        given = {"phase_channel": self.channel, "interval_h": self.interval_h}
        known = {name: value for name, value in given.items() if value is not None}
        return RunConfig.model_validate({"name": name, **known})
