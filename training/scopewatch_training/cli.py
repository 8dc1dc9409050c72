"""`scopewatch-train`: from paired runs to a bundle.

Heavy modules (TensorFlow, scikit-learn) are imported by the commands that need them, so that
`--help` and a wrong call answer at once.
"""

# ruff: noqa: PLC0415  (see above: importing at the top would cost every call ten seconds)

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.core.errors import ConfigError, ScopewatchError, complaint
from scopewatch_training.console import open_console
from scopewatch_training.fit_options import (
    AREA_CUTOFF,
    BINARISE,
    CONTEXT,
    DEPTH,
    SEED,
    SETTINGS_FILE,
    STEPS,
    THREADS,
    TILE_PX,
    WIDTH,
    choose_settings,
    runs_of,
)
from scopewatch_training.prepare_command import EXAMPLE, prepare

app = typer.Typer(
    name="scopewatch-train",
    help="Train a label-free differentiation model from pairs of phase and fluorescence frames.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

DatasetArg = Annotated[Path, typer.Argument(help="Data set that prepare wrote.")]
HoldOut = Annotated[
    list[str] | None, typer.Option(help="Run to set aside; may be given several times.")
]
Exclude = Annotated[
    list[str] | None, typer.Option(help="Run to leave out altogether (a negative control).")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Where to write all figures.")]
Scores = Annotated[
    Path | None,
    typer.Option(help="File that keeps the model's score of each frame, for the next call."),
]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Train a label-free differentiation model from pairs of phase and fluorescence frames."""


app.command(epilog=f"Example: {EXAMPLE}")(prepare)


@app.command(epilog="Example: scopewatch-train fit data/hes3 --out models/hes3 --hold-out run7")
def fit(
    dataset: DatasetArg,
    out: Annotated[Path, typer.Option(help="Folder of the bundle; a bundle there is replaced.")],
    hold_out: HoldOut = None,
    exclude: Exclude = None,
    name: Annotated[
        str | None, typer.Option(help="Name on the card; the folder's by default.")
    ] = None,
    description: Annotated[str, typer.Option(help="One line for the card.")] = "",
    area_cutoff: AREA_CUTOFF = None,
    binarise: BINARISE = None,
    tile_px: TILE_PX = None,
    width: WIDTH = None,
    depth: DEPTH = None,
    context: CONTEXT = None,
    steps: STEPS = None,
    seed: SEED = None,
    settings: SETTINGS_FILE = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder of the checkpoints; OUT.work by default.")
    ] = None,
    threads: THREADS = 2,
) -> None:
    """Train on whole runs; ends with a quantised bundle that passed its gate."""
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.device import use_device

    data = open_dataset(dataset)
    runs = runs_of(data, hold_out=hold_out or (), exclude=exclude or ())
    chosen = choose_settings(
        data, settings, area_cutoff, binarise, tile_px, width, depth, context, steps, seed
    )
    device = use_device(threads)
    from scopewatch_training.console import ConsoleStages, show_card
    from scopewatch_training.fit import FitRequest
    from scopewatch_training.fit import fit as fit_bundle

    held = tuple(hold_out or ())
    request = FitRequest(
        settings=chosen,
        runs=runs,
        held_out=held,
        name=name or out.name,
        description=description or f"Trained on {data.marker}.",
        work=work or out.with_name(f"{out.name}.work"),
        threads=threads,
    )
    console = open_console()
    console.print(f"{device}; training runs {', '.join(runs)}")
    bundle = fit_bundle(data, out, request, now=datetime.now(UTC), stages=ConsoleStages(console))
    show_card(console, bundle.card)
    console.print(f"bundle written to {out}")


@app.command(
    epilog="Example: scopewatch-train evaluate models/hes3 data/hes3 --run run7 --json run7.json"
)
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    dataset: DatasetArg,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Run to judge; by default all that the bundle never saw."),
    ] = None,
    json_file: JsonFile = None,
    baselines: Annotated[
        bool, typer.Option(help="Train simpler methods on the same runs, beside.")
    ] = True,
    threads: THREADS = 2,
) -> None:
    """Judge a bundle on runs of a data set, by the path the daemon takes."""
    from scopewatch.inference.bundle import load_bundle
    from scopewatch_training.console import show_figures
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.evaluate import evaluate as evaluate_bundle
    from scopewatch_training.evaluate import write_figures

    console = open_console()
    evaluation = evaluate_bundle(
        load_bundle(bundle),
        open_dataset(dataset),
        runs=run or (),
        threads=threads,
        with_baselines=baselines,
    )
    figures = evaluation.to_json()
    show_figures(console, figures)
    if evaluation.seen:
        console.print(
            f"These figures flatter: the bundle was trained on {', '.join(evaluation.seen)}."
        )
    if json_file is not None:
        write_figures(json_file, figures)


@app.command(epilog="Example: scopewatch-train report models/hes3 data/hes3 --run run7 --out r7")
def report(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    dataset: DatasetArg,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the page; BUNDLE/report by default.")
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Run to tell of; by default all that the bundle never saw."),
    ] = None,
    timelapse: Annotated[
        Path | None,
        typer.Option(help="CSV of phase frames of all days, for a section on early warning."),
    ] = None,
    finals: Annotated[
        Path | None, typer.Option(help="What its wells came to, as for early-warning.")
    ] = None,
    scores: Scores = None,
    threads: THREADS = 2,
) -> None:
    """Write a page about a bundle for a biologist: figures, baselines, pictures."""
    from scopewatch.inference.bundle import load_bundle
    from scopewatch_training.bundle_writer import REPORT_FOLDER
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.evaluate import report_evaluation

    if (timelapse is None) != (finals is None):
        raise ConfigError(
            complaint(
                "early warning needs both",
                where="--timelapse, --finals",
                expected="the frames of all days and what the wells came to",
                got="one of them",
                do="give the other as well, or neither",
            )
        )
    console = open_console()
    more = []
    if timelapse is not None and finals is not None:
        from scopewatch_training.console import ConsoleStages
        from scopewatch_training.early_warning_command import choose_rules, run_study, tell_study

        study = run_study(
            bundle,
            timelapse,
            finals,
            rules=choose_rules(None, None),
            targets=(0.5,),
            rates=(0.25, 0.5, 1.0, 2.0),
            final_day=None,
            scores=scores,
            threads=threads,
            stages=ConsoleStages(console),
        )
        more.append(tell_study(study, load_bundle(bundle).card.simulated))
    page = report_evaluation(
        load_bundle(bundle),
        open_dataset(dataset),
        out or bundle / REPORT_FOLDER,
        runs=run or (),
        threads=threads,
        now=datetime.now(UTC),
        more=more,
    )
    console.print(f"report written to {page}")


@app.command(
    "cross-validate",
    epilog="Example: scopewatch-train cross-validate data/hes3 --json cv.json --control auto",
)
def cross_validate(
    dataset: DatasetArg,
    json_file: JsonFile = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="Reporter-free run: never trained on, scored by every fold."),
    ] = None,
    exclude: Exclude = None,
    area_cutoff: AREA_CUTOFF = None,
    binarise: BINARISE = None,
    tile_px: TILE_PX = None,
    width: WIDTH = None,
    depth: DEPTH = None,
    context: CONTEXT = None,
    steps: STEPS = None,
    seed: SEED = None,
    settings: SETTINGS_FILE = None,
    isolated: Annotated[
        bool, typer.Option(help="Train the isolated-tile network beside, too.")
    ] = True,
    leakage: Annotated[
        bool, typer.Option(help="Measure how much a split over random tiles would flatter.")
    ] = True,
    work: Annotated[
        Path | None, typer.Option(help="Folder of the folds; DATASET.cv by default.")
    ] = None,
    shared_networks: Annotated[
        bool,
        typer.Option(
            help="Learn a fold's threshold from the other folds' networks: one network a run"
            " instead of a whole fit."
        ),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(min=1, help="Folds at a time, each in a process with THREADS/JOBS threads."),
    ] = 1,
    threads: THREADS = 2,
) -> None:
    """Hold each run out once: a whole fit on the others, all figures on it."""
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.device import use_device
    from scopewatch_training.manifest import require_runs

    data = open_dataset(dataset)
    controls = tuple(control or ())
    runs = runs_of(data, exclude=[*controls, *(exclude or ())])
    require_runs(runs, where=dataset)
    chosen = choose_settings(
        data, settings, area_cutoff, binarise, tile_px, width, depth, context, steps, seed
    )
    device = use_device(threads)
    from scopewatch_training.console import ConsoleStages, show_figures
    from scopewatch_training.cross_validate import cross_validate as validate
    from scopewatch_training.evaluate import write_figures
    from scopewatch_training.folds import CrossValidation

    task = CrossValidation(
        settings=chosen,
        runs=runs,
        controls=controls,
        work=work or dataset.with_name(f"{dataset.name}.cv"),
        threads=threads,
        jobs=jobs,
        isolated=isolated,
        leaky=leakage,
        shared=shared_networks,
    )
    console = open_console()
    console.print(f"{device}; runs {', '.join(runs)}")
    figures = validate(data, task, now=datetime.now(UTC), stages=ConsoleStages(console))
    show_figures(console, figures)
    if json_file is not None:
        write_figures(json_file, figures)


@app.command(epilog="Example: scopewatch-train tune data/hes3 --out tuned --trials 40")
def tune(
    dataset: DatasetArg,
    out: Annotated[Path, typer.Option(help="Folder of the search: database, settings, plots.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials in all, over all workers.")] = 30,
    storage: Annotated[
        str | None,
        typer.Option(help="Database URL that several workers share; SQLite in OUT by default."),
    ] = None,
    hold_out: HoldOut = None,
    exclude: Exclude = None,
    area_cutoff: AREA_CUTOFF = None,
    binarise: BINARISE = None,
    tile_px: TILE_PX = None,
    steps: STEPS = None,
    seed: SEED = None,
    settings: SETTINGS_FILE = None,
    with_context: Annotated[bool, typer.Option(help="Try isolated tiles, too.")] = False,
    threads: THREADS = 2,
) -> None:
    """Search for better settings on the training runs; fit takes them with --settings."""
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.device import use_device

    data = open_dataset(dataset)
    runs = runs_of(data, hold_out=hold_out or (), exclude=exclude or ())
    base = choose_settings(
        data, settings, area_cutoff, binarise, tile_px, None, None, None, steps, seed
    )
    device = use_device(threads)
    from scopewatch_training.console import ConsoleStages
    from scopewatch_training.tune_command import run_search

    console = open_console()
    console.print(f"{device}; training runs {', '.join(runs)}")
    file = run_search(
        data,
        runs,
        base,
        out,
        storage=storage,
        trials=trials,
        with_context=with_context,
        stages=ConsoleStages(console),
    )
    console.print(f"best settings in {file}: fit with --settings {file}")


@app.command(epilog="Example: scopewatch-train forecast models/hes3 data/hes3 runs/timelapse.csv")
def forecast(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle; its card is rewritten.")],
    dataset: Annotated[
        Path, typer.Argument(help="Data set with the final day of runs the bundle never saw.")
    ],
    timelapse: Annotated[
        Path,
        typer.Argument(
            help="CSV of all their phase frames: run,plate,well,site,time_point,day,phase."
        ),
    ],
    scores: Scores = None,
    threads: THREADS = 2,
) -> None:
    """Learn how the final efficiency follows from earlier days, and put it on the card."""
    from scopewatch_training.console import ConsoleStages, show_forecast
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.forecast import forecast as learn_forecast

    console = open_console()
    rows = learn_forecast(
        bundle,
        open_dataset(dataset),
        timelapse,
        threads=threads,
        stages=ConsoleStages(console),
        scores=scores,
    )
    show_forecast(console, rows)


@app.command(
    "early-warning",
    epilog="Example: scopewatch-train early-warning models/hes3 runs/timelapse.csv"
    " --finals data/hes3 --json early-warning.json --plot early-warning.png",
)
def early_warning(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    timelapse: Annotated[
        Path,
        typer.Argument(
            help="CSV of all phase frames of runs the bundle never saw:"
            " run,plate,well,site,time_point,day,phase."
        ),
    ],
    finals: Annotated[
        Path,
        typer.Option(
            help="What the wells came to: the data set of their final day, or a CSV with"
            " run,plate,well,site,final_efficiency (truth.csv of scopewatch simulate)."
        ),
    ],
    target: Annotated[
        list[float] | None,
        typer.Option(min=0.01, max=0.99, help="A well below it is weak; may be given several."),
    ] = None,
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0, help="False alarms per run to compare at; may be given several."),
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, help="P(final < target) above which the forecast rule speaks."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="config.yaml whose rules for weak wells are replayed; else defaults."),
    ] = None,
    final_day: Annotated[
        float | None, typer.Option(help="Day of the end; the time-lapse's last by default.")
    ] = None,
    json_file: JsonFile = None,
    plot: Annotated[Path | None, typer.Option(help="Where to draw it, as PNG.")] = None,
    page: Annotated[
        Path | None, typer.Option(help="Folder for a page of it: table and picture.")
    ] = None,
    scores: Scores = None,
    threads: THREADS = 2,
) -> None:
    """Replay held-out runs through the daemon's rules: who would have been warned, and when."""
    from scopewatch_training.console import ConsoleStages
    from scopewatch_training.early_warning_command import choose_rules, run_study, write_study
    from scopewatch_training.early_warning_table import show_study

    console = open_console()
    study = run_study(
        bundle,
        timelapse,
        finals,
        rules=choose_rules(config, limit),
        targets=target or (0.5,),
        rates=rate or (0.25, 0.5, 1.0, 2.0),
        final_day=final_day,
        scores=scores or (json_file and json_file.with_suffix(".scores.jsonl")),
        threads=threads,
        stages=ConsoleStages(console),
    )
    show_study(console, study)
    write_study(study, bundle, json_file, plot, page, now=datetime.now(UTC))


@app.command(epilog="Example: scopewatch-train quantise models/hes3 data/hes3 --out models/hes3-b")
def quantise(
    bundle: Annotated[Path, typer.Argument(help="Bundle whose report holds float weights.")],
    dataset: Annotated[Path, typer.Argument(help="The data set it was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
    threads: THREADS = 2,
) -> None:
    """Quantise a bundle's float network again and let it through the gate."""
    from scopewatch_training.dataset import open_dataset
    from scopewatch_training.device import use_device

    console = open_console()
    use_device(threads)
    from scopewatch_training.console import ConsoleStages
    from scopewatch_training.requantise import requantise

    agreement = requantise(
        bundle, open_dataset(dataset), out, threads=threads, stages=ConsoleStages(console)
    )
    console.print(f"int8 against float32: {agreement.describe()}; bundle written to {out}")


@app.command(
    epilog="Example: scopewatch-train recalibrate models/hes3 state/recalibration/run8.json"
    " --out models/hes3-run8"
)
def recalibrate(
    bundle: Annotated[Path, typer.Argument(help="Bundle that the daemon ran with.")],
    proposal: Annotated[Path, typer.Argument(help="File that the daemon wrote of a run.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
) -> None:
    """Refit threshold, error rates and forecast with a run that the daemon measured."""
    from scopewatch_training.recalibrate import recalibrate as refit
    from scopewatch_training.recalibrate import show_recalibration

    console = open_console()
    show_recalibration(console, refit(bundle, proposal, out, now=datetime.now(UTC)))
    console.print(f"bundle written to {out}; name it in config.yaml and restart the daemon")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line: exit 0 when done, 1 when the work failed, 2 for a wrong call."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        app(arguments)
    except ScopewatchError as error:
        if "--debug" in arguments:
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2 if isinstance(error, ConfigError) else 1)
