"""`scopewatch alert test|list|ack|snooze`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.cli.outputs import refuse_stdout
from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch.app.recording.store import Store

app = typer.Typer(
    help="Test the alert channels; list, acknowledge and snooze alerts, take an answer back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

AlertId = Annotated[int, typer.Argument(metavar="ID", help="As `scopewatch alert list` shows it.")]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)
_MOST_LISTED = 200


@app.command(name="test")
def send_test(
    config: ConfigPath = DEFAULT_CONFIG,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FOLDER",
            help="Send nothing: write the messages there as text, HTML and pictures.",
        ),
    ] = None,
) -> None:
    """Send a test alert (and digest) to every channel now, and call the heartbeat.

    They are written in the configured language, with a picture of a trend that does not exist.

    Example: scopewatch alert test -c config.yaml --write look-at-it
    """
    from scopewatch.app.messaging.testing import call_heartbeat, send_tests, write_tests
    from scopewatch.config import load_config
    from scopewatch.config.secrets import resolve_secrets

    refuse_stdout(write, "--write", what="a folder of messages", do="name a folder")
    settings = load_config(config)
    if write is not None:
        for path in write_tests(settings, write):
            typer.echo(path)
        return
    if not settings.alerts.channels and settings.alerts.heartbeat is None:
        raise ConfigError(
            complaint("there are no alert channels", where=config, do="add some to alerts.channels")
        )
    settings = resolve_secrets(settings, os.environ)
    outcome = send_tests(settings)
    heard = call_heartbeat(settings)
    if heard is not None:
        outcome["heartbeat"] = None if heard else "nobody heard it; check alerts.heartbeat.url"
    for name, why in outcome.items():
        typer.echo(f"{name}: {why or 'delivered'}", err=why is not None)
    if any(outcome.values()):
        raise typer.Exit(1)


@app.command(name="list")
def list_alerts(
    config: ConfigPath = DEFAULT_CONFIG,
    show_all: Annotated[
        bool, typer.Option("--all", help="Resolved ones too, not only those that are raised.")
    ] = False,
) -> None:
    """List the alerts that are raised now.

    Example: scopewatch alert list --all
    """
    from scopewatch.app.shared.places import place_of
    from scopewatch.config import load_config
    from scopewatch.messages.summary import summarise
    from scopewatch.store.read.reader import Reader

    reader = Reader.open(place_of(load_config(config)))
    try:
        rows = reader.alerts(None, _MOST_LISTED, open_only=not show_all)
    finally:
        reader.close()
    if not rows:
        typer.echo("no alerts" if show_all else "no alert is raised")
    for row in rows:
        state = f"resolved {row.resolved_at:%Y-%m-%d %H:%M}" if row.resolved_at else "raised"
        if row.escalated_at:
            state += f", escalated {row.escalated_at:%Y-%m-%d %H:%M}"
        if row.resolved_at is None and row.acknowledged_at:
            state += ", acknowledged"
        if row.resolved_at is None and row.snoozed_until:
            state += f", snoozed until {row.snoozed_until:%Y-%m-%d %H:%M}Z"
        day = "" if row.day is None else f"day {row.day:.1f}: "
        typer.echo(
            f"{row.alert:>5}  {row.severity:<8}  {row.subject}  {day}"
            f"{summarise(row.kind, row.evidence)} (rule {row.rule!r}): {state}"
        )


@app.command()
def ack(alert: AlertId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Acknowledge an alert.

    Example: scopewatch alert ack 3
    """
    from scopewatch.runtime.clock import SystemClock

    with open_beside(config) as store:
        store.acknowledge(alert, SystemClock().now())
    typer.echo(f"alert {alert} is acknowledged")


@app.command()
def snooze(
    alert: AlertId,
    duration: Annotated[
        str, typer.Option("--for", metavar="TIME", help="How long: 30m, 6h, 2d.")
    ] = "6h",
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Keep an alert quiet for a while; it is still recorded.

    Example: scopewatch alert snooze 3 --for 6h
    """
    from scopewatch.runtime.clock import SystemClock

    until = SystemClock().now() + parse_duration(duration)
    with open_beside(config) as store:
        store.snooze(alert, until)
    typer.echo(f"alert {alert} is quiet until {until:%Y-%m-%d %H:%M} UTC")


@app.command()
def undo(alert: AlertId, config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Take back the acknowledgement or snooze of an alert.

    Example: scopewatch alert undo 3
    """
    with open_beside(config) as store:
        store.take_back(alert)
    typer.echo(f"alert {alert} is neither acknowledged nor snoozed any more")


def parse_duration(text: str) -> timedelta:
    """Read `30m`, `6h` or `2d`. Raises ConfigError."""
    match = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    duration = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta(0)
    if not timedelta(0) < duration <= _LONGEST:
        raise ConfigError(
            complaint(
                "duration is not understood",
                where="--for",
                expected=f"30m, 6h or 2d, up to {_LONGEST.days}d",
                got=repr(text),
                do="give a number and m, h or d",
            )
        )
    return duration


@contextmanager
def open_beside(config: ConfigPath) -> "Iterator[Store]":
    """Open the store beside a running daemon; SQLite lets both write in turn."""
    from scopewatch.app.messaging.composing import MessageComposer
    from scopewatch.app.recording.store import Store
    from scopewatch.app.run_policy import policy_of
    from scopewatch.app.shared.places import place_of
    from scopewatch.config import load_config
    from scopewatch.messages.message import Style
    from scopewatch.runtime.clock import SystemClock
    from scopewatch.store.read.reader import Reader

    settings = load_config(config)
    # Opened for reading first: a wrong path must not make an empty database.
    Reader.open(place_of(settings)).close()
    store = Store.open(
        place_of(settings),
        policy=policy_of(settings.experiment),
        # An answer sends no message.
        composer=MessageComposer(style=Style(), routes={}),
        clock=SystemClock(),
    )
    try:
        yield store
    finally:
        store.close()
