"""Any plan of an acquisition as what is shown of it: where it images, how long, how much."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from scopewatch.app.planning.acquisitions import project_source
from scopewatch.config import (
    Config,
    MicroManagerSourceConfig,
    PlateConfig,
    PositionConfig,
    RunConfig,
    load_config,
)
from scopewatch.core.alerts.scope import well_order
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.images import planned_key
from scopewatch.sources.micromanager.plan import check_plan
from scopewatch.sources.micromanager.plans.limits import too_large, too_long
from scopewatch.sources.micromanager.plans.on_disk import free_bytes, look_on_disk
from scopewatch.sources.micromanager.plans.projection import Projection
from scopewatch.sources.micromanager.plans.settled import (
    import_plan,
    load_plan_file,
    settle_plan,
)

# Of a plan by itself, which belongs to no run yet.
_NOBODY: Final = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSite:
    """A position of a plan, and the well and site that its frames will have."""

    position: PositionConfig
    well: str
    site: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPlan:
    """A plan as it is shown.

    Parameters
    ----------
    summary
        What it is and where it comes from.
    settled
        The source with all that the plan says.
    free_bytes
        Where the images would be written; None for a plan by itself.
    over
        Time points that are over already.
    """

    summary: str
    settled: MicroManagerSourceConfig
    plate: PlateConfig | None
    sites: tuple[PlannedSite, ...]
    projection: Projection
    free_bytes: int | None
    over: int

    @property
    def wells(self) -> Mapping[str, int]:
        """Number of sites of each well, in the order of the plate."""
        counted = Counter(each.well for each in self.sites)
        return {well: counted[well] for well in sorted(counted, key=well_order)}

    @property
    def counted(self) -> str:
        """How many positions in how many wells."""
        sites, wells = len(self.sites), len(self.wells)
        return (
            f"{sites} position{'s' if sites > 1 else ''} in {wells} well{'s' if wells > 1 else ''}"
        )

    @property
    def note(self) -> str:
        """What may stand in the way, by the assumed size of images; '' where nothing does."""
        if self.free_bytes is None or not self.projection.frame.assumed:
            return ""
        found = too_large(self.projection, self.over, self.free_bytes, self.settled.path)
        return "" if found is None else str(found)

    @property
    def refusals(self) -> tuple[str, ...]:
        """Why it cannot be done; none where it can."""
        where = f"source {self.settled.name!r}"
        found = [too_long(self.projection, where)]
        if self.free_bytes is not None and not self.projection.frame.assumed:
            found.append(too_large(self.projection, self.over, self.free_bytes, self.settled.path))
        return tuple(str(each) for each in found if each is not None)


def show_plan(
    path: Path | None, config: Path | None, source: str | None, changes: Mapping[str, Any]
) -> ShownPlan:
    """Read a plan: that of a configuration, or a file of positions by itself or for one.

    Parameters
    ----------
    path
        A configuration, a position list, or a plan of useq-schema; None: that of `config`.
    config
        The configuration that a plan is read by; None for a plan by itself.
    source
        Which source, where a configuration has several that acquire.
    changes
        Settings of the source that are tried instead, also those within `projection`.

    Raises
    ------
    ConfigError
        When something cannot be read, or would image another place than it says.
    """
    raw = None if path is None else load_plan_file(path)
    if path is None or raw is None or "sources" in raw:
        if path is not None and config is not None:
            raise ConfigError(
                complaint(
                    "two configurations are named",
                    where=f"{path} and {config}",
                    do="name one, or a plan and the configuration it is for",
                )
            )
        named = path or config or Path("config.yaml")
        found = load_config(named)
        return _shown(_chosen(found, source), found.experiment, named, changes)
    if config is not None:
        found = load_config(config)
        given = _chosen(found, source).model_copy(
            update={"plan": path, "plate": None, "positions": ()}
        )
        return _shown(given, found.experiment, path, changes, raw=raw)
    alone = MicroManagerSourceConfig(
        kind="micromanager", name=_NOBODY, mode="acquire", path=path, plan=path
    )
    # Nothing is known of its microscope, nor of where images go.
    return _shown(alone, RunConfig(name=_NOBODY), path, changes, raw=raw, alone=True)


def _chosen(config: Config, name: str | None) -> MicroManagerSourceConfig:
    sources = config.acquiring
    found = [each for each in sources if name in (None, each.name)]
    if len(found) != 1:
        names = ", ".join(each.name for each in sources)
        raise ConfigError(
            complaint(
                "no source acquires" if not sources else "it is not clear which source is meant",
                where="sources of kind micromanager and mode acquire",
                got=names or "none",
                do="name one with --source" if sources else "name a plan: a .pos or useq file",
            )
        )
    return found[0]


def _changed(
    source: MicroManagerSourceConfig, changes: Mapping[str, Any]
) -> MicroManagerSourceConfig:
    """Return the source with other settings. Raises ConfigError."""
    raw = source.model_dump(exclude_unset=True)
    known = type(source.projection).model_fields
    inner = {key: value for key, value in changes.items() if key in known}
    raw |= {key: value for key, value in changes.items() if key not in inner}
    raw["projection"] = source.projection.model_dump(exclude_unset=True) | inner
    try:
        return MicroManagerSourceConfig.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(
            complaint(
                "option cannot be used",
                where=".".join(str(part) for part in first["loc"]),
                got=first["msg"],
                do="see scopewatch plan --help",
            )
        ) from error


def _shown(
    source: MicroManagerSourceConfig,
    run: RunConfig,
    where: Path,
    changes: Mapping[str, Any],
    *,
    raw: Mapping[str, Any] | None = None,
    alone: bool = False,
) -> ShownPlan:
    found = import_plan(source, raw)
    settled = _changed(settle_plan(source, run, found=found, stages=not alone), changes)
    settings = reading_settings(settled, run)
    check_plan(settled, settings)
    keys = [planned_key((0, each.label, None), settings) for each in settled.positions]
    path = settled.path
    on_disk = look_on_disk(path, run.name)
    projection = project_source(settled, run, on_disk)
    return ShownPlan(
        summary=f"{where}: "
        + ("positions of the configuration" if found is None else found.summary),
        settled=settled,
        plate=source.plate,
        sites=tuple(
            PlannedSite(position=position, well=key.well, site=key.site)
            for position, key in zip(settled.positions, keys, strict=True)
        ),
        projection=projection,
        free_bytes=None if alone else free_bytes(path),
        over=0 if alone else min(on_disk.over, projection.time_points),
    )
