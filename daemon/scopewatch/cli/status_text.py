"""The state of the monitoring as `scopewatch status` prints it for people."""

from rich.console import Console
from rich.table import Table

from scopewatch.app.status.records import MeasuredRun, Status
from scopewatch.core.estimation.forecast import NoForecast
from scopewatch.core.faults import Fault
from scopewatch.messages.summary import summarise
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.runs_and_wells import WellRow
from scopewatch.web.advice import advise

COLUMNS = ("experiment", "plate", "well", "day", "efficiency", "interval", "forecast", "alert")
STYLES = {"failing": "bold red", "degraded": "bold yellow"}


def print_status(status: Status) -> None:
    """Print the state of the daemon and of the watched runs, and what is wrong."""
    console = Console()
    if status.simulated:
        console.print("SIMULATED: not a result", style="bold yellow")
    console.print(f"daemon: {status.daemon.text}", highlight=False)
    for each in status.daemon.acquisitions:
        console.print(f"acquisition {each.source}: {each.text}", highlight=False, markup=False)
    for entry in status.journal:
        console.print(f"journal: {entry.line}", highlight=False, markup=False, soft_wrap=True)
    _print_runs(console, status)
    for alert in status.alerts:
        if alert.well is None:
            style = "bold red" if alert.severity == "critical" else "bold yellow"
            line = f"{alert.severity}: {alert.subject}: {alert.rule}: "
            console.print(line + summarise(alert.kind, alert.evidence), style=style, markup=False)
    _print_acquisitions(console, status)
    _print_wells(console, status)
    for measured in status.measured:
        console.print("\n".join(_end_line(measured)), highlight=False, markup=False)
    _print_reasons(console, status)
    _print_channels(console, status)


def _print_runs(console: Console, status: Status) -> None:
    for each in status.states:
        line = f"{each.run}: {each.sentence}"
        console.print(line, style=STYLES.get(each.level), highlight=False, markup=False)
        for line in filter(None, (each.advice, *each.details)):
            console.print(f"  {line}", highlight=False, markup=False)
        named = "" if len(status.states) == 1 else f" of {each.run}"
        line = _counts_line(status.run_counts[each.run])
        console.print(f"frames{named}: {line}", highlight=False, markup=False)


def _print_acquisitions(console: Console, status: Status) -> None:
    """Print how far an acquisition is, and the time, disk and light of it."""
    for each in status.acquisitions:
        for line in each.lines:
            console.print(
                f"acquisition {each.source}: {line}", highlight=False, markup=False, soft_wrap=True
            )


def _print_wells(console: Console, status: Status) -> None:
    watched = {each.run for each in status.states}
    table = Table(*COLUMNS)
    for row in status.wells:
        if row.name.run not in watched:
            continue
        seen = row.efficiency
        table.add_row(
            row.name.run,
            row.name.plate,
            row.name.well,
            "" if row.day is None else f"{row.day:.1f}",
            "" if seen is None else f"{seen.value:.0%}" + ("" if seen.corrected else " raw"),
            f"{seen.low:.0%} to {seen.high:.0%}" if seen is not None and seen.corrected else "",
            _forecast_line(row),
            ", ".join(flag.rule for flag in row.flags),
        )
    if table.row_count:
        console.print(table)
    earlier = ", ".join(run.name for run in status.runs if run.name not in watched)
    if earlier:
        line = f"earlier runs: {earlier}; `scopewatch export` and the dashboard have them"
        console.print(line, highlight=False, markup=False)


def _print_reasons(console: Console, status: Status) -> None:
    """Print what is in quarantine: a sentence for each reason, and the figures of the newest."""
    for each in status.reasons:
        became = "missed" if each.fault == Fault.GAP else f"quarantined, {each.fault}"
        waits = f" ({each.asked_again} are to be tried again)" if each.asked_again else ""
        line = f"{each.count} {became}{waits}: {advise(each.fault)}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
        newest = "the newest: " if each.count > 1 else ""
        console.print(
            f"  {newest}{each.what}: {each.reason}", highlight=False, markup=False, soft_wrap=True
        )
    if any(each.fault != Fault.GAP for each in status.reasons):
        line = "what was mended is tried again by `scopewatch retry`; the dashboard lists each"
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _print_channels(console: Console, status: Status) -> None:
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


def _counts_line(counts: Counts) -> str:
    last = f"{counts.last_frame_at:%Y-%m-%d %H:%M} UTC" if counts.last_frame_at else "none yet"
    missed = f"{counts.missed} missed, " if counts.missed else ""
    return (
        f"{counts.scored} scored, {counts.quarantined + counts.refused} quarantined,"
        f" {missed}{counts.skipped} of other channels; last {last}"
    )


def _forecast_line(row: WellRow) -> str:
    if row.outlook is None:
        return ""
    forecast = row.outlook.forecast
    if isinstance(forecast, NoForecast):
        return f"none: {forecast.cause.value}"
    interval = f"{forecast.low:.0%} to {forecast.high:.0%}"
    return f"day {forecast.final_day:g}: {forecast.value:.0%} ({interval})"


def _end_line(measured: MeasuredRun) -> list[str]:
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
    for day, accuracy in report.by_day.items():
        lines.append(
            f"  forecast of day {day:g}: bias {100 * accuracy.bias:+.1f}, MAE"
            f" {100 * accuracy.mae:.1f} points, interval held {accuracy.held:.0%}"
            f" of {accuracy.wells} wells"
        )
    if report.departs:
        lines.append(f"  departs from the model card: {report.departs}")
    if measured.proposal is not None:
        lines.append(
            f'  to take it up: scopewatch-train recalibrate BUNDLE "{measured.proposal}"'
            " --out NEW-BUNDLE"
        )
    return lines
