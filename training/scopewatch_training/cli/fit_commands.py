"""`scopewatch-train fit | cross-validate | tune | quantise`: train networks and quantise them."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch.runtime.cluster.address import read_address
from scopewatch_training.cli.arguments import (
    DatasetArg,
    Exclude,
    JsonFile,
    RunOptions,
    runs_of,
)
from scopewatch_training.cli.console import open_console, open_data, print_line
from scopewatch_training.cli.fit_options import (
    DASK,
    THREADS,
    FitOptions,
    SearchOptions,
    choose_settings,
    few_steps,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOptions:
    """Options of `fit` that name and place its bundle."""

    out: Annotated[Path, typer.Option(help="Folder of the bundle; a bundle there is replaced.")]
    name: Annotated[str | None, typer.Option(help="Name on the card; the folder's by default.")] = (
        None
    )
    description: Annotated[str, typer.Option(help="One line for the card.")] = ""
    work: Annotated[
        Path | None, typer.Option(help="Folder of the checkpoints; OUT.work by default.")
    ] = None


@with_option_groups
def fit(
    dataset: DatasetArg,
    bundle: BundleOptions,
    runs: RunOptions,
    options: FitOptions,
    threads: THREADS = 2,
) -> None:
    """Train on whole runs; ends with a quantised bundle that passed its gate."""
    from scopewatch_training.network.device import use_device

    console = open_console()
    data = open_data(console, dataset)
    training = runs_of(data, hold_out=runs.hold_out or (), exclude=runs.exclude or ())
    chosen = choose_settings(data, options)
    device = use_device(threads)
    from scopewatch_training.bundle.fit import FitRequest
    from scopewatch_training.bundle.fit import fit as fit_bundle
    from scopewatch_training.cli.console import ConsoleStages, show_card
    from scopewatch_training.cli.next_steps import after_fit

    out = bundle.out
    request = FitRequest(
        settings=chosen,
        runs=training,
        held_out=tuple(runs.hold_out or ()),
        name=bundle.name or out.name,
        description=bundle.description or f"Trained on {data.marker}.",
        work=bundle.work or out.with_name(f"{out.name}.work"),
        threads=threads,
    )
    print_line(console, f"{device}; training runs {', '.join(training)}")
    if note := few_steps(chosen):
        print_line(console, note)
    fitted = fit_bundle(data, out, request, now=datetime.now(UTC), stages=ConsoleStages(console))
    show_card(console, fitted.card)
    print_line(console, f"bundle written to {out}")
    step = after_fit(
        out, dataset, runs=training, held_out=bool(runs.hold_out), exclude=runs.exclude or ()
    )
    print_line(console, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldOptions:
    """Options of `cross-validate`: which runs take turns, and what is measured beside."""

    control: Annotated[
        list[str] | None,
        typer.Option(help="Reporter-free run: never trained on, scored by every fold."),
    ] = None
    exclude: Exclude = None
    isolated: Annotated[bool, typer.Option(help="Train the isolated-tile network beside, too.")] = (
        True
    )
    leakage: Annotated[
        bool, typer.Option(help="Measure how much a split over random tiles would flatter.")
    ] = True
    work: Annotated[
        Path | None, typer.Option(help="Folder of the folds; DATASET.cv by default.")
    ] = None
    shared_networks: Annotated[
        bool,
        typer.Option(
            help="Learn a fold's threshold from the other folds' networks: one network a run"
            " instead of a whole fit."
        ),
    ] = False
    jobs: Annotated[
        int,
        typer.Option(min=1, help="Folds at a time, each in a process with THREADS/JOBS threads."),
    ] = 1
    dask: DASK = None


@with_option_groups
def cross_validate(
    dataset: DatasetArg,
    folds: FoldOptions,
    options: FitOptions,
    json_file: JsonFile = None,
    threads: THREADS = 2,
) -> None:
    """Hold each run out once: a whole fit on the others, all figures on it."""
    from scopewatch_training.dataset.manifest import require_runs
    from scopewatch_training.network.device import use_device

    console = open_console()
    data = open_data(console, dataset)
    controls = tuple(folds.control or ())
    runs = runs_of(data, exclude=[*controls, *(folds.exclude or ())])
    require_runs(runs, where=dataset)
    chosen = choose_settings(data, options)
    if folds.dask is not None and folds.jobs > 1:
        raise typer.BadParameter("--jobs and --dask both say where folds are worked on: give one")
    cluster = None if folds.dask is None else read_address(folds.dask, threads=threads)
    device = use_device(threads)
    from scopewatch_training.cli.console import ConsoleStages, show_figures
    from scopewatch_training.evaluation.cross_validate import cross_validate as validate
    from scopewatch_training.evaluation.evaluate import write_figures
    from scopewatch_training.evaluation.single_fold import CrossValidation

    task = CrossValidation(
        settings=chosen,
        runs=runs,
        controls=controls,
        work=folds.work or dataset.with_name(f"{dataset.name}.cv"),
        threads=threads,
        jobs=folds.jobs,
        isolated=folds.isolated,
        leaky=folds.leakage,
        shared=folds.shared_networks,
        cluster=cluster,
    )
    print_line(console, f"{device}; runs {', '.join(runs)}")
    if note := few_steps(chosen):
        print_line(console, note)
    figures = validate(data, task, now=datetime.now(UTC), stages=ConsoleStages(console))
    show_figures(console, figures)
    if json_file is not None:
        write_figures(json_file, figures)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """Options of `tune` that place its search and end it."""

    out: Annotated[Path, typer.Option(help="Folder of the search: database, settings, plots.")]
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, over all workers.")] = 30
    storage: Annotated[
        str | None,
        typer.Option(help="Database URL that several workers share; SQLite in OUT by default."),
    ] = None
    with_context: Annotated[bool, typer.Option(help="Try isolated tiles, too.")] = False
    dask: DASK = None


@with_option_groups
def tune(
    dataset: DatasetArg,
    search: StudyOptions,
    runs: RunOptions,
    options: SearchOptions,
    threads: THREADS = 2,
) -> None:
    """Search for better settings on the training runs; fit takes them with --settings."""
    from scopewatch_training.network.device import use_device

    console = open_console()
    data = open_data(console, dataset)
    training = runs_of(data, hold_out=runs.hold_out or (), exclude=runs.exclude or ())
    base = choose_settings(data, options)
    cluster = None if search.dask is None else read_address(search.dask, threads=threads)
    device = use_device(threads)
    from scopewatch_training.cli.console import ConsoleStages
    from scopewatch_training.cli.tune_command import run_search

    print_line(console, f"{device}; training runs {', '.join(training)}")
    if note := few_steps(base):
        print_line(console, note)
    file = run_search(
        data,
        training,
        base,
        search.out,
        storage=search.storage,
        trials=search.trials,
        with_context=search.with_context,
        stages=ConsoleStages(console),
        threads=threads,
        cluster=cluster,
    )
    print_line(console, f"best settings in {file}: fit with --settings {file}")


def quantise(
    bundle: Annotated[Path, typer.Argument(help="Bundle whose report holds float weights.")],
    dataset: Annotated[Path, typer.Argument(help="The data set it was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
    keep_tiles: Annotated[
        bool,
        typer.Option(help="Keep the scores of tiles bit for bit; only add the finer stain."),
    ] = False,
    threads: THREADS = 2,
) -> None:
    """Quantise a bundle's float network again and let it through the gate."""
    from scopewatch_training.network.device import use_device

    console = open_console()
    use_device(threads)
    from scopewatch_training.cli.console import ConsoleStages
    from scopewatch_training.evaluation.requantise import requantise

    agreement = requantise(
        bundle,
        open_data(console, dataset),
        out,
        keep_tiles=keep_tiles,
        threads=threads,
        stages=ConsoleStages(console),
    )
    print_line(console, f"int8 against float32: {agreement.describe()}; bundle written to {out}")
