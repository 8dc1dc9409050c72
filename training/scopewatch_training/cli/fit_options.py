"""Options that `fit`, `cross-validate` and `tune` share, and the settings they give."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import USUAL_SIZES

THREADS = Annotated[int, typer.Option(min=1, help="CPU threads.")]
DASK = Annotated[
    str | None,
    typer.Option(
        metavar="local|local:N|tcp://HOST:PORT",
        help="Work on folds in processes here or of a Dask scheduler, THREADS for each.",
    ),
]


PREPARED = "as in prepare"


def _usual(size: str) -> str:
    """Say what is taken of a size that is not given, for `--help`."""
    first, *others = ((stem, getattr(usual, size)) for stem, usual in USUAL_SIZES.items())
    rest = [f"{value} with --stem {stem}" for stem, value in others]
    return ", ".join([str(first[1]), *rest])


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Options of `tune`: settings that it does not search, and the file that it starts from."""

    area_cutoff: Annotated[
        float | None,
        typer.Option(
            help="Positive share of a tile's area that makes it positive.", show_default=PREPARED
        ),
    ] = None
    binarise: Annotated[
        str | None,
        typer.Option(
            help="otsu, triangle, mad, or fixed:COUNTS above background.", show_default=PREPARED
        ),
    ] = None
    tile_px: Annotated[
        int | None,
        typer.Option(help="Side of a tile: 8, 16, 32, 64 or 128.", show_default=PREPARED),
    ] = None
    stem: Annotated[
        str | None,
        typer.Option(
            help="patches, or halvings: three times the time for a frame. Each has its own width,"
            " depth and steps.",
            show_default="patches, halvings where brightness is learnt or tiles have 8 px",
        ),
    ] = None
    steps: Annotated[
        int | None,
        typer.Option(help="Optimiser steps of each network.", show_default=_usual("steps")),
    ] = None
    seed: Annotated[int | None, typer.Option(help="Of everything random.", show_default="0")] = None
    settings: Annotated[
        Path | None,
        typer.Option(
            help="JSON that tune or an earlier fit wrote: what no option gives is taken from it."
        ),
    ] = None

    def network_fields(self) -> dict[str, Any]:
        """Return the fields of `NetworkSpec` that are given."""
        return _given(tile_px=self.tile_px, stem=self.stem)

    def fit_fields(self) -> dict[str, Any]:
        """Return the other fields of `FitSettings` that are given."""
        return _given(steps=self.steps, seed=self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions(SearchOptions):
    """Options of `fit` and `cross-validate`: settings of networks and of their training."""

    width: Annotated[
        int | None,
        typer.Option(
            help="Channels of the network, a multiple of 16.", show_default=_usual("width")
        ),
    ] = None
    depth: Annotated[
        int | None,
        typer.Option(help="Convolutions at full width.", show_default=_usual("depth")),
    ] = None
    context: Annotated[
        str | None,
        typer.Option(help="full, or none: nothing beyond a tile is seen.", show_default="full"),
    ] = None
    learn: Annotated[
        str | None,
        typer.Option(
            help="labels of tiles, or brightness of the marker: for few positive tiles.",
            show_default="labels",
        ),
    ] = None
    members: Annotated[
        int | None,
        typer.Option(
            help="Networks whose mean is scored: steadier where data are few.", show_default="1"
        ),
    ] = None

    def network_fields(self) -> dict[str, Any]:
        """Return the fields of `NetworkSpec` that are given."""
        return _given(
            tile_px=self.tile_px,
            width=self.width,
            depth=self.depth,
            context=self.context,
            learns=self.learn,
            stem=self.stem,
        )

    def fit_fields(self) -> dict[str, Any]:
        """Return the other fields of `FitSettings` that are given."""
        return _given(members=self.members, steps=self.steps, seed=self.seed)


def choose_settings(dataset: Dataset | None, options: SearchOptions) -> FitSettings:
    """Put settings together: those of `prepare` or of the file, then the options given.

    A stem that neither gives is the usual one of such a network.
    """
    base = dataset_settings(dataset) if options.settings is None else _read(options.settings)
    labels = _given(area_cutoff=options.area_cutoff, tile_px=options.tile_px)
    fields, whole = options.network_fields(), options.fit_fields()
    network = replace(base.network, **fields)
    if options.settings is None and options.stem is None and not network.suits_patches:
        network = replace(network, stem="halvings")
    if network.stem != base.network.stem:
        # Width, depth and steps of another stem's networks say nothing about this one's.
        usual = USUAL_SIZES[network.stem]
        network = replace(network, **{"width": usual.width, "depth": usual.depth} | fields)
        whole.setdefault("steps", usual.steps)
    if "steps" in whole:
        whole["checks"] = min(base.checks, whole["steps"])
    if options.binarise is not None:
        whole["binarise"] = parse_binarise(options.binarise)
    return replace(base, labels=replace(base.labels, **labels), network=network, **whole)


def few_steps(settings: FitSettings) -> str | None:
    """Return one line where patches are trained for fewer steps than they need; None elsewhere.

    With as few steps halvings are ahead, which need a third of them.
    """
    need, other = USUAL_SIZES["patches"].steps, USUAL_SIZES["halvings"].steps
    if settings.network.stem != "patches" or settings.steps >= need:
        return None
    return (
        f"note: {settings.steps} steps, and networks of patches need {need}: scores will be worse"
        f" than they can be. For a quick try take --stem halvings, which needs {other} and learns"
        " more from each, at three times the time for a frame"
    )


def parse_binarise(text: str, scope: str | None = None) -> BinariseSettings:
    """Read a method, `fixed:COUNTS` or `control:PATTERN[,PATTERN]`.

    Raises
    ------
    ConfigError
        When it is none of these.
    """
    method, _, rest = text.partition(":")
    fixed: float | None = None
    controls: tuple[str, ...] = ()
    if method == "control":
        controls = tuple(part.strip() for part in rest.split(",") if part.strip())
    elif rest:
        try:
            fixed = float(rest)
        except ValueError as error:
            raise ConfigError(
                complaint(
                    "threshold is no number",
                    where=f"--binarise {text}",
                    expected="fixed:COUNTS",
                    do="correct it",
                )
            ) from error
    # The settings check the words themselves, and name what is allowed.
    return BinariseSettings(
        method=method,  # type: ignore[arg-type]
        scope=scope,  # type: ignore[arg-type]
        fixed_counts=fixed,
        controls=controls,
    )


def dataset_settings(dataset: Dataset | None) -> FitSettings:
    """Return the defaults, with labels as they were chosen when the data set was prepared."""
    plain = FitSettings()
    if dataset is None:
        return plain
    network = replace(plain.network, tile_px=dataset.labels.tile_px)
    return replace(plain, network=network, labels=dataset.labels, binarise=dataset.binarise)


def _read(file: Path) -> FitSettings:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return FitSettings.from_json(values.get("settings", values))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            complaint(
                "settings cannot be read",
                where=file,
                got="no such file" if isinstance(error, FileNotFoundError) else error,
                do="give report/fit.json of a bundle, or what tune wrote",
            )
        ) from error


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
