"""Builds what `scopewatch score` runs: listing, model and pictures, without a daemon."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Protocol

from scopewatch.app.explain.places import GUESSED
from scopewatch.app.explain.survey import list_names
from scopewatch.app.model import warm_scorer
from scopewatch.app.oneshot.frame_scoring import FrameScoring
from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.lines import Line, Screening
from scopewatch.app.oneshot.listing import Listing, ListingSettings
from scopewatch.app.oneshot.pictures import PictureSettings, open_pictures
from scopewatch.app.oneshot.remote_listing import RemoteListing, list_remote_names
from scopewatch.app.oneshot.scoring import Scoring
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.analyse import analyse
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.runtime.clock import SystemClock
from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.connect import open_cluster
from scopewatch.runtime.cluster.requirements import Expected, check_paths, versions_here
from scopewatch.sources.layouts.guess import guess_layout
from scopewatch.sources.remote.mirror import close_mirror, mirror_of
from scopewatch.sources.remote.urls import RemoteFolder
from scopewatch.store.archive.first_places import FirstPlaces


class ScoresItems(Protocol):
    """Scores what was listed, here or on a cluster."""

    def run(self, items: Iterable[Listed | Unlisted], /) -> Iterator[Line]:
        """Yield one line per item, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShot:
    """Frames to score, once.

    Parameters
    ----------
    um_per_px
        Pixel size that the model expects; None where any will do.
    """

    paths: Sequence[Path | RemoteFolder]
    settings: ListingSettings
    listing: Listing
    scoring: ScoresItems
    um_per_px: float | None = None

    def run(self) -> Iterator[Line]:
        """Yield one line per frame."""
        return self.scoring.run(self._items())

    def count(self) -> Iterator[int]:
        """Yield how many lines there will be, growing: files are opened, no pixels decoded.

        What is written meanwhile is not in it. It yields nothing where a path is a URL: all files
        behind it would be fetched for the number alone.
        """
        if any(isinstance(path, RemoteFolder) for path in self.paths):
            return iter(())
        return (number for number, _ in enumerate(self._items(), start=1))

    def _items(self) -> Iterator[Listed | Unlisted]:
        return chain.from_iterable(map(self._walk, self.paths))

    def _walk(self, path: Path | RemoteFolder) -> Iterator[Listed | Unlisted]:
        if isinstance(path, RemoteFolder):
            return RemoteListing(self.settings, path).walk()
        return self.listing.walk(path)


def _none_kept(item: Listed) -> Listed:
    return item


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShotSettings:
    """What `scopewatch score` is asked for.

    Parameters
    ----------
    out
        Folder of the pictures; None draws none.
    source
        How files are read, as for a source of the daemon; its path does not count.
    cluster
        Where frames are scored; None: in this process.
    identify
        As for `FrameScoring`.
    kept
        As for `Screening`.
    """

    paths: Sequence[Path | RemoteFolder]
    bundle: Path
    out: Path | None
    source: FolderSourceConfig
    run: RunConfig
    grid: bool
    threads: int
    memory_mb: int
    cluster: ClusterAddress | None = None
    identify: bool = False
    kept: Callable[[Listed], Listed | Line] = _none_kept


