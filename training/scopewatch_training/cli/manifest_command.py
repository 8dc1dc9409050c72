"""`scopewatch-train manifest`: writes the tables of pairs and of the time-lapse from a folder."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from scopewatch_training.dataset.survey.findings import FolderSurvey

EXAMPLE = "scopewatch-train manifest runs --out tables"
PAIRS = "pairs.csv"
TIMELAPSE = "timelapse.csv"
_MOST_NAMED = 3


def manifest(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with a folder for each run, or of one run; or a CSV table to check."
        ),
    ],
    out: Annotated[
        Path, typer.Option(help=f"Folder for {PAIRS} and {TIMELAPSE}; here by default.")
    ] = Path(),
    phase_channel: Annotated[
        str | None, typer.Option(help="Name of the phase channel; guessed where its name tells.")
    ] = None,
    fluorescence_channel: Annotated[
        str | None, typer.Option(help="Name of the fluorescence channel; guessed likewise.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="File names: a preset or regular expression; guessed by default."),
    ] = None,
    interval_h: Annotated[
        float | None,
        typer.Option(min=0.01, help="Hours between time points; measured where names hold times."),
    ] = None,
    one_run: Annotated[
        bool | None,
        typer.Option(
            "--one-run/--run-per-folder",
            help="Whether the folder is one run, or each folder in it is one; guessed by default.",
        ),
    ] = None,
    run_per_plate: Annotated[
        bool,
        typer.Option(
            "--run-per-plate", help="Each plate (vessel) is a run, where a folder holds several."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace tables that are there.")] = False,
) -> None:
    """Write pairs.csv and timelapse.csv from names and metadata, and show what was understood."""
    from scopewatch_training.cli.console import open_console, print_line
    from scopewatch_training.dataset.manifest import read_manifest
    from scopewatch_training.dataset.pairing import write_manifest
    from scopewatch_training.dataset.survey.findings import refuse_replacing, write_survey
    from scopewatch_training.dataset.survey.folder import survey_runs
    from scopewatch_training.dataset.survey.guesses import SurveyChoices

    console = open_console()
    pairs, timelapse = out / PAIRS, out / TIMELAPSE
    if folder.is_file():
        rows = read_manifest(folder)
        runs = ", ".join(sorted({row.run for row in rows}))
        refuse_replacing((pairs,), overwrite=overwrite)
        out.mkdir(parents=True, exist_ok=True)
        write_manifest(rows, pairs)
        print_line(console, f"{folder}: {len(rows)} pairs of runs {runs}; all pictures are there")
        print_line(console, f"wrote {pairs}")
        print_line(console, f"next: scopewatch-train prepare {quote(str(pairs))} --out dataset")
        return
    survey = survey_runs(
        folder,
        SurveyChoices(
            phase=phase_channel,
            fluorescence=fluorescence_channel,
            pattern=pattern,
            interval_h=interval_h,
            one_run=one_run,
            run_per_plate=run_per_plate,
        ),
    )
    _show(console, survey, run_per_plate=run_per_plate)
    write_survey(survey, pairs, timelapse, overwrite=overwrite)
    print_line(console, f"wrote {pairs}: {len(survey.pairs)} pairs")
    print_line(console, f"wrote {timelapse}: {len(survey.phase_frames)} phase frames")
    command = f"scopewatch-train prepare {quote(str(pairs))} --out dataset"
    print_line(console, f"next: look at both tables, then: {command}")


def _show(console: Console, survey: "FolderSurvey", *, run_per_plate: bool) -> None:
    from scopewatch_training.cli.console import print_line, show_rows

    columns = (
        *("run", "read by", "plates", "wells", "sites", "time points", "days", "um/px"),
        *("phase frames", "fluorescence frames", "pairs"),
    )
    rows = []
    for run in survey.runs:
        phase, glow = (run.frames.get(each[0], 0) for each in (survey.phase, survey.fluorescence))
        days = "not known" if run.days is None else f"{run.days[0]:g} to {run.days[1]:g}"
        rows.append(
            (
                *(run.run, run.read_by, _few(run.plates), f"{len(run.wells)}: {_few(run.wells)}"),
                *(f"{run.sites}", f"{run.time_points}", days),
                ", ".join(f"{each:.4g}" for each in run.um_per_px) or "not stated",
                *(f"{phase}", f"{glow}", f"{run.pairs}"),
            )
        )
    show_rows(console, f"what was understood of {survey.root}", columns, rows)
    if run_per_plate:
        shape = "each plate is a run"
    elif survey.one_run:
        shape = "the folder is one run (--run-per-folder: each folder in it is one)"
    else:
        shape = "each folder is a run (--one-run: all is one)"
    print_line(console, f"runs: {shape}")
    for line in _doubtful_runs(survey, run_per_plate=run_per_plate):
        print_line(console, line)
    if survey.dated and any(run.days for run in survey.runs):
        print_line(
            console, "days: from the first date in a run's names; correct them in the tables"
        )
    if any(row.um_per_px is None for row in survey.pairs):
        print_line(
            console,
            "um/px: some files do not state it; where you know it, write it in column um_per_px of"
            " both tables: without it the scale of the daemon's frames is not checked",
        )
    for name, (channel, why) in (
        ("phase", survey.phase),
        ("fluorescence", survey.fluorescence),
    ):
        print_line(console, f"{name} channel: {channel} ({why})")
    for channel, count in survey.others.items():
        print_line(console, f"not used: {count} pictures of channel {channel}")
    for place in survey.unpaired[:_MOST_NAMED]:
        print_line(console, f"not used: no phase frame for {place}")
    if len(survey.unpaired) > _MOST_NAMED:
        more = len(survey.unpaired) - _MOST_NAMED
        print_line(console, f"not used: no phase frame for {more} more")
    for why, (count, example) in survey.left_out.items():
        print_line(console, f"not used: {count} files, {why}: {example}")


def _doubtful_runs(survey: "FolderSurvey", *, run_per_plate: bool) -> list[str]:
    """Return what to decide where the folder may hold more runs than were found."""
    several = [run for run in survey.runs if len(run.plates) > 1]
    lines = [
        f"run {run.run} has {len(run.plates)} plates: where each is a differentiation of its own"
        " (another day, another passage), call it again with --run-per-plate --overwrite"
        for run in several[:_MOST_NAMED]
    ]
    if len(survey.runs) == 1 and not several and not run_per_plate:
        lines.append(
            "one run alone: a model is judged on a run that it never saw, so that two are the"
            " least; keep each differentiation in a folder of its own"
        )
    return lines


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown}, ..., {names[-1]}"
