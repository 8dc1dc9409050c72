"""URLs of raw data, which hold no credentials, and errors about them, which repeat none."""

import re
from dataclasses import dataclass, field
from uuid import uuid4

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.redaction import holds_credentials

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFolder:
    """A folder of raw data behind a URL; can be sent to another process.

    Parameters
    ----------
    url
        Without credentials, and without a slash at its end.
    cache_bytes
        How much of it may lie on the disk of each process at a time.
    only
        The one file that is meant; '' for all.
    call
        Names the call of the program. A process of a cluster runs on after it, and what it fetched
        for one call may have changed before the next.
    """

    url: str
    cache_bytes: int
    only: str = ""
    call: str = field(default_factory=lambda: uuid4().hex, repr=False)

    @property
    def name(self) -> str:
        """Last part of the path; the bucket or server where there is none."""
        return self.url.rpartition("/")[2]

    def url_of(self, below: str) -> str:
        """Return the URL of a file or folder below it, by its path; '' is the folder itself."""
        return f"{self.url}/{below}".rstrip("/")

    def __str__(self) -> str:
        return self.url_of(self.only)


def is_url(text: str) -> bool:
    """Return whether a path of the command line is a URL.

    >>> is_url("s3://bucket/plate"), is_url("/mnt/raw"), is_url("C:/raw")
    (True, False, False)
    """
    return _URL.match(text) is not None


def check_url(text: str) -> str:
    """Return a URL without a slash at its end.

    Raises
    ------
    ConfigError
        When it holds a password or a key, which others read in lists of processes and logs.
    """
    if holds_credentials(text):
        raise ConfigError(
            complaint(
                "URL holds credentials",
                where=f"{text.partition('://')[0]}://***",
                do="leave them out: libraries take them from environment, profile or keys"
                " (AWS_PROFILE, ~/.ssh, FSSPEC_SMB_USERNAME and FSSPEC_SMB_PASSWORD)",
            )
        )
    return text.rstrip("/")


def unreachable(url: str, error: Exception) -> ConfigError:
    """Return the error about a URL that cannot be listed; its text holds no words of a library.

    These may hold addresses with signatures.
    """
    return ConfigError(
        complaint(
            "raw data cannot be listed",
            where=url,
            got=reason_of(error),
            do="check the URL, the network, and the credentials in environment or profile",
        )
    )


def reason_of(error: Exception) -> str:
    """Return what went wrong, in words that hold no secret."""
    if isinstance(error, OSError) and error.strerror and error.errno is not None:
        return error.strerror if len(error.strerror) < 60 else type(error).__name__
    return type(error).__name__
