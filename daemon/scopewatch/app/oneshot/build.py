"""Builds what `scopewatch score` runs: listing, model and pictures, without a daemon."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from scopewatch.app.explain.places import GUESSED
from scopewatch.app.explain.survey import list_names
from scopewatch.app.model import open_scorer
from scopewatch.app.oneshot.listing import Listed, Listing, ListingSettings, Unlisted
from scopewatch.app.oneshot.scoring import Line, Pictures, Scoring
from scopewatch.app.run_policy import policy_of
from scopewatch.config import FolderSourceConfig, ModelConfig, OverlayConfig, RunConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.analyse import analyse
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.layouts.guess import guess_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShot:
    """Frames to score, once.

    Parameters
    ----------
    um_per_px
        Pixel size that the model expects; None where any will do.
    """

    paths: Sequence[Path]
    listing: Listing
    scoring: Scoring
    um_per_px: float | None = None

    def run(self) -> Iterator[Line]:
        """Yield one line per frame."""
        return self.scoring.run(self._items())

    def count(self) -> Iterator[int]:
        """Yield how many lines there will be, growing: files are opened, no pixels decoded.

        What is written meanwhile is not in it.
        """
        return (number for number, _ in enumerate(self._items(), start=1))

    def _items(self) -> Iterator[Listed | Unlisted]:
        return chain.from_iterable(map(self.listing.walk, self.paths))


def open_oneshot(
    paths: Sequence[Path],
    *,
    bundle: Path,
    out: Path | None,
    source: FolderSourceConfig,
    run: RunConfig,
    grid: bool,
    threads: int,
    memory_mb: int,
) -> OneShot:
    """Open the model and make ready to score `paths`.

    Parameters
    ----------
    source
        How files are read, as for a source of the daemon; its path does not count.

    Raises
    ------
    ConfigError
        For a path that does not exist, a wrong pattern, or pictures that would go into raw data.
    ModelError
        When the bundle cannot be used.
    """
    _check_paths(paths, out)
    scorer = open_scorer(ModelConfig(bundle=bundle, threads=threads, memory_budget_mb=memory_mb))
    run = run.model_copy(update={"simulated": scorer.card.simulated})
    settings = ListingSettings(run=run, source=source, now=SystemClock().now())
    scoring = Scoring(
        analyse=partial(analyse, scorer=scorer, monotonic=time.monotonic),
        pictures=_open_overlays(out, run, scorer.card, grid=grid) if out else None,
        run=run,
        monotonic=time.monotonic,
    )
    return OneShot(
        paths=paths,
        listing=Listing(settings),
        scoring=scoring,
        um_per_px=scorer.card.um_per_px,
    )


def guess_pattern(paths: Sequence[Path]) -> str | None:
    """Return the layout that reads every name under some paths, each as another frame.

    None where there is none: files are then read one by one, by what they say themselves.
    """
    names: list[str] = []
    for path in paths:
        names += list_names(path, GUESSED) if path.is_dir() else [path.name]
    best = next(iter(guess_layout(names)), None)
    if best is None or best.clashes or best.fits + best.left_out < best.names:
        return None
    return best.layout.name


def _check_paths(paths: Sequence[Path], out: Path | None) -> None:
    for path in paths:
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


def _open_overlays(out: Path, run: RunConfig, card: ModelCard, *, grid: bool) -> Pictures:
    from scopewatch.store.files.overlays import OverlayFolder  # noqa: PLC0415 - only where wanted

    return OverlayFolder(
        out,
        options=OverlayConfig(grid=grid),
        policy=policy_of(run),
        threshold=card.threshold,
        marker=card.labels.marker,
    )