@contextmanager
def open_oneshot(wanted: OneShotSettings, bundle: Bundle | None = None) -> Iterator[OneShot]:
    """Open the model, and the cluster where one is asked for, and make ready to score.

    Parameters
    ----------
    bundle
        Where it was loaded already.

    Raises
    ------
    ConfigError
        For a path that does not exist, a wrong pattern, or pictures that would go into raw data.
    ModelError
        When the bundle cannot be used.
    ClusterError
        When the cluster cannot be reached or does not fit.
    """
    _check_paths(wanted.paths, wanted.out)
    if wanted.cluster is not None and wanted.cluster.scheduler:
        # Workers elsewhere have another working directory.
        absolute = [path.absolute() if isinstance(path, Path) else path for path in wanted.paths]
        wanted = replace(wanted, paths=absolute)
    bundle = bundle or load_bundle(wanted.bundle)
    run = wanted.run.model_copy(update={"simulated": bundle.card.simulated})
    settings = ListingSettings(run=run, source=wanted.source, now=SystemClock().now())
    listing = Listing(settings)
    drawn = PictureSettings(run=run, card=bundle.card, grid=wanted.grid)
    with ExitStack() as held:
        for remote in _remotes(wanted):
            held.callback(close_mirror, remote)
        places = held.enter_context(FirstPlaces())
        screening = Screening(run.phase_channel, places, wanted.kept)
        scoring: ScoresItems
        if wanted.cluster is None:
            frames = _open_here(bundle, wanted, run, drawn)
            scoring = Scoring(frames=frames, screening=screening)
        else:
            opening = _open_cluster(bundle, wanted, run, drawn, wanted.cluster, screening)
            scoring = held.enter_context(opening)
        yield OneShot(
            paths=wanted.paths,
            settings=settings,
            listing=listing,
            scoring=scoring,
            um_per_px=bundle.card.um_per_px,
        )


def _open_here(
    bundle: Bundle, wanted: OneShotSettings, run: RunConfig, drawn: PictureSettings
) -> FrameScoring:
    scorer = warm_scorer(bundle, threads=wanted.threads, memory_mb=wanted.memory_mb)
    return FrameScoring(
        analyse=partial(analyse, scorer=scorer, monotonic=time.monotonic),
        pictures=open_pictures(wanted.out, drawn) if wanted.out else None,
        run=run,
        monotonic=time.monotonic,
        identify=wanted.identify,
    )


@contextmanager
def _open_cluster(
    bundle: Bundle,
    wanted: OneShotSettings,
    run: RunConfig,
    drawn: PictureSettings,
    address: ClusterAddress,
    screening: Screening,
) -> Iterator[ScoresItems]:
    with open_cluster(address) as client:
        expected = None
        if address.scheduler:
            here = [path for path in wanted.paths if isinstance(path, Path)]
            check_paths(client, here, address.scheduler)
            expected = Expected(
                scheduler=address.scheduler,
                versions=versions_here(),
                paths=tuple(map(str, here)),
            )
        # After the cluster, whose absence has a line of its own: this imports Dask.
        from scopewatch.app.oneshot.cluster_scoring import ClusterScoring  # noqa: PLC0415
        from scopewatch.app.oneshot.worker_scoring import ScoringJob  # noqa: PLC0415

        job = ScoringJob(
            bundle=bundle,
            run=run,
            threads=wanted.threads,
            memory_mb=wanted.memory_mb,
            pictures=drawn if wanted.out else None,
            identify=wanted.identify,
            remotes=_remotes(wanted),
            expected=expected,
        )
        yield ClusterScoring(client, job, screening=screening, out=wanted.out)


def _remotes(wanted: OneShotSettings) -> tuple[RemoteFolder, ...]:
    return tuple(path for path in wanted.paths if isinstance(path, RemoteFolder))


def guess_pattern(paths: Sequence[Path | RemoteFolder]) -> str | None:
    """Return the layout that reads every name under some paths, each as another frame.

    None where there is none: files are then read one by one, by what they say themselves.
    """
    names: list[str] = []
    for path in paths:
        if isinstance(path, RemoteFolder):
            names += list_remote_names(path, GUESSED)
        else:
            names += list_names(path, GUESSED) if path.is_dir() else [path.name]
    best = next(iter(guess_layout(names)), None)
    if best is None or best.clashes or best.fits + best.left_out < best.names:
        return None
    return best.layout.name


def _check_paths(paths: Sequence[Path | RemoteFolder], out: Path | None) -> None:
    for path in paths:
        if isinstance(path, RemoteFolder):
            mirror_of(path).check()
            continue
        if not path.exists():
            raise ConfigError(
                complaint("there is no such file or folder", where=path, do="correct the path")
            )
        folder = path if path.is_dir() else path.parent
        if out is not None and out.resolve() == folder.resolve():
            raise ConfigError(
                complaint(
                    "stains would be written into the raw data",
                    where=out,
                    do="name a folder of their own with --out",
                )
            )
