"""Options that `fit`, `cross-validate` and `tune` share, and the settings they give."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings
from scopewatch_training.network.fit_settings import FitSettings

AREA_CUTOFF = Annotated[
    float | None, typer.Option(help="Positive share of a tile's area that makes it positive.")
]
BINARISE = Annotated[
    str | None, typer.Option(help="otsu, triangle, mad, or fixed:COUNTS above background.")
]
TILE_PX = Annotated[int | None, typer.Option(help="Side of a tile: 8, 16, 32, 64 or 128.")]
WIDTH = Annotated[int | None, typer.Option(help="Channels of the network, a multiple of 16.")]
DEPTH = Annotated[int | None, typer.Option(help="Convolutions at full width.")]
CONTEXT = Annotated[str | None, typer.Option(help="full, or none: nothing beyond a tile is seen.")]
LEARN = Annotated[
    str | None,
    typer.Option(help="labels of tiles, or brightness of the marker: for few positive tiles."),
]
MEMBERS = Annotated[
    int | None, typer.Option(help="Networks whose mean is scored: steadier where data are few.")
]
STEPS = Annotated[int | None, typer.Option(help="Optimiser steps of each network.")]
SEED = Annotated[int | None, typer.Option(help="Of everything random.")]
SETTINGS_FILE = Annotated[
    Path | None, typer.Option(help="JSON that tune or an earlier fit wrote; options win over it.")
]
THREADS = Annotated[int, typer.Option(min=1, help="CPU threads.")]


def choose_settings(
    dataset: Dataset | None,
    file: Path | None,
    area_cutoff: float | None,
    binarise: str | None,
    tile_px: int | None,
    width: int | None,
    depth: int | None,
    context: str | None,
    learn: str | None,
    members: int | None,
    steps: int | None,
    seed: int | None,
) -> FitSettings:
    """Put settings together: those of `prepare` or of the file, then the options given."""
    base = _read(file) if file is not None else dataset_settings(dataset)
    labels = _given(area_cutoff=area_cutoff, tile_px=tile_px)
    network = _given(tile_px=tile_px, width=width, depth=depth, context=context, learns=learn)
    whole = _given(members=members, steps=steps, seed=seed)
    if steps is not None:
        whole["checks"] = min(base.checks, steps)
    if binarise is not None:
        whole["binarise"] = parse_binarise(binarise)
    return replace(
        base,
        labels=replace(base.labels, **labels),
        network=replace(base.network, **network),
        **whole,
    )


def runs_of(
    dataset: Dataset, *, hold_out: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the runs that are left to train on; unknown names are refused."""
    dataset.of_runs([*hold_out, *exclude])
    return tuple(run for run in dataset.runs() if run not in {*hold_out, *exclude})


def parse_binarise(text: str) -> BinariseSettings:
    """Read a method, or `fixed:COUNTS`."""
    method, _, counts = text.partition(":")
    try:
        fixed = float(counts) if counts else None
    except ValueError as error:
        raise ConfigError(
            complaint(
                "threshold is no number",
                where=f"--binarise {text}",
                expected="fixed:COUNTS",
                do="correct it",
            )
        ) from error
    return BinariseSettings(method=method, fixed_counts=fixed)  # type: ignore[arg-type]


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
