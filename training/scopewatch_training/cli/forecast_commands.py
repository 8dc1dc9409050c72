"""`scopewatch-train forecast | early-warning | recalibrate`: forecasts of final efficiencies."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.cli.options.groups import with_option_groups
from scopewatch_training.cli.arguments import BundleArg, JsonFile, Scores
from scopewatch_training.cli.console import open_console, open_data, print_line
from scopewatch_training.cli.fit_options import THREADS


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
    from scopewatch_training.cli.console import ConsoleStages, show_forecast
    from scopewatch_training.forecasting.forecast import forecast as learn_forecast

    console = open_console()
    rows = learn_forecast(
        bundle,
        open_data(console, dataset),
        timelapse,
        threads=threads,
        stages=ConsoleStages(console),
        scores=scores,
    )
    show_forecast(console, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOptions:
    """Options of `early-warning`: what is studied."""

    finals: Annotated[
        Path,
        typer.Option(
            help="What the wells came to: the data set of their final day, or a CSV with"
            " run,plate,well,site,final_efficiency (truth.csv of scopewatch simulate)."
        ),
    ]
    target: Annotated[
        list[float] | None,
        typer.Option(min=0.01, max=0.99, help="A well below it is weak; may be given several."),
    ] = None
    rate: Annotated[
        list[float] | None,
        typer.Option(min=0, help="False alarms per run to compare at; may be given several."),
    ] = None
    limit: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=0.99, help="P(final < target) above which the forecast rule speaks."
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="config.yaml whose rules of wells and plates are replayed; else defaults."
        ),
    ] = None
    final_day: Annotated[
        float | None, typer.Option(help="Day of the end; the time-lapse's last by default.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Options of `early-warning`: where its results are written."""

    json_file: JsonFile = None
    plot: Annotated[Path | None, typer.Option(help="Where to draw it, as PNG.")] = None
    page: Annotated[
        Path | None, typer.Option(help="Folder for a page of it: table and picture.")
    ] = None


@with_option_groups
def early_warning(
    bundle: BundleArg,
    timelapse: Annotated[
        Path,
        typer.Argument(
            help="CSV of all phase frames of runs the bundle never saw:"
            " run,plate,well,site,time_point,day,phase."
        ),
    ],
    question: QuestionOptions,
    output: OutputOptions,
    scores: Scores = None,
    threads: THREADS = 2,
) -> None:
    """Replay held-out runs through the daemon's rules: who would have been warned, and when."""
    from scopewatch_training.cli.console import ConsoleStages
    from scopewatch_training.forecasting.early_warning.command import (
        DEFAULT_RATES,
        DEFAULT_TARGETS,
        StudyRequest,
        choose_rules,
        run_study,
        write_study,
    )
    from scopewatch_training.forecasting.early_warning.table import show_study

    console = open_console()
    json_file = output.json_file
    request = StudyRequest(
        bundle=bundle,
        timelapse=timelapse,
        finals=question.finals,
        rules=choose_rules(question.config, question.limit),
        targets=tuple(question.target or DEFAULT_TARGETS),
        rates=tuple(question.rate or DEFAULT_RATES),
        final_day=question.final_day,
        scores=scores or (json_file and json_file.with_suffix(".scores.jsonl")),
        threads=threads,
    )
    study = run_study(request, ConsoleStages(console))
    show_study(console, study)
    write_study(study, bundle, json_file, output.plot, output.page, now=datetime.now(UTC))


def recalibrate(
    bundle: Annotated[Path, typer.Argument(help="Bundle that the daemon ran with.")],
    proposal: Annotated[Path, typer.Argument(help="File that the daemon wrote of a run.")],
    out: Annotated[Path, typer.Option(help="Folder of the new bundle.")],
) -> None:
    """Refit threshold, error rates and forecast with a run that the daemon measured."""
    from scopewatch_training.cli.console import show_recalibration
    from scopewatch_training.forecasting.recalibrate import recalibrate as refit

    console = open_console()
    show_recalibration(console, refit(bundle, proposal, out, now=datetime.now(UTC)))
    print_line(console, f"bundle written to {out}; name it in config.yaml and restart the daemon")
