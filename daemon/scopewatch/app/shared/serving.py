"""Serves the dashboard over all daemons of a database, in a process of its own."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from pydantic import ValidationError

from scopewatch import __version__
from scopewatch.app.copying.place import RemotePictures
from scopewatch.app.copying.shown import CopiedPictures
from scopewatch.app.shared.daemons import SharedDaemons
from scopewatch.config import WebConfig
from scopewatch.config.secrets import look_up
from scopewatch.config.store import check_copies_url
from scopewatch.core.clock import Clock
from scopewatch.core.errors import ConfigError, ScopewatchError, complaint
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.remote.connections import require_library
from scopewatch.sources.remote.urls import is_url
from scopewatch.web.access.auth_middleware import make_auth_config
from scopewatch.web.access.listener import Listener
from scopewatch.web.daemons import SharedContext, create_shared_app
from scopewatch.web.serve import WebServer


@contextmanager
def serve_shared(
    database: str, settings: Mapping[str, object], pictures: str | None, environ: Mapping[str, str]
) -> Iterator[WebServer]:
    """Serve the dashboard; gives what serves it.

    Parameters
    ----------
    database
        Its address, or a reference to it, as `store.url`.
    pictures
        Folder of the pictures as this machine sees it, or the URL that they are copied to.
    settings
        Those of the section `web` of a configuration.

    Raises
    ------
    ConfigError, StoreError
        Where a setting is wrong, or the database cannot be read.
    """
    try:
        web = WebConfig.model_validate(settings)
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(
            complaint(
                str(problem["msg"]).removeprefix("Value error, "),
                where=" ".join(f"--{place}" for place in problem["loc"]) or "scopewatch web",
                do="see scopewatch web --help",
            )
        ) from error
    url = look_up("store.url", database, environ)
    clock = SystemClock()
    auth = None
    if web.token is not None:
        token = look_up("web.token", web.token.get_secret_value(), environ)
        auth = make_auth_config(token, clock, secure=web.behind_tls)
    folder = None if pictures is None or is_url(pictures) else Path(pictures)
    copies = None if pictures is None or not is_url(pictures) else _open_copies(pictures, clock)
    with closing(
        SharedDaemons(url, clock, pictures=folder, copies=copies, language=web.language, auth=auth)
    ) as daemons:
        daemons.look()
        context = SharedContext(
            daemons=daemons,
            version=__version__,
            clock=clock,
            token=daemons.token,
            language=web.language,
            auth=auth,
        )
        app = create_shared_app(context, names=web.names, addresses=not web.on_loopback)
        with WebServer(app, Listener(web.host, web.port), proxied=web.behind_tls) as server:
            yield server


def _open_copies(url: str, clock: Clock) -> CopiedPictures:
    """Return what reads copies of pictures; the place is not asked yet. Raises ConfigError."""
    try:
        checked = check_copies_url(url)
    except ValueError as error:
        raise ConfigError(
            complaint(
                str(error),
                where="--pictures",
                do="name overlays.copy_to of the daemons",
            )
        ) from error
    require_library(checked)
    copies = CopiedPictures(RemotePictures(checked), clock)
    copies.prepare()
    return copies


def wait_for_end(server: WebServer, stop: threading.Event, *, every_s: float = 1.0) -> None:
    """Return once `stop` is set.

    Raises
    ------
    ScopewatchError
        Where the server ended by itself: a process that serves nothing must not go on.
    """
    while not stop.wait(every_s):
        if not server.running():
            raise ScopewatchError(
                complaint(
                    "the dashboard has ended by itself",
                    where=server.url,
                    do="see the log above, then start it again",
                )
            )
