"""How frames are scored without a daemon: options of `score` and `rescore`."""

# Imports are within functions: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

if TYPE_CHECKING:
    from scopewatch.app.explain.options import ReadingOptions
    from scopewatch.app.oneshot.build import OneShotSettings
    from scopewatch.sources.remote.urls import RemoteFolder

Model = Annotated[Path, typer.Option("--model", "-m", metavar="DIR", help="A model bundle.")]

DEFAULT_PATTERN: Final = "scopewatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringGroup:
    """The options of a call, as they are given."""

    threads: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="For the model: 2, or 1 in each process with --dask."),
    ] = None
    memory_mb: Annotated[
        int, typer.Option("--memory-mb", min=32, help="For the model; more goes in strips.")
    ] = 256
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="local|local:N|tcp://HOST:PORT",
            help="Score in several processes here, or on the workers of a Dask scheduler.",
        ),
    ] = None
    cache_gb: Annotated[
        float,
        typer.Option(
            "--cache-gb", min=0.0001, help="Of files behind each URL, kept in each process."
        ),
    ] = 4.0

    def settings(
        self, paths: Sequence[str], reading: "ReadingOptions", *, bundle: Path, run: str
    ) -> "OneShotSettings":
        """Return what a call asks for, without pictures.

        Parameters
        ----------
        run
            Name of the run of frames that name none.

        Raises
        ------
        ConfigError
            When an option is wrong, or a URL holds credentials.
        """
        from scopewatch.app.oneshot.build import OneShotSettings
        from scopewatch.runtime.cluster.address import read_address

        inputs = [self._read(path) for path in paths]
        pattern = _guess(inputs) if reading.pattern is None else DEFAULT_PATTERN
        threads = self.threads or (2 if self.dask is None else 1)
        return OneShotSettings(
            paths=inputs,
            bundle=bundle,
            out=None,
            source=reading.source(Path(paths[0]), default_pattern=pattern),
            run=reading.run(run),
            grid=False,
            threads=threads,
            memory_mb=self.memory_mb,
            cluster=None if self.dask is None else read_address(self.dask, threads=threads),
        )

    def _read(self, text: str) -> "Path | RemoteFolder":
        from scopewatch.sources.readers.image_file import is_image_name
        from scopewatch.sources.remote.urls import RemoteFolder, check_url, is_url

        if not is_url(text):
            return Path(text)
        if text.lower().startswith("file://"):
            from urllib.request import url2pathname  # loads HTTP and mail

            return Path(url2pathname(urlsplit(text).path))
        url, only = check_url(text), ""
        if is_image_name(url):
            url, _, only = url.rpartition("/")
        return RemoteFolder(url=url, cache_bytes=int(self.cache_gb * 1e9), only=only)


def _guess(inputs: Sequence["Path | RemoteFolder"]) -> str:
    """Return the layout that names are read by where no pattern is given."""
    from scopewatch.app.oneshot.build import guess_pattern

    if not all(path.exists() for path in inputs if isinstance(path, Path)):
        return DEFAULT_PATTERN
    return guess_pattern(inputs) or DEFAULT_PATTERN
