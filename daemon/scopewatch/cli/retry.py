"""`scopewatch retry`: frames and files in quarantine are tried again."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import getpass
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.alerts import open_beside
from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.core.faults import Fault

if TYPE_CHECKING:
    from scopewatch.config import Config
    from scopewatch.store.read.records.quarantine import RetryAnswer, RetrySelection


def retry(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|FRAME]...",
            help="Files, folders of them, or frames, as the quarantine names them.",
        ),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="NAME", help="All of one reason: blank, say.")
    ] = None,
    well: Annotated[str | None, typer.Option("--well", help="All frames of a well.")] = None,
    plate: Annotated[str | None, typer.Option("--plate", help="All frames of a plate.")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Of this run alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,
) -> None:
    """Have frames and files in quarantine read and judged once more.

    A running daemon takes them up within seconds, another one at its start. Each is scored once,
    or comes back with its new reason. Without arguments it shows what is in quarantine, by reason.

    Example: scopewatch retry --reason out-of-focus --well B3
    """
    from scopewatch.config import load_config
    from scopewatch.store.read.records.quarantine import RetrySelection

    settings = load_config(config)
    given = RetrySelection(run=run, plate=plate, well=well, fault=reason)
    if not what and not everything and given == RetrySelection(run=run):
        _show(settings, run)
        return
    asked = [_named(settings, each, given) for each in what] if what else [given]
    by = f"{user()}, command line"
    sources = [source.name for source in settings.sources]
    with open_beside(config) as store:
        answers = [store.ask_again(each, sources, by) for each in asked]
    _report(settings, asked, answers)


def _show(settings: "Config", run: str | None) -> None:
    """List what is in quarantine by reason, and how to have it tried again."""
    from scopewatch.app.shared.places import place_of
    from scopewatch.store.read.reader import Reader

    with closing(Reader.open(place_of(settings))) as reader:
        reasons = [each for each in reader.reasons(run) if each.fault != Fault.GAP]
    if not reasons:
        typer.echo("nothing is in quarantine")
        return
    for each in reasons:
        waits = f", {each.asked_again} of them are to be tried again" if each.asked_again else ""
        typer.echo(f"{each.count:>6}  {each.fault}{waits}; the newest: {each.what}")
    typer.echo("try them again with --reason NAME, --well A1, a FILE or FRAME, or --all")


def _named(settings: "Config", what: str, given: "RetrySelection") -> "RetrySelection":
    """Select a thing by its name, or by a path below the folder of a source."""
    from dataclasses import replace

    path = Path(what).absolute()
    for source in settings.sources:
        root = source.path.absolute()
        is_path = path.exists() or Path(what).is_absolute()
        if is_path and path != root and path.is_relative_to(root):
            return replace(given, source=source.name, what=path.relative_to(root).as_posix())
    return replace(given, what=what)


def user() -> str:
    """Return who calls."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"  # a container may have no entry for its user


def _report(
    settings: "Config", asked: "list[RetrySelection]", answers: "list[RetryAnswer]"
) -> None:
    from scopewatch.runtime.process.lock import is_held

    for wanted, answer in zip(asked, answers, strict=True):
        if wanted.what is not None and not (answer.asked or answer.waiting):
            line = f"not in quarantine: {wanted.what}"
            typer.echo(line + "; `scopewatch status` and the dashboard name what is", err=True)
    if missed := sum(each.missed for each in answers):
        typer.echo(f"{missed} were never taken: there is nothing to try again", err=True)
    for source in sorted({name for each in answers for name in each.unwatched}):
        typer.echo(f"left as it is: source {source!r} is not configured any more", err=True)
    waiting = sum(each.waiting for each in answers)
    count = sum(each.asked for each in answers)
    if waiting:
        typer.echo(f"{waiting} wait for it already")
    if not count and not waiting:
        typer.echo("nothing to try again", err=True)
        raise typer.Exit(1)
    if not count:
        return
    when = "within seconds" if is_held(settings.state.folder) else "once the daemon is started"
    typer.echo(f"{count} to be tried again, {when}")
