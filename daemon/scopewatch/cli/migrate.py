"""`scopewatch migrate`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import os
from enum import StrEnum
from typing import Annotated

import typer

from scopewatch.cli.daemon import DEFAULT_CONFIG, ConfigPath


class Where(StrEnum):
    """Where results can be."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


def migrate(
    source: Annotated[Where, typer.Argument(metavar="FROM", help="sqlite or postgres.")],
    target: Annotated[Where, typer.Argument(metavar="TO", help="postgres or sqlite.")],
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Copy all results between the state folder and the database of store.url.

    The daemon must be stopped. Every row is compared afterwards; after a failure nothing is there.
    What was copied stays where it was.

    Example: scopewatch migrate sqlite postgres -c config.yaml
    """
    from rich.console import Console

    from scopewatch.app.shared.moving import Kind, move_results
    from scopewatch.config import load_config

    settings = load_config(config)
    console = Console(stderr=True)
    with console.status("opening") as status:
        moved = move_results(
            settings,
            Kind(source),
            Kind(target),
            os.environ,
            lambda table, rows: status.update(f"{table}: {rows} rows"),
        )
    for each in moved.tables:
        typer.echo(f"{each.rows:>9}  {each.table}")
    typer.echo(f"all of it is now in {moved.target}, each row as in {moved.source}, which stays")
    if settings.overlays.folder is not None:
        typer.echo(f"pictures are not moved: they are to lie in {settings.pictures}")
