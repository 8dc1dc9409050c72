"""`scopewatch-train compare`: two bundles on the same held-out wells."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scopewatch_training.cli.arguments import DatasetArg, JsonFile
from scopewatch_training.cli.console import open_console, open_data, print_line, show_rows
from scopewatch_training.cli.fit_options import THREADS


def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a bundle, called A.")],
    second: Annotated[Path, typer.Argument(help="Folder of another bundle, called B.")],
    dataset: DatasetArg,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Run to compare on; by default all that neither bundle saw."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Folder for a page of it: tables and pictures.")
    ] = None,
    json_file: JsonFile = None,
    threads: THREADS = 2,
) -> None:
    """Compare two bundles on runs that neither saw: paired differences with intervals."""
    from scopewatch.inference.bundle import load_bundle
    from scopewatch_training.bundle.label_rule import read_label_rule
    from scopewatch_training.comparison.compare import compare as compare_bundles
    from scopewatch_training.comparison.page import (
        COLUMNS,
        TRIVIAL_COLUMNS,
        list_rows,
        list_trivial,
        write_comparison,
    )
    from scopewatch_training.evaluation.evaluate import write_figures

    console = open_console()
    bundles = load_bundle(first), load_bundle(second)
    opened = open_data(console, dataset)
    comparison = compare_bundles(*bundles, opened, runs=run or (), threads=threads)
    for letter, name in zip("AB", comparison.names, strict=True):
        print_line(console, f"{letter}: {name}")
    title = f"{comparison.wells} wells of {', '.join(comparison.runs)}; MAE and bias in points"
    show_rows(console, title, COLUMNS, list_rows(comparison))
    show_rows(console, "trivial methods beside", TRIVIAL_COLUMNS, list_trivial(comparison))
    print_line(console, comparison.conclusion)
    for line in comparison.caveats:
        print_line(console, f"- {line}")
    if json_file is not None:
        write_figures(json_file, comparison.to_json())
    if page is not None:
        pairs = opened.of_runs(comparison.runs)
        cuts = read_label_rule(bundles[0]).thresholds.per_pair(pairs)
        tile_px = bundles[0].card.tile_px
        written = write_comparison(page, comparison, opened, cuts, tile_px, datetime.now(UTC))
        print_line(console, f"page written to {written}")
