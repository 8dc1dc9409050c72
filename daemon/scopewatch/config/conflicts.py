"""Detects sources that are valid by themselves and cannot run together."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from scopewatch.config.models import Config
from scopewatch.config.sources import (
    FolderSourceConfig,
    OmeZarrSourceConfig,
    SourceConfig,
)
from scopewatch.core.errors import complaint


def name_conflicts(config: Config, path: Path) -> list[str]:
    """Return one line for each pair of sources of which one would take frames of the other.

    Parameters
    ----------
    config
        The configuration; its paths are absolute.
    path
        The configuration file, for complaints.
    """
    return [*_shared_cores(config, path), *_shared_data_sets(config, path)]


def _shared_cores(config: Config, path: Path) -> Iterator[str]:
    """Find sources that would drive one core: they would get images of each other's devices."""
    for one, other in combinations(config.acquiring, 2):
        if "python" in (one.backend, other.backend):
            # pycro-manager has one core per process, and uses it for acquisitions of the bridge
            # too.
            yield complaint(
                "two sources would drive one Micro-Manager core, of which a process has only one",
                where=f"{path}: sources {one.name!r} and {other.name!r}",
                expected="one source of mode acquire where one has backend python",
                got=f"backends {one.backend} and {other.backend}",
                do="run a second scopewatch with its own state folder for the other microscope",
            )
        elif one.port == other.port:
            yield complaint(
                "two sources would drive one running Micro-Manager",
                where=f"{path}: sources {one.name!r} and {other.name!r}",
                expected="a port of its own for each",
                got=f"port {one.port} for both",
                do="set the port of each Micro-Manager, or run a second scopewatch for one of them",
            )


def _shared_data_sets(config: Config, path: Path) -> Iterator[str]:
    """Find sources that would take each other's data sets."""
    for one, other in combinations(config.sources, 2):
        if isinstance(one, FolderSourceConfig) or isinstance(other, FolderSourceConfig):
            continue  # `check` reports these: with other patterns they may find other files
        if isinstance(one, OmeZarrSourceConfig) != isinstance(other, OmeZarrSourceConfig):
            continue
        inner, outer = _resolved(one), _resolved(other)
        if inner.is_relative_to(outer) or outer.is_relative_to(inner):
            yield complaint(
                "two sources would take each other's data sets",
                where=f"{path}: sources {one.name!r} and {other.name!r}",
                expected="paths that lie apart",
                got=inner if inner == outer else f"{inner} and {outer}",
                do="give each its own folder, or leave one out",
            )


def _resolved(source: SourceConfig) -> Path:
    return source.path.resolve()
