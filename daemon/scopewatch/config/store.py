"""Where results are stored: in the state folder, or on a database server."""

from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from scopewatch.config.reference import Secret, is_reference
from scopewatch.config.strict import Strict

_SCHEME: Final = "postgresql+psycopg"
_EXAMPLE: Final = f"{_SCHEME}://user:password@host/database"
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
