"""Secrets outside the file: `env:NAME`, `file:/path` or `credential:NAME` in the configuration.

A configuration is read with its references unresolved, so that a user who may not see the secrets
can still ask for the status. `resolve_secrets` inserts the values, for the process that needs them;
each value is checked as if it were written in the file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from scopewatch.config.delivery import check_heartbeat_url
from scopewatch.config.models import Config
from scopewatch.config.reference import REFERENCE, is_reference
from scopewatch.config.small_file import read_small_file
from scopewatch.config.store import check_store_url
from scopewatch.config.web import check_token
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.redaction import secret_parts

MOST_BYTES: Final = 16 * 1024
# systemd passes the folder of a service's credentials in this variable.
CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingSecret:
    """A secret that cannot be read, in one line.

    Parameters
    ----------
    elsewhere
        Whether nothing is wrong: only the service can read it.
    """

    line: str
    elsewhere: bool


def list_secrets(config: Config) -> Iterator[tuple[str, SecretStr]]:
    """Return every secret of a configuration with its place, references unresolved."""
    for channel in config.alerts.channels:
        yield f"alerts.channels.{channel.name}.url", channel.url
    if config.alerts.heartbeat is not None:
        yield "alerts.heartbeat.url", config.alerts.heartbeat.url
    if config.web.token is not None:
        yield "web.token", config.web.token
    if config.store.url is not None:
        yield "store.url", config.store.url


def plain_secrets(config: Config) -> list[str]:
    """Return the places of secrets that are written in the file itself."""
    return [
        place
        for place, secret in list_secrets(config)
        if not is_reference(secret.get_secret_value())
    ]


def secret_files(config: Config) -> list[Path]:
    """Return the files that secrets are read from."""
    found = (REFERENCE.match(secret.get_secret_value()) for _, secret in list_secrets(config))
    return [Path(each["name"]) for each in found if each is not None and each["kind"] == "file"]


def resolve_secrets(config: Config, environ: Mapping[str, str]) -> Config:
    """Return the configuration with the values of its secrets.

    Parameters
    ----------
    environ
        Environment in which `env:NAME` and the folder of credentials are looked up.

    Raises
    ------
    ConfigError
        One line for each secret that is missing or invalid.
    """
    resolved, missing = resolve_here(config, environ)
    if missing:
        raise ConfigError("\n".join(each.line for each in missing))
    return resolved


def resolve_here(
    config: Config, environ: Mapping[str, str]
) -> tuple[Config, tuple[MissingSecret, ...]]:
    """Return the configuration with the secrets that can be read, and the missing ones.

    Channels, heartbeat and token whose secret is missing are left out. The address of the database
    stays a reference: without it there is no other place to read from.
    """
    values: dict[str, SecretStr] = {}
    missing = []
    for place, secret in list_secrets(config):
        written = secret.get_secret_value()
        try:
            values[place] = SecretStr(_look_up(place, written, environ))
        except ConfigError as error:
            elsewhere = written.startswith("credential:") and CREDENTIALS not in environ
            missing.append(MissingSecret(line=str(error), elsewhere=elsewhere))
    heartbeat = config.alerts.heartbeat
    if heartbeat is not None:
        url = values.get("alerts.heartbeat.url")
        heartbeat = None if url is None else heartbeat.model_copy(update={"url": url})
    channels = tuple(
        channel.model_copy(update={"url": values[place]})
        for channel in config.alerts.channels
        if (place := f"alerts.channels.{channel.name}.url") in values
    )
    alerts = config.alerts.model_copy(update={"channels": channels, "heartbeat": heartbeat})
    web = config.web.model_copy(update={"token": values.get("web.token")})
    store = config.store
    if "store.url" in values:
        store = store.model_copy(update={"url": values["store.url"]})
    found = config.model_copy(update={"alerts": alerts, "web": web, "store": store})
    return found, tuple(missing)


def known_secrets(resolved: Config) -> frozenset[str]:
    """Return the parts of the secrets in a resolved configuration that must be redacted."""
    parts = (secret_parts(secret.get_secret_value()) for _, secret in list_secrets(resolved))
    return frozenset().union(*parts)


def find_store_url(config: Config, environ: Mapping[str, str]) -> str | None:
    """Return the address of the database server; None where results are in the state folder.

    Raises
    ------
    ConfigError
        Where it cannot be read here.
    """
    url = config.store.url
    return None if url is None else _look_up("store.url", url.get_secret_value(), environ)


def find_token(config: Config, environ: Mapping[str, str]) -> str | None:
    """Return the dashboard's token; None where there is none, or it cannot be read here."""
    if config.web.token is None:
        return None
    try:
        return _look_up("web.token", config.web.token.get_secret_value(), environ)
    except ConfigError:
        return None


def _look_up(place: str, written: str, environ: Mapping[str, str]) -> str:
    found = REFERENCE.match(written)
    if found is None:
        return written
    name = found["name"]
    if found["kind"] == "env":
        value = environ.get(name, "")
        source = f"the environment variable {name}"
    elif found["kind"] == "file":
        value = _read(place, Path(name))
        source = name
    else:
        value = _read(place, _credential(place, name, environ))
        source = f"the credential {name}"
    value = value.strip()
    if not value or not value.isprintable():
        got = "more than one line" if value else "nothing"
        raise _missing(place, got=f"{got} in {source}", do="write the secret there, on one line")
    if is_reference(value):
        raise _missing(place, got=f"another reference in {source}", do="write the secret there")
    _check(place, value, f"from {source}")
    return value


def _check(place: str, value: str, how: str) -> None:
    try:
        if place == "web.token":
            check_token(value)
        elif place == "alerts.heartbeat.url":
            check_heartbeat_url(value)
        elif place == "store.url":
            check_store_url(value)
    except ValueError as error:
        raise ConfigError(
            complaint(str(error), where=f"{place}, {how}", do="then start again")
        ) from None


def look_up(place: str, written: str, environ: Mapping[str, str]) -> str:
    """Return a secret that is written as in a configuration, checked as there.

    Raises
    ------
    ConfigError
        Where it is missing, or invalid.
    """
    value = _look_up(place, written, environ)
    if value == written:
        _check(place, value, "as it is written")
    return value


def refuse_plain(option: str, written: str) -> None:
    """Refuse a secret in a command line, where `ps` shows it to everybody.

    Raises
    ------
    ConfigError
        Unless it is a reference, or an address without a password.
    """
    login = written.partition("://")[2].rpartition("@")[0]
    if is_reference(written) or ("://" in written and ":" not in login):
        return
    raise ConfigError(
        complaint(
            "a secret in a command line is seen by everybody on this machine",
            where=option,
            expected="env:NAME or file:/path",
            do="write it into a file that only you can read, or into the environment",
        )
    )


def _credential(place: str, name: str, environ: Mapping[str, str]) -> Path:
    folder = environ.get(CREDENTIALS)
    if not folder:
        raise _missing(
            place,
            got=f"no {CREDENTIALS} here",
            do=f"credentials are given to the service alone: LoadCredential={name}:/path",
        )
    return Path(folder) / name


def _read(place: str, path: Path) -> str:
    try:
        return read_small_file(path, MOST_BYTES)
    except ValueError as error:
        raise _missing(
            place, got=f"{path}: {error}", do="give the daemon's user a file that it can read"
        ) from None


def _missing(place: str, *, got: str, do: str) -> ConfigError:
    return ConfigError(complaint("secret cannot be read", where=place, got=got, do=do))
