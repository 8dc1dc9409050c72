"""`scopewatch-train suggest`: which wells or frames to stain next."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call seconds)

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch_training.cli.arguments import BundleArg, JsonFile
from scopewatch_training.cli.console import ConsoleStages, open_console, print_line, show_rows
from scopewatch_training.cli.fit_options import THREADS


class By(Enum):
    """What is suggested."""

    WELL = "well"
    FRAME = "frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestOptions:
    """Options of `suggest`: what it chooses from."""

    count: Annotated[int, typer.Option(min=1, help="How many to suggest.")] = 6
    by: Annotated[
        By,
        typer.Option(help="Wells at one time point, or single frames of all (a live reporter)."),
    ] = By.WELL
    time_point: Annotated[
        int | None, typer.Option(min=0, help="Which; by default the last of each well, or all.")
    ] = None
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Bundle of other seeds or runs, whose disagreement counts."),
    ] = None
    stained: Annotated[
        Path | None, typer.Option(help="Data set of wells that have a stain already: left out.")
    ] = None


@with_option_groups
def suggest(
    bundle: BundleArg,
    timelapse: Annotated[
        Path, typer.Argument(help="CSV of phase frames: run,plate,well,site,time_point,day,phase.")
    ],
    options: SuggestOptions,
    json_file: JsonFile = None,
    threads: THREADS = 2,
) -> None:
    """Suggest which wells or frames to stain next: doubtful, unlike the training, diverse."""
    from scopewatch.inference.bundle import load_bundle
    from scopewatch_training.bundle.known_frames import describe_unhashed, know_frames
    from scopewatch_training.dataset.index import open_dataset
    from scopewatch_training.evaluation.evaluate import write_figures
    from scopewatch_training.suggestion.request import SuggestRequest
    from scopewatch_training.suggestion.suggest import suggest as choose_places
    from scopewatch_training.suggestion.table import COLUMNS, list_notes, list_rows

    console = open_console()
    opened = load_bundle(bundle)
    stained = None if options.stained is None else open_dataset(options.stained)
    # A pair that was refused or dropped is no label, and its well is stained all the same.
    pairs = () if stained is None else stained.pairs
    hashed = [pair for pair in pairs if pair.phase_look.mark]
    known = None if stained is None else know_frames(stained, hashed)
    if stained is not None and known is None:
        print_line(console, describe_unhashed(stained))
    request = SuggestRequest(
        timelapse=timelapse,
        count=options.count,
        by=options.by.value,
        time_point=options.time_point,
        stained=frozenset((pair.run, pair.plate, pair.well) for pair in pairs),
        stained_frames=known,
    )
    found = choose_places(
        opened,
        request,
        beside=[load_bundle(each) for each in options.beside or ()],
        threads=threads,
        monotonic=time.monotonic,
        stages=ConsoleStages(console),
    )
    title = f"stain next: {len(found.chosen)} of {found.candidates} {options.by.value}s"
    show_rows(console, title, COLUMNS, list_rows(found), words=("why",))
    for line in list_notes(found, simulated=opened.card.simulated):
        print_line(console, line)
    if json_file is not None:
        write_figures(json_file, {"simulated": opened.card.simulated, **found.to_json()})
