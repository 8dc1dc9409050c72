"""Connections to what serves raw data: fsspec, with the credentials of its libraries."""

# ruff: noqa: PLC0415

import errno
import threading
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.remote.entries import Entry, entry_of
from scopewatch.sources.remote.urls import unreachable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_INSTALL: Final = {"s3": "s3fs", "http": "aiohttp", "https": "aiohttp"}
_LIBRARIES: Final = {"s3": "s3fs", "sftp": "paramiko", "ssh": "paramiko", "smb": "smbclient"}
_SFTP: Final = ("sftp", "ssh")
_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    # Without it nobody else could open a file while we read it: neither our other threads nor the
    # microscope that writes it. An absent server is a matter of a minute.
    "smb": {"share_access": "rwd", "timeout": 20, "register_session_retries": 1},
}
_SMB: Final = threading.Lock()
# Answers of a server that stay the same when it is asked again.
_FINAL: Final = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


class Connections:
    """What lists and fetches files behind a URL; thread-safe.

    On sftp each thread has a connection of its own: paramiko mixes the answers of threads that
    share one. On smb one thread asks at a time: smbprotocol has one connection to a server, and
    raises where several threads have used up what the server lets it ask for. Both are opened again
    when they break.

    Parameters
    ----------
    options
        Further ones of fsspec's file system; `tries` is how often s3fs asks a server.

    Raises
    ------
    ConfigError
        When fsspec or the library of this kind of URL is not installed, or nothing answers.
    """

    def __init__(self, url: str, options: Mapping[str, Any] = MappingProxyType({})) -> None:
        self._url = url
        self._options = options
        self._own = scheme_of(url) in {*_SFTP, "smb"}
        self._of_thread = threading.local()
        self._pages = scheme_of(url).startswith("http")
        self._shared, self._base = open_filesystem(url, options)
        self._of_thread.files = self._shared

    def path_of(self, below: str) -> str:
        """Return how fsspec calls what lies below the folder."""
        return f"{self._base}/{quote(below) if self._pages else below}".rstrip("/")

    def entry_of(self, facts: Mapping[str, Any]) -> Entry:
        """Return what fsspec describes, relative to the folder."""
        entry = entry_of(facts, self._base)
        # Links of pages are quoted; names are not.
        return replace(entry, path=unquote(entry.path)) if self._pages else entry

    def ask(self, method: str, *arguments: Any, **more: Any) -> Any:
        """Call a method of fsspec; once more, where the connection may have broken.

        Raises
        ------
        ConfigError
            When no connection can be opened. What the library raises, as it is.
        """
        if scheme_of(self._url) != "smb":
            return self._ask(method, *arguments, **more)
        with _SMB:
            return self._ask(method, *arguments, **more)

    def _ask(self, method: str, *arguments: Any, **more: Any) -> Any:
        files = self._files()
        try:
            return getattr(files, method)(*arguments, **more)
        except _FINAL:
            raise
        except Exception as error:
            if not self._own or getattr(error, "errno", None) == errno.ENOENT:
                raise
            del self._of_thread.files
        return getattr(self._files(), method)(*arguments, **more)

    def _files(self) -> "AbstractFileSystem":
        if not self._own:
            return self._shared
        if not hasattr(self._of_thread, "files"):
            self._of_thread.files, _ = open_filesystem(self._url, self._options)
        return self._of_thread.files


def scheme_of(url: str) -> str:
    """Return the kind of a URL, in lower case."""
    return url.split("://", maxsplit=1)[0].lower()


def require_library(url: str) -> None:
    """Refuse a URL whose library is not installed; nothing is loaded. Raises ConfigError."""
    for library in ("fsspec", _LIBRARIES.get(scheme_of(url), "fsspec")):
        if find_spec(library) is None:
            raise _not_installed(url, "", f"no {library}")


def _not_installed(url: str, library: str, got: str) -> ConfigError:
    return ConfigError(
        complaint(
            "library for this kind of URL is not installed",
            where=url,
            got=got,
            do=f"pip install 'scopewatch[remote]' {library}".rstrip(),
        )
    )


def open_filesystem(
    url: str, more: Mapping[str, Any] = MappingProxyType({})
) -> tuple["AbstractFileSystem", str]:
    """Return what reads a URL, over a connection of its own, and the path within it.

    Raises
    ------
    ConfigError
        When fsspec or the library of this kind of URL is not installed, or the URL is wrong.
    """
    scheme = scheme_of(url)
    try:
        if scheme in _SFTP:
            from scopewatch.sources.remote.sftp import KnownServer

            files = KnownServer(**KnownServer._get_kwargs_from_urls(url), skip_instance_cache=True)
            return files, KnownServer._strip_protocol(url)
        from fsspec.core import url_to_fs

        # Another process may write meanwhile: what was listed is not remembered.
        options = {**_OPTIONS.get(scheme, {"use_listings_cache": False}), **more}
        tries = options.pop("tries", None)
        found, path = url_to_fs(url, skip_instance_cache=True, **options)
        if tries is not None:
            found.retries = tries
    except ImportError as error:
        library = _INSTALL.get(scheme, "")
        raise _not_installed(url, library, type(error).__name__) from error
    except ConfigError:
        raise
    except Exception as error:
        raise unreachable(url, error) from error
    return found, path
