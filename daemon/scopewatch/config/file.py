"""Reads `config.yaml`: reports all problems at once, each with its place in the file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from scopewatch.config.conflicts import name_conflicts
from scopewatch.config.models import Config, ModelConfig, StateConfig
from scopewatch.config.problems import list_problems
from scopewatch.config.small_file import read_small_file
from scopewatch.config.sources import SourceConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.strict_yaml import parse_yaml

# A configuration is a few kilobytes; a larger file, such as a frame, is refused at once.
MOST_BYTES = 256 * 1024

_Section = TypeVar("_Section", bound=BaseModel)


def load_config(path: Path) -> Config:
    """Read and validate a configuration file.

    Relative paths in it start at the folder of the file, so that it means the same wherever the
    daemon is started; `~` is the home of the user that runs it.

    Raises
    ------
    ConfigError
        One line per problem, each with its place in the file.
    """
    try:
        raw = parse_yaml(_read(path))
    except ValueError as error:
        raise ConfigError(
            complaint(
                "configuration is not YAML",
                where=path,
                got=error,
                do="correct that line",
            )
        ) from error
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise ConfigError("\n".join(list_problems(path, error))) from error
    config = _anchor(config, path.resolve().parent)
    lines = [*_raw_data_written_into(config, path), *name_conflicts(config, path)]
    if lines:
        raise ConfigError("\n".join(lines))
    return config


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """The valid sections of a configuration; paths are absolute."""

    model: ModelConfig | None = None
    sources: tuple[SourceConfig, ...] = ()
    state: StateConfig | None = None


def read_sections(path: Path) -> Sections:
    """Read the valid sections of a configuration that `load_config` refuses. Never raises."""
    try:
        raw = parse_yaml(_read(path))
    except (ValueError, ConfigError):
        return Sections()
    if not isinstance(raw, dict):
        return Sections()
    folder = path.resolve().parent
    listed = raw.get("sources")
    sources = [
        _by_itself(SourceConfig, source, lambda found: _anchored(found, folder))
        for source in (listed if isinstance(listed, list) else [])
    ]
    return Sections(
        model=_by_itself(
            ModelConfig, raw.get("model"), lambda found: _at_folder(found, "bundle", folder)
        ),
        sources=tuple(source for source in sources if source is not None),
        state=_by_itself(
            StateConfig, raw.get("state", {}), lambda found: _at_folder(found, "folder", folder)
        ),
    )


def _by_itself(kind: Any, raw: object, anchored: Callable[[Any], Any]) -> Any:
    try:
        return anchored(TypeAdapter(kind).validate_python(raw))
    except (ValidationError, ConfigError):
        return None  # reported already, with its place, by `load_config`


def _read(path: Path) -> str:
    try:
        return read_small_file(path, MOST_BYTES, "utf-8-sig")
    except ValueError as error:
        raise ConfigError(
            complaint(
                "configuration cannot be read",
                where=path,
                got=error,
                do="name the file with -c, or copy config.yaml from the documentation",
            )
        ) from error


def _anchor(config: Config, folder: Path) -> Config:
    """Return the configuration with its relative paths made absolute."""
    state = _at_folder(config.state, "folder", folder)
    overlays, logging = config.overlays, config.logging
    if overlays.folder is not None:
        overlays = _at_folder(overlays, "folder", folder)
    if logging.file is not None:
        logging = _at_folder(logging, "file", state.folder)
    return config.model_copy(
        update={
            "model": _at_folder(config.model, "bundle", folder),
            "state": state,
            "overlays": overlays,
            "logging": logging,
            "sources": tuple(_anchored(source, folder) for source in config.sources),
        }
    )


def _anchored(source: SourceConfig, folder: Path) -> SourceConfig:
    for name in ("path", "mm_app_path", "mm_config", "plan"):
        if getattr(source, name, None) is not None:
            source = _at_folder(source, name, folder)
    return source


def _at_folder(section: _Section, name: str, folder: Path) -> _Section:
    path: Path = getattr(section, name)
    try:
        return section.model_copy(update={name: folder / path.expanduser()})
    except RuntimeError as error:
        raise ConfigError(
            complaint("nobody has such a home folder", where=path, do="write the path out")
        ) from error


def _raw_data_written_into(config: Config, path: Path) -> list[str]:
    """Return complaints about a state folder, pictures or a log file within raw data."""
    places = [("state folder", "state.folder", config.state.folder)]
    if config.overlays.folder is not None:
        places.append(("folder of pictures", "overlays.folder", config.overlays.folder))
    if config.logging.file is not None:
        places.append(("log file", "logging.file", config.logging.file))
    return [
        complaint(
            f"{what} lies within watched raw data",
            where=f"{path}: {setting}",
            expected=f"a place outside {source.path}",
            got=place,
            do=f"set another {setting}",
        )
        for what, setting, place in places
        for source in config.sources
        if place.resolve().is_relative_to(source.path.resolve())
    ]
