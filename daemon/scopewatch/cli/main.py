"""The entry point: the commands, and the error line when one fails."""

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from scopewatch import __version__
from scopewatch.cli import (
    acquisition,
    alerts,
    daemon,
    demo,
    explain,
    files,
    init,
    migrate,
    plan,
    rescore,
    results,
    retry,
    score,
    support,
    web,
)
from scopewatch.core.errors import ConfigError, ModelError, ScopewatchError
from scopewatch.core.redaction import redact_text

# Not a logger of `event_log`: the import of structlog costs as much as that of the command line.
log = logging.getLogger(__name__)

app = typer.Typer(
    name="scopewatch",
    help="Label-free differentiation monitor: watches phase-contrast time-lapses, keeps a"
    " running efficiency and a virtual stain per well, and warns early of weak wells.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(daemon.run)
app.command()(daemon.check)
app.command()(init.init)
app.command()(files.files)
app.command()(explain.explain)
app.command()(plan.plan)
app.command()(score.score)
app.command()(rescore.rescore)
app.command()(results.status)
app.command()(results.export)
app.command()(retry.retry)
app.command()(migrate.migrate)
app.command()(web.web)
app.add_typer(alerts.app, name="alert")
app.add_typer(acquisition.app, name="acquisition")
app.command()(support.support_bundle)
app.command()(demo.simulate)
app.command()(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"scopewatch {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a traceback and every log line on failure.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code.

    `--debug` may be anywhere in the call: people add it to the call that just failed.
    """
    debug = "--debug" in arguments
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format="%(levelname)s: %(message)s"
    )
    try:
        app(args=[word for word in arguments if word != "--debug"])
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(bool(leaving.code))
    except BrokenPipeError:
        # The reader of the pipe has closed it (`| head`); the rest of the buffer is dropped.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ScopewatchError as error:
        if debug:
            traceback.print_exc()
        typer.echo(str(error), err=True)
        return 2 if isinstance(error, ConfigError | ModelError) else 1
    except Exception as error:
        log.debug("command failed unexpectedly", exc_info=True)
        # Whatever it was, its text may hold the address of a channel.
        line = redact_text(f"{type(error).__name__}: {error}")
        line = f"scopewatch failed: {line}; --debug shows where"
        typer.echo(" ".join(line.split()), err=True)
        return 1
    return 0
