"""`scopewatch acquisition`: pause, resume, now, medium, acts on single wells, journal."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import time
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.cli.alerts import open_beside
from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath
from scopewatch.cli.retry import user
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.alerts.scope import plain_well
from scopewatch.core.errors import ConfigError, complaint

if TYPE_CHECKING:
    from scopewatch.config import Config

app = typer.Typer(
    help="Steer a time-lapse that scopewatch acquires: pause, resume, a time point now, medium"
    " change, wells that are not imaged any more; show its journal.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Which source; needed where several acquire."),
]
Plate = Annotated[
    str,
    typer.Option("--plate", metavar="NAME", help="Needed where several plates have that well."),
]
Well = Annotated[str, typer.Argument(metavar="WELL", help="Such as B3.")]
Reason = Annotated[str, typer.Option("--reason", help="For the journal.")]
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
def dead(
    well: Well,
    config: ConfigPath = DEFAULT_CONFIG,
    source: Source = None,
    plate: Plate = "",
    reason: Reason = "",
) -> None:
    """Mark a well dead: it is not imaged from the next time point on, until `alive`.

    What is left out is no gap, and no all-clear or missing well counts it. Needs `acts.skip_dead`
    of the source.

    Example: scopewatch acquisition dead B3 --reason "contaminated"
    """
    _order(config, source, Act.DEAD, _named(well, plate), reason)


@app.command()
def alive(
    well: Well,
    config: ConfigPath = DEFAULT_CONFIG,
    source: Source = None,
    plate: Plate = "",
) -> None:
    """Take a well in again that was marked dead, from the next time point on.

    Example: scopewatch acquisition alive B3
    """
    _order(config, source, Act.ALIVE, _named(well, plate))


@app.command("more-sites")
def more_sites(
    well: Well,
    config: ConfigPath = DEFAULT_CONFIG,
    source: Source = None,
    plate: Plate = "",
    reason: Reason = "",
) -> None:
    """Take further sites of a well from the next time point on, as `acts.more_sites` names them.

    They are taken after the planned images where there is time, and are no gaps where there is not.

    Example: scopewatch acquisition more-sites B3
    """
    _order(config, source, Act.MORE_SITES, _named(well, plate), reason)


@app.command("planned-sites")
def planned_sites(
    well: Well,
    config: ConfigPath = DEFAULT_CONFIG,
    source: Source = None,
    plate: Plate = "",
) -> None:
    """Take only the planned sites of a well again, from the next time point on.

    Example: scopewatch acquisition planned-sites B3
    """
    _order(config, source, Act.PLANNED_SITES, _named(well, plate))


@app.command()
def wells(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show the wells that are marked dead, or have further sites: since when, by whom and why.

    Example: scopewatch acquisition wells
    """
    from scopewatch.app.shared.places import place_of
    from scopewatch.config import load_config
    from scopewatch.store.read.reader import Reader

    settings = load_config(config)
    with closing(Reader.open(place_of(settings))) as reader:
        run = settings.experiment.name
        entries = [*reader.dead_wells(run), *reader.wells_with_sites(run)]
    if not entries:
        typer.echo("no well is marked dead or has further sites")
    for each in entries:
        typer.echo(each.line)


@app.command()
def journal(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show the orders to the time-lapse, who gave them, and their outcomes.

    Example: scopewatch acquisition journal
    """
    from scopewatch.app.shared.places import place_of
    from scopewatch.config import load_config
    from scopewatch.store.read.reader import Reader

    settings = load_config(config)
    with closing(Reader.open(place_of(settings))) as reader:
        entries = reader.journal(settings.experiment.name, _MOST_LISTED)
    if not entries:
        typer.echo("the journal is empty")
    for each in entries:
        typer.echo(each.line)


def _named(well: str, plate: str) -> Target:
    name = plain_well(well)
    if not name:
        raise ConfigError(
            complaint("no well is named", where="WELL", expected="a well such as B3", do="name it")
        )
    return Target(well=name, plate=plate.strip())


def _order(
    config: ConfigPath,
    source: str | None,
    act: Act,
    target: Target | None = None,
    reason: str = "",
) -> None:
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
        by = f"{user()}, command line"
        number = store.order(
            name, settings.experiment.name, act, by, target, " ".join(reason.split())
        )
    if not running:
        typer.echo(f"{act.value}: as soon as the daemon is started")
        return
    entry = _outcome(settings, number)
    if entry is None or entry.done is None:
        typer.echo(f"{act.value}: not done yet; `scopewatch acquisition journal` shows it")
        return
    about = "" if entry.target is None else f"{entry.target.text}: "
    typer.echo(f"{name}: {about}{entry.outcome}", err=not entry.done)
    if not entry.done:
        raise typer.Exit(1)


def _outcome(settings: "Config", number: int) -> JournalEntry | None:
    """Wait until something came of an order, for a while."""
    from scopewatch.app.shared.places import place_of
    from scopewatch.store.read.reader import Reader

    until_s = time.monotonic() + _WAIT_S
    with closing(Reader.open(place_of(settings))) as reader:
        while True:
            entries = reader.journal(settings.experiment.name, _MOST_LISTED)
            entry = next((each for each in entries if each.number == number), None)
            if (entry is not None and entry.done is not None) or time.monotonic() > until_s:
                return entry
            time.sleep(_LOOK_S)


def _acquiring_source(settings: "Config", wanted: str | None) -> str:
    names = [each.name for each in settings.acquiring]
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
