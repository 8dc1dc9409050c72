"""Where results and pictures are stored: in the state folder, on a server, and copied elsewhere."""

from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from scopewatch.config.reference import Secret, is_reference
from scopewatch.config.strict import Strict
from scopewatch.core.redaction import holds_credentials

_SCHEME: Final = "postgresql+psycopg"
_EXAMPLE: Final = f"{_SCHEME}://user:password@host/database"
_KINDS: Final = ("s3", "sftp", "smb", "file")
_COPIES: Final = "s3://bucket/prefix, sftp://server/folder, smb://server/share or file:///folder"
_NOT_AN_ADDRESS: Final = (
    f"the address of a database is written {_EXAMPLE}, with % and two digits for each of :/?#[]@%"
    " in the password, as in a URL: %40 for @"
)


def check_store_url(url: str) -> str:
    """Return the address of a database.

    Raises
    ------
    ValueError
        Where it is none that we can use. It repeats nothing of it: where an address is not
        understood, any part of it may be of the password.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
        _ = parts.port
    except ValueError:
        raise ValueError(_NOT_AN_ADDRESS) from None
    if parts.scheme != _SCHEME or not host or not parts.path.strip("/"):
        raise ValueError(_NOT_AN_ADDRESS)
    # Else what follows the password would be taken for the host or the database, which errors name.
    if parts.netloc.count("@") > 1 or parts.netloc.endswith(":"):
        raise ValueError(_NOT_AN_ADDRESS)
    if "@" in parts.path + parts.query or parts.fragment:
        raise ValueError(_NOT_AN_ADDRESS)
    if "options" in parse_qs(parts.query):
        raise ValueError("the address may not have `options`: scopewatch sets them")
    return url


class StoreConfig(Strict):
    """The database of the results; a file in the state folder unless a server is named."""

    url: Secret | None = Field(
        default=None, description=f"{_EXAMPLE}; null: a file in the state folder"
    )
    daemon: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$",
        description="name of this daemon among all that share the database; never to be changed",
    )

    @field_validator("url")
    @classmethod
    def _is_usable(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_reference(value.get_secret_value()):
            check_store_url(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _names_the_daemon(self) -> Self:
        # The name of the machine would do until it is renamed: then all results would be gone.
        if self.url is not None and self.daemon is None:
            raise ValueError("a database that daemons share needs a name for each: daemon: scope-1")
        if self.daemon is not None and self.url is None:
            raise ValueError("daemon names one of several that share a database: give its url, too")
        return self


def check_copies_url(url: str) -> str:
    """Return the URL of a place for copies of pictures, without a slash at its end.

    Raises
    ------
    ValueError
        Where it is none that we write to, or holds credentials; then nothing of it is repeated.
    """
    kind, there, place = url.partition("://")
    if not there or kind.lower() not in _KINDS or not place.strip("/"):
        raise ValueError(f"the place for copies of pictures is a URL: {_COPIES}")
    if holds_credentials(url):
        raise ValueError(
            "the URL may hold no credentials: libraries take them from environment, profile or keys"
        )
    if "?" in url or "#" in url or ".." in place.split("/"):
        raise ValueError("the URL may hold neither ? nor #, nor .. in its path")
    return f"{kind.lower()}://{place}".rstrip("/")


class OverlayConfig(Strict):
    """How the virtual stain is drawn, and where it is kept."""

    folder: Path | None = Field(
        default=None,
        description="where pictures are kept, below it in a folder named as store.daemon; null: in"
        " the state folder",
    )
    copy_to: str | None = Field(
        default=None,
        description=f"where each picture is copied to, in the same way: {_COPIES}; null: nowhere",
    )

    grid: bool = Field(default=False, description="draw the tile grid")
    stain_tiff: bool = Field(default=True, description="also write the stain as OME-TIFF")
    max_px: int = Field(default=1024, ge=128, description="longer side of the picture")
    keep_days: float | None = Field(
        default=365, gt=0, description="older pictures are removed, results never; null: all stay"
    )
    keep_gb: float | None = Field(
        default=50, gt=0, description="beyond it the oldest are removed; null: no limit"
    )

    @field_validator("copy_to")
    @classmethod
    def _can_be_written_to(cls, value: str | None) -> str | None:
        return None if value is None else check_copies_url(value)
