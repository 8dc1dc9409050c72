"""Checks settings that are valid alone but conflict: the port, sources that overlap."""

import socket
from collections.abc import Iterator
from itertools import combinations

from scopewatch.app.checking.finding import Finding
from scopewatch.config import Config, FolderSourceConfig, SourceConfig
from scopewatch.core.errors import complaint
from scopewatch.runtime.process.lock import is_held


def check_port(config: Config) -> Iterator[Finding]:
    """Try whether the dashboard could listen; a daemon that runs already has its port."""
    web = config.web
    if not web.enabled:
        return
    # Where that cannot be tried, another check reports that the state folder cannot be written to.
    if is_held(config.state.folder):
        text = f"a daemon with this state folder runs already, and has port {web.port}"
        yield Finding(subject="dashboard", text=text)
        return
    try:
        family = socket.getaddrinfo(web.host, web.port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the server does: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((web.host, web.port))
    except OSError as error:
        text = complaint(
            "the dashboard cannot listen",
            where=f"{web.host}:{web.port}",
            got=error.strerror or error,
            do="stop the program that has the port, or set another web.port",
        )
        yield Finding(subject="dashboard", text=text, failed=True)
        return
    yield Finding(subject="dashboard", text=f"port {web.port} of {web.host} is free")


def check_overlaps(config: Config) -> Iterator[Finding]:
    """Name the sources that watch the same files: each frame would be found twice."""
    for one, other in combinations(config.sources, 2):
        outer, inner = sorted((one, other), key=lambda source: len(source.path.resolve().parts))
        same = outer.path.resolve() == inner.path.resolve()
        if same or (
            inner.path.resolve().is_relative_to(outer.path.resolve()) and _looks_below(outer)
        ):
            text = complaint(
                "two sources watch the same folder" if same else "a source lies within another's",
                where=f"sources {one.name!r} and {other.name!r}",
                got=outer.path if same else f"{inner.path} within {outer.path}",
                do="give each its own folder, or leave one out",
            )
            yield Finding(subject="sources", text=text, failed=True)


def _looks_below(source: SourceConfig) -> bool:
    return not isinstance(source, FolderSourceConfig) or source.recursive
