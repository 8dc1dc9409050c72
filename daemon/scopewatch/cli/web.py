"""`scopewatch web`."""

# Imports are within the commands: `scopewatch --help` must not load them.
# ruff: noqa: PLC0415

import os
import signal
import threading
from typing import Annotated

import typer


def web(
    database: Annotated[
        str,
        typer.Option(
            "--database",
            metavar="URL",
            help="As store.url of the daemons: env:NAME or file:/path. An address with a password"
            " is refused, since others see it in lists of processes.",
        ),
    ],
    host: Annotated[
        str, typer.Option("--host", help="Where to listen; others than this machine need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port")] = 8787,
    token: Annotated[
        str | None,
        typer.Option("--token", help="What people must know to look: file:/path or env:NAME."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="By which browsers reach it, besides localhost; repeatable."),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(
            "--pictures",
            metavar="FOLDER|URL",
            help="overlays.folder of the daemons, as this machine sees it, or their"
            " overlays.copy_to: s3://bucket/prefix. Credentials come from the environment.",
        ),
    ] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A proxy on this machine serves it over https.")
    ] = False,
) -> None:
    """Serve one dashboard over all microscopes that share a database.

    Example: scopewatch web --database file:/etc/scopewatch/store-url --pictures /mnt/pictures
    """
    from scopewatch.app.shared.serving import serve_shared, wait_for_end
    from scopewatch.config.secrets import refuse_plain

    refuse_plain("--database", database)
    if token is not None:
        refuse_plain("--token", token)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    settings = {
        "host": host,
        "port": port,
        "token": token,
        "names": tuple(name or ()),
        "behind_tls": behind_tls,
    }
    with serve_shared(database, settings, pictures, os.environ) as server:
        typer.echo(f"all microscopes: {server.url}")
        wait_for_end(server, stop)
