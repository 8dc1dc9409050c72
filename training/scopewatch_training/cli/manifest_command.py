"""`scopewatch-train manifest`: writes the tables of pairs and of the time-lapse from a folder."""

# ruff: noqa: PLC0415  (imported within: at the top they would cost every call ten seconds)

from pathlib import Path
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
        print_line(console, f"wrote {pairs}; next: scopewatch-train prepare {pairs} --out dataset")
        return
    survey = survey_runs(
        folder,
        SurveyChoices(
            phase=phase_channel,
            fluorescence=fluorescence_channel,
            pattern=pattern,
            interval_h=interval_h,
            one_run=one_run,
        ),
    )
    _show(console, survey)
    write_survey(survey, pairs, timelapse, overwrite=overwrite)
    print_line(console, f"wrote {pairs}: {len(survey.pairs)} pairs")
    print_line(console, f"wrote {timelapse}: {len(survey.phase_frames)} phase frames")
    print_line(console, f"look at them, then: scopewatch-train prepare {pairs} --out dataset")


def _show(console: Console, survey: "FolderSurvey") -> None:
    from scopewatch_training.cli.console import print_line, show_rows

    columns = (
        *("run", "read by", "plates", "wells", "sites", "time points", "days", "um/px"),
        *("phase frames", "fluorescence frames", "pairs"),
    )
    rows = []
    for run in survey.runs:
        phase, glow = (run.frames.get(each[0], 0) for each in (survey.phase, survey.fluorescence))
        days = "-" if run.days is None else f"{run.days[0]:g} to {run.days[1]:g}"
        rows.append(
            (
                *(run.run, run.read_by, _few(run.plates), f"{len(run.wells)}: {_few(run.wells)}"),
                *(f"{run.sites}", f"{run.time_points}", days),
                ", ".join(f"{each:.4g}" for each in run.um_per_px) or "not stated",
                *(f"{phase}", f"{glow}", f"{run.pairs}"),
            )
        )
    show_rows(console, f"what was understood of {survey.root}", columns, rows)
    if survey.one_run:
        shape = "the folder is one run (--run-per-folder: each folder in it is one)"
    else:
        shape = "each folder is a run (--one-run: all is one)"
    print_line(console, f"runs: {shape}")
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


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown}, ..., {names[-1]}"
