"""Where results are stored: in the state folder, or on a database server."""

from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from scopewatch.config.reference import Secret, is_reference
from scopewatch.config.strict import Strict

_SCHEME: Final = "postgresql+psycopg"
_EXAMPLE: Final = f"{_SCHEME}://user:password@host/database"


def check_store_url(url: str) -> str:
    """Return the address of a database. Raises ValueError where it is none that we can use."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"not an address ({error}): it is written {_EXAMPLE}") from None
    if parts.scheme != _SCHEME or not host or not parts.path.strip("/"):
        raise ValueError(f"the address of a database is written {_EXAMPLE}")
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
