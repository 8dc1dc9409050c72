"""`scopewatch acquisition pause|resume|now|medium|journal`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.alerts import open_beside
from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.cli.retry import user
from scopewatch.core.acquisition import Act, JournalEntry
from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch.config import Config

app = typer.Typer(
    help="Steer a time-lapse that scopewatch acquires: pause, resume, a time point now, medium"
    " change; show its journal.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Which source; needed where several acquire."),
]
_WAIT_S = 20.0
_LOOK_S = 0.25
_MOST_LISTED = 500


@app.command()
def pause(config: ConfigPath = DEFAULT_CONFIG, source: Source = None) -> None:
    """Pause: images that are begun are finished, and no more are taken until `resume`.

    Time points that pass meanwhile are gaps that name who paused; one that is still due when it
    goes on is taken then. A pause outlives a restart of the daemon.

    Example: scopewatch acquisition pause
    """
    _order(config, source, Act.PAUSE)


@app.command()
def resume(config: ConfigPath = DEFAULT_CONFIG, source: Source = None) -> None:
    """Go on after a pause or a medium change; the objective is moved back first.

    Example: scopewatch acquisition resume
    """
    _order(config, source, Act.RESUME)


@app.command()
def now(config: ConfigPath = DEFAULT_CONFIG, source: Source = None) -> None:
    """Take one more time point now; those that are planned keep their moments.

    Example: scopewatch acquisition now
    """
    _order(config, source, Act.NOW)


@app.command()
def medium(config: ConfigPath = DEFAULT_CONFIG, source: Source = None) -> None:
    """Move the objective away to `medium.lift_to_um` of the source, and wait.

    It comes back by `resume`, or after `medium.wait_min`.

    Example: scopewatch acquisition medium
    """
    _order(config, source, Act.MEDIUM)


@app.command()
def journal(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show the orders to the time-lapse, who gave them, and their outcomes.

    Example: scopewatch acquisition journal
    """
    from scopewatch.config import load_config
    from scopewatch.store.read.queries import Reader

    settings = load_config(config)
    with closing(Reader.open(settings.state.folder)) as reader:
        entries = reader.journal(settings.experiment.name, _MOST_LISTED)
    if not entries:
        typer.echo("the journal is empty")
    for each in entries:
        typer.echo(each.line)


def _order(config: ConfigPath, source: str | None, act: Act) -> None:
    from scopewatch.config import load_config
    from scopewatch.runtime.process.lock import is_held

    settings = load_config(config)
    name = _acquiring_source(settings, source)
    running = is_held(settings.state.folder)
    if not running and act in (Act.NOW, Act.MEDIUM):
        raise ConfigError(
            complaint(
                "no daemon runs that could do it",
                where=settings.state.folder,
                do="start scopewatch",
            )
        )
    with open_beside(config) as store:
        number = store.order(name, settings.experiment.name, act, f"{user()}, command line")
    if not running:
        typer.echo(f"{act.value}: as soon as the daemon is started")
        return
    entry = _outcome(settings, number)
    if entry is None or entry.done is None:
        typer.echo(f"{act.value}: not done yet; `scopewatch acquisition journal` shows it")
        return
    typer.echo(f"{name}: {entry.outcome}", err=not entry.done)
    if not entry.done:
        raise typer.Exit(1)


def _outcome(settings: "Config", number: int) -> JournalEntry | None:
    """Wait until something came of an order, for a while."""
    from scopewatch.store.read.queries import Reader

    until_s = time.monotonic() + _WAIT_S
    with closing(Reader.open(settings.state.folder)) as reader:
        while True:
            entries = reader.journal(settings.experiment.name, _MOST_LISTED)
            entry = next((each for each in entries if each.number == number), None)
            if (entry is not None and entry.done is not None) or time.monotonic() > until_s:
                return entry
            time.sleep(_LOOK_S)


def _acquiring_source(settings: "Config", wanted: str | None) -> str:
    from scopewatch.config import MicroManagerSourceConfig

    names = [
        each.name
        for each in settings.sources
        if isinstance(each, MicroManagerSourceConfig) and each.mode == "acquire"
    ]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is not None and wanted in names:
        return wanted
    named = ", ".join(names)
    raise ConfigError(
        complaint(
            "no time-lapse to steer" if not names else "several time-lapses are configured",
            where="sources of the configuration",
            expected=f"one of {named}" if names else "a source of mode acquire",
            got=wanted,
            do="name it with --source" if names else "acquire with scopewatch to steer it",
        )
    )
