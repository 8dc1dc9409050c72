"""From a configuration that names a plan or a plate to one that holds its positions.

All that acquires, checks and projects works on the settled configuration, so that a plan is read
in one place. A reload reads it again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scopewatch.config import (
    FocusConfig,
    MicroManagerSourceConfig,
    PhaseConfig,
    RunConfig,
    ZStackConfig,
)
from scopewatch.config.small_file import read_small_file
from scopewatch.core.errors import ConfigError, FrameError, SourceError, complaint
from scopewatch.core.strict_yaml import parse_yaml
from scopewatch.sources.base.reading import ReadingSettings, reading_settings
from scopewatch.sources.micromanager.images import planned_key
from scopewatch.sources.micromanager.plans.imported import Imported
from scopewatch.sources.micromanager.plans.plate import plate_positions
from scopewatch.sources.micromanager.plans.pos_list import is_pos_list, read_pos_list
from scopewatch.sources.micromanager.plans.useq_file import read_useq
from scopewatch.sources.micromanager.setup_files import adapters_folder, commands, hardware_file
from scopewatch.sources.micromanager.stacks.planned import with_stacked_channels

_MOST_BYTES: Final = 32 * 1024 * 1024
_CORE_STAGES: Final = {"XYStage": "xy_stage", "Focus": "z_stage"}
# `Property,Core,XYStage,TIXYDrive`
_CORE_FIELDS: Final = 4


def settle_plan(
    config: MicroManagerSourceConfig,
    run: RunConfig,
    *,
    found: Imported | None = None,
    stages: bool = True,
) -> MicroManagerSourceConfig:
    """Return a source with the positions, channels and times of the plan or plate it names.

    Parameters
    ----------
    found
        The plan or plate, where it was read already.
    stages
        Whether the plan must be for the stages of the core that the source is set for.

    Raises
    ------
    ConfigError
        When `position` of the source is wrong; when the plan cannot be read, asks for what is not
        done, contradicts the source, is for other stages than the core's, or has labels that
        `position` reads as other wells.
    """
    settings = reading_settings(config, run)
    found = found or import_plan(config)
    if found is None:
        return with_stacked_channels(config, settings)
    where = f"source {config.name!r}"
    settled = _merged(config, found, where)
    if stages:
        _check_stages(config, found, where)
    _check_labels(settings, found, where)
    return with_stacked_channels(settled, settings)


def import_plan(
    config: MicroManagerSourceConfig, raw: Mapping[str, Any] | None = None
) -> Imported | None:
    """Return the plan or plate that a source names; None where it holds its positions itself.

    Parameters
    ----------
    raw
        What the file of the plan holds, where it was read already.
    """
    if config.plan is not None:
        return read_plan(load_plan_file(config.plan) if raw is None else raw, config.plan)
    if config.plate is not None:
        return plate_positions(config.plate, f"plate of the source {config.name!r}")
    return None


def read_plan(raw: Mapping[str, Any], path: Path) -> Imported:
    """Read a plan that was made elsewhere. Raises ConfigError."""
    if is_pos_list(raw):
        return read_pos_list(raw, path)
    return read_useq(raw, path)


def load_plan_file(path: Path) -> dict[str, Any]:
    """Return what a file of JSON or YAML holds. Raises ConfigError."""
    try:
        text = read_small_file(path, _MOST_BYTES, "utf-8-sig")
        raw = json.loads(text) if text.lstrip().startswith("{") else parse_yaml(text)
        if not isinstance(raw, dict):
            raise ValueError("no keys at its top")
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            complaint(
                "plan cannot be read",
                where=path,
                expected="a position list of Micro-Manager (.pos), or an MDASequence of"
                " useq-schema (YAML, JSON)",
                got=str(error) or "too deeply nested",
                do="correct the path, or save the plan again",
            )
        ) from error
    return raw


def _merged(
    config: MicroManagerSourceConfig, found: Imported, where: str
) -> MicroManagerSourceConfig:
    """Return the source as the plan has it; refuse settings that both give and that differ."""
    problems = []
    given = config.model_fields_set
    update: dict[str, Any] = {"positions": found.positions, "plan": None, "plate": None}
    for name, planned in (
        ("channels", found.channels or None),
        ("interval_s", found.interval_s),
        ("time_points", found.time_points),
        ("phases", found.phases or None),
        ("z_stack", found.z_stack),
        ("focus", found.focus),
    ):
        if planned is None:
            continue
        set_here = getattr(config, name)
        if name in given and set_here and not _is_same(set_here, planned):
            problems.append(
                ConfigError(
                    complaint(
                        f"{name} of the plan and of the configuration differ",
                        where=f"{where}, plan {config.plan}",
                        expected="one of them, or both alike",
                        got=f"{_shown(planned)} in the plan, {_shown(set_here)} in the"
                        " configuration",
                        do=f"leave {name} out of the configuration, or correct it",
                    )
                )
            )
        update[name] = planned
    problems += _two_timings(config, found, where)
    if problems:
        raise ConfigError("\n".join(map(str, problems)))
    return config.model_copy(update=update)


def _two_timings(
    config: MicroManagerSourceConfig, found: Imported, where: str
) -> list[ConfigError]:
    """Refuse phases on one side and a single interval on the other."""
    single = {"interval_s", "time_points"} & config.model_fields_set
    if not ((found.phases and single) or (config.phases and found.time_points is not None)):
        return []
    return [
        ConfigError(
            complaint(
                "times of the plan and of the configuration differ",
                where=f"{where}, plan {config.plan}",
                expected="one of them, or both alike",
                got="phases in the plan, an interval in the configuration"
                if found.phases
                else "an interval in the plan, phases in the configuration",
                do="leave interval_s, time_points and phases out of the configuration",
            )
        )
    ]


def _is_same(one: object, other: object) -> bool:
    """Tell whether two settings say the same; planes may be written in several forms."""
    if isinstance(one, ZStackConfig) and isinstance(other, ZStackConfig):
        return one.planes_um == other.planes_um
    return one == other


def _shown(value: object) -> str:
    if isinstance(value, ZStackConfig):
        return f"planes at {', '.join(f'{each:g}' for each in value.planes_um)} um"
    if isinstance(value, tuple):
        return ", ".join(
            f"{each.time_points} x {each.interval_s:g} s"
            if isinstance(each, PhaseConfig)
            else f"{each.preset} {each.exposure_ms:g} ms every {each.every}"
            for each in value
        )
    if isinstance(value, FocusConfig):
        return f"{value.method} every {value.every}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check_stages(config: MicroManagerSourceConfig, found: Imported, where: str) -> None:
    """Refuse a list for other stages than those that the core would move."""
    if not (found.xy_stage or found.z_stage) or config.backend != "python":
        return
    try:
        path = hardware_file(config, adapters_folder(config))
        stages = {
            _CORE_STAGES[fields[2]]: fields[3]
            for fields in commands(path)
            if len(fields) >= _CORE_FIELDS
            and fields[:2] == ["Property", "Core"]
            and fields[2] in _CORE_STAGES
        }
    except SourceError:
        return  # whoever opens the microscope says so
    for key, name in stages.items():
        planned = getattr(found, key)
        if planned and planned != name:
            raise ConfigError(
                complaint(
                    "position list is for another stage than the core moves",
                    where=f"{where}, plan {config.plan}",
                    expected=f"{name!r}, the default of {path.name}",
                    got=repr(planned),
                    do="mark the positions with that stage, or make the other the core's default"
                    " in Micro-Manager's configuration wizard",
                )
            )


def _check_labels(settings: ReadingSettings, found: Imported, where: str) -> None:
    """Refuse labels of a plate that would be read as another well or site than they stand for."""
    for label, (well, site) in found.expected.items():
        try:
            key = planned_key((0, label, None), settings)
        except FrameError as error:
            raise ConfigError(str(error)) from error
        if (key.well, key.site) != (well, site):
            raise ConfigError(
                complaint(
                    "label of a position of the plate is read as another well or site",
                    where=f"{where}: {label!r}",
                    expected=f"well {well} site {site}",
                    got=f"well {key.well} site {key.site}",
                    do="leave `position` of the source out, or let it read labels like A1_0000",
                )
            )
