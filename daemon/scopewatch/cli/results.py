"""`scopewatch status` and `scopewatch export`."""

# Imports stand within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath

if TYPE_CHECKING:
    from scopewatch.app.status import MeasuredRun, Status
    from scopewatch.store.records import Counts, WellRow


class ExportFormat(StrEnum):
    """What results can be exported as."""

    CSV = "csv"
    JSON = "json"
    OME_ZARR = "ome-zarr"


def status(
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the daemon, the wells and what is wrong.

    Example: scopewatch status -c config.yaml --json
    """
    from scopewatch.app.status import read_status
    from scopewatch.config import load_config

    current = read_status(load_config(config), os.environ)
    if as_json:
        typer.echo(json.dumps(current.as_json(), indent=2, ensure_ascii=False))
    else:
        _print_status(current)


def export(
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="Where to write it.")],
    config: ConfigPath = DEFAULT_CONFIG,
    file_format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="csv: a line per frame; json: all but pixels; ome-zarr: the virtual stains.",
        ),
    ] = ExportFormat.CSV,
) -> None:
    """Write the results to a file.

    Example: scopewatch export --format csv --out results.csv
    """
    from scopewatch.config import load_config
    from scopewatch.store.queries import Reader

    settings = load_config(config)
    with (
        closing(Reader.open(settings.state.folder)) as reader,
        _progress(reader.counts()) as progress,
    ):
        match file_format:
            case ExportFormat.CSV:
                from scopewatch.store.export import export_csv

                what = f"{export_csv(reader, out, progress)} frames"
            case ExportFormat.JSON:
                from scopewatch.store.export import export_json

                what = f"{export_json(reader, out, progress)} frames"
            case ExportFormat.OME_ZARR:
                from scopewatch.store.zarr_export import export_ome_zarr

                what = f"{export_ome_zarr(reader, out, progress)} images"
    typer.echo(f"{what} written to {out}")


@contextmanager
def _progress(counts: "Counts") -> Iterator[Callable[[int], None]]:
    """Show on standard error how many frames are written, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        total = counts.scored + counts.quarantined + counts.skipped + counts.missed
        task = bar.add_task("frames", total=total)
        yield lambda done: bar.update(task, completed=done)


def _print_status(status: "Status") -> None:
    from rich.console import Console
    from rich.table import Table

    from scopewatch.core.gist import gist

    console = Console()
    if status.simulated:
        console.print("SIMULATED: not a result", style="bold yellow")
    console.print(f"daemon: {status.daemon.text}", highlight=False)
    counts = status.counts
    last = f"{counts.last_frame_at:%Y-%m-%d %H:%M} UTC" if counts.last_frame_at else "none yet"
    missed = f"{counts.missed} missed, " if counts.missed else ""
    console.print(
        f"frames: {counts.scored} scored, {counts.quarantined + counts.refused} quarantined,"
        f" {missed}{counts.skipped} of other channels; last {last}",
        highlight=False,
    )
    for alert in status.alerts:
        if alert.well is None:
            style = "bold red" if alert.severity == "critical" else "bold yellow"
            line = f"{alert.severity}: {alert.subject}: {alert.rule}: "
            console.print(line + gist(alert.kind, alert.evidence), style=style, markup=False)
    columns = ("experiment", "plate", "well", "day", "efficiency", "interval", "forecast", "alert")
    table = Table(*columns)
    for row in status.wells:
        seen = row.efficiency
        table.add_row(
            row.name.experiment,
            row.name.plate,
            row.name.well,
            "" if row.day is None else f"{row.day:.1f}",
            "" if seen is None else f"{seen.value:.0%}" + ("" if seen.corrected else " raw"),
            f"{seen.low:.0%} to {seen.high:.0%}" if seen is not None and seen.corrected else "",
            _tell_forecast(row),
            ", ".join(flag.rule for flag in row.flags),
        )
    if status.wells:
        console.print(table)
    for measured in status.measured:
        console.print("\n".join(_tell_end(measured)), highlight=False, markup=False)
    for refused in status.refused:
        became = "missed" if refused.fault == "gap" else "quarantined"
        console.print(f"{became}: {refused.what}: {refused.reason}", highlight=False, markup=False)
    failing = {each.channel for each in status.daemon.receivers if each.failures}
    for receiver in status.daemon.receivers:
        console.print(
            f"alert channel {receiver.channel}: {receiver.text}", highlight=False, markup=False
        )
    for channel in status.channels:
        if channel.waiting or channel.given_up:
            why = channel.last_error if channel.channel not in failing else None
            console.print(
                f"messages to {channel.channel}: {channel.waiting} waiting,"
                f" {channel.given_up} given up" + (f"; {why}" if why else ""),
                highlight=False,
                markup=False,
            )


def _tell_forecast(row: "WellRow") -> str:
    from scopewatch.core.forecast import NoForecast

    if row.outlook is None:
        return ""
    told = row.outlook.forecast
    if isinstance(told, NoForecast):
        return f"none: {told.cause.value}"
    return f"day {told.final_day:g}: {told.value:.0%} ({told.low:.0%} to {told.high:.0%})"


def _tell_end(measured: "MeasuredRun") -> list[str]:
    """Return lines on a run that fluorescence measured."""
    report = measured.report
    lines = [f"{measured.run}: {report.wells} wells measured by fluorescence"]
    if report.now is not None:
        promise = ""
        if report.half_width is not None and report.coverage is not None:
            promise = f" (the card: +-{100 * report.half_width:.1f} for {report.coverage:.0%})"
        lines.append(
            f"  now: bias {100 * report.now.bias:+.1f}, MAE {100 * report.now.mae:.1f} points,"
            f" interval held {report.now.held:.0%}{promise}"
        )
    for day, said in report.by_day.items():
        lines.append(
            f"  forecast of day {day:g}: bias {100 * said.bias:+.1f}, MAE {100 * said.mae:.1f}"
            f" points, interval held {said.held:.0%} of {said.wells} wells"
        )
    if report.departs:
        lines.append(f"  departs from the model card: {report.departs}")
    if measured.proposal is not None:
        lines.append(
            f'  to take it up: scopewatch-train recalibrate BUNDLE "{measured.proposal}"'
            " --out NEW-BUNDLE"
        )
    return lines
