"""`scopewatch-train evaluate | report`: judge a bundle on runs it never saw."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_training.cli.arguments import BundleArg, DatasetArg, JsonFile, Scores
from scopewatch_training.cli.console import open_console, open_data, print_line
from scopewatch_training.cli.fit_options import THREADS


def evaluate(
    bundle: BundleArg,
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
    from scopewatch_training.cli.console import show_figures
    from scopewatch_training.cli.next_steps import after_evaluate
    from scopewatch_training.evaluation.evaluate import evaluate as evaluate_bundle
    from scopewatch_training.evaluation.evaluate import write_figures

    console = open_console()
    evaluation = evaluate_bundle(
        load_bundle(bundle),
        open_data(console, dataset),
        runs=run or (),
        threads=threads,
        with_baselines=baselines,
    )
    figures = evaluation.to_json()
    show_figures(console, figures)
    for note in evaluation.notes:
        print_line(console, note)
    if json_file is not None:
        write_figures(json_file, figures)
    print_line(console, after_evaluate(bundle, dataset, run or ()))


def report(
    bundle: BundleArg,
    dataset: DatasetArg,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the page; BUNDLE/report by default.")
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(help="Run to report on; by default all that the bundle never saw."),
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
    from scopewatch_training.bundle.bundle_writer import REPORT_FOLDER
    from scopewatch_training.cli.next_steps import after_report
    from scopewatch_training.evaluation.evaluate import report_evaluation

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
        from scopewatch_training.cli.console import ConsoleStages
        from scopewatch_training.forecasting.early_warning.command import (
            StudyRequest,
            choose_rules,
            run_study,
            study_section,
        )

        request = StudyRequest(
            bundle=bundle,
            timelapse=timelapse,
            finals=finals,
            rules=choose_rules(None, None),
            scores=scores,
            threads=threads,
        )
        study = run_study(request, ConsoleStages(console))
        more.append(study_section(study, load_bundle(bundle).card.simulated))
    page = report_evaluation(
        load_bundle(bundle),
        open_data(console, dataset),
        out or bundle / REPORT_FOLDER,
        runs=run or (),
        threads=threads,
        now=datetime.now(UTC),
        more=more,
    )
    print_line(console, f"report written to {page}")
    print_line(console, after_report(bundle))
