"""The places that `scopewatch explain` reads: paths, or the sources of a configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from scopewatch.app.explain.explanation import Explanation
from scopewatch.app.explain.options import ReadingOptions
from scopewatch.app.explain.survey import (
    list_names,
    survey_folder,
    survey_ndtiff,
    survey_omezarr,
)
from scopewatch.config import (
    Config,
    FolderSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    ReadingConfig,
    RunConfig,
    SourceConfig,
    load_config,
)
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.layouts.guess import guess_layout
from scopewatch.sources.ndtiff.pyramid import is_data_set
from scopewatch.sources.omezarr.frames import store_stem
from scopewatch.sources.omezarr.nodes import is_store
from scopewatch.sources.readers.planes import ReadLimits

# Names are alike: a sample tells the layout.
GUESSED = 1000
_FALLBACK = "scopewatch"


def explain_places(
    paths: Sequence[Path], config_path: Path | None, options: ReadingOptions
) -> Iterator[Explanation]:
    """Explain what lies under paths, or in the sources of a configuration where none is named.

    Parameters
    ----------
    config_path
        Paths are read as the source is that watches them; None: by the options, and the layout of
        the names is guessed where it is not given.

    Raises
    ------
    ConfigError
        When a path is not there or lies in no source, the configuration or an option is wrong.
    """
    for path in paths:
        if not path.exists():
            raise ConfigError(
                complaint("there is no such file or folder", where=path, do="correct the path")
            )
    if config_path is not None:
        yield from _by_config(paths, load_config(config_path))
        return
    if not paths:
        raise ConfigError(
            complaint("nothing to explain", where="explain", do="name a folder, or --config FILE")
        )
    for path in paths:
        yield from _by_options(path, options)


def explain_source(source: SourceConfig, config: Config) -> Iterator[Explanation]:
    """Explain what lies in a source already: nothing where it has no place yet.

    Raises
    ------
    ConfigError
        When a pattern of the source is wrong.
    """
    limits = ReadLimits(**config.limits.model_dump())
    if not source.path.is_dir():
        return
    if isinstance(source, FolderSourceConfig):
        yield survey_folder(source, config.experiment, limits=limits, names_stores=True)
        return
    if isinstance(source, OmeZarrSourceConfig):
        explanation = survey_omezarr(source, config.experiment, limits=limits)
    else:
        as_ndtiff = _as_ndtiff(source, source.path)
        explanation = survey_ndtiff(as_ndtiff, config.experiment, limits=limits)
    if explanation is not None:
        yield explanation


def _by_config(paths: Sequence[Path], config: Config) -> Iterator[Explanation]:
    if not paths:
        for source in config.sources:
            yield from explain_source(source, config)
        return
    for path in paths:
        yield from explain_source(_source_of(path, config), config)


def _source_of(path: Path, config: Config) -> SourceConfig:
    """Return the source that watches a path, narrowed to it."""
    place = path.resolve()
    for source in config.sources:
        if place.is_relative_to(source.path.resolve()):
            return source
    watched = ", ".join(str(source.path) for source in config.sources)
    raise ConfigError(
        complaint(
            "path lies in no source of the configuration",
            where=path,
            expected=watched,
            do="name a path below one of them, or leave --config out",
        )
    )


def explain_kind(
    path: Path, run: RunConfig, options: ReadingOptions
) -> tuple[str, Explanation | None]:
    """Explain a folder as the kind of source that it is; None where it holds nothing."""
    explanations = list(_explain_folder(path, run, options))
    if not explanations:
        return "folder", None
    best = max(explanations, key=lambda each: each.frames)
    return best.kind, best


def _by_options(path: Path, options: ReadingOptions) -> Iterator[Explanation]:
    run = options.run(store_stem(path.resolve().name) or "run")
    if path.is_file():
        yield _explain_files(path.parent, run, options, only=path.name)
        return
    explanations = list(_explain_folder(path, run, options))
    yield from explanations or [_explain_files(path, run, options)]


def _explain_folder(path: Path, run: RunConfig, options: ReadingOptions) -> Iterator[Explanation]:
    """Explain what a folder holds of each kind of source."""
    if not is_data_set(path) and not is_store(path):
        files = _explain_files(path, run, options)
        if files.listed:
            yield files
    source = _source(path, options)
    of_each_kind = (
        survey_ndtiff(_as_ndtiff(source, path), run),
        survey_omezarr(_as_omezarr(source, path), run),
    )
    yield from (each for each in of_each_kind if each is not None)


def _explain_files(
    folder: Path, run: RunConfig, options: ReadingOptions, only: str | None = None
) -> Explanation:
    source = _source(folder, options)
    if options.pattern is None:
        names = list_names(folder, GUESSED) if only is None else [only]
        guesses = guess_layout(names)
        pattern = guesses[0].layout.name if guesses else _FALLBACK
        source = source.model_copy(update={"pattern": pattern})
    return survey_folder(source, run, only=only)


def _source(path: Path, options: ReadingOptions) -> FolderSourceConfig:
    return options.source(path, default_pattern=_FALLBACK)


def _as_ndtiff(source: ReadingConfig, path: Path) -> NDTiffSourceConfig:
    """Return the settings of a source for NDTiff data sets at or below a path."""
    common = source.model_dump(include=set(ReadingConfig.model_fields))
    return NDTiffSourceConfig(kind="ndtiff", path=path, **common)


def _as_omezarr(source: ReadingConfig, path: Path) -> OmeZarrSourceConfig:
    """Return the settings of a source for OME-Zarr stores at or below a path."""
    common = source.model_dump(include=set(ReadingConfig.model_fields))
    return OmeZarrSourceConfig(kind="ome-zarr", path=path, **common)
