"""Secrets outside the file are found there, and never shown."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from scopewatch.app.checking.secrets import advise_on_secrets
from scopewatch.config import Config
from scopewatch.config.secrets import (
    MOST_BYTES,
    find_token,
    known_secrets,
    list_secrets,
    look_up,
    plain_secrets,
    resolve_here,
    resolve_secrets,
)
from scopewatch.core.errors import ConfigError

TOKEN = "a-token-of-this-lab"
URL = "json://lab:hunter2@127.0.0.1/alerts"


def settled(url: str = URL, beat: str = "https://hc.example/uuid", token: str = TOKEN) -> Config:
    settings: dict[str, Any] = {
        "experiment": {"name": "run 1"},
        "model": {"bundle": "models/m"},
        "sources": [{"kind": "folder", "path": "in"}],
        "alerts": {"channels": [{"name": "mail", "url": url}], "heartbeat": {"url": beat}},
        "web": {"token": token},
    }
    return Config.model_validate(settings)


def shown(config: Config) -> list[str]:
    return [secret.get_secret_value() for _, secret in list_secrets(config)]


def test_each_kind_of_reference_is_looked_up_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{URL}\n")
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "beat").write_text("https://hc.example/uuid")
    config = settled(f"file:{tmp_path / 'url'}", "credential:beat", "env:SW_TOKEN")
    environ = {"SW_TOKEN": TOKEN, "CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    assert shown(resolve_secrets(config, environ)) == [URL, "https://hc.example/uuid", TOKEN]
    assert plain_secrets(config) == []


def test_plain_secrets_stay_as_they_are_and_are_named() -> None:
    assert shown(resolve_secrets(settled(), {})) == [URL, "https://hc.example/uuid", TOKEN]
    assert plain_secrets(settled()) == [
        "alerts.channels.mail.url",
        "alerts.heartbeat.url",
        "web.token",
    ]


def test_every_secret_that_is_missing_is_reported_at_once(tmp_path: Path) -> None:
    config = settled(f"file:{tmp_path / 'none'}", "credential:beat", "env:SW_TOKEN")
    with pytest.raises(ConfigError) as caught:
        resolve_secrets(config, {})
    assert str(caught.value).splitlines() == [
        "secret cannot be read: alerts.channels.mail.url"
        f" (got {tmp_path / 'none'}: No such file or directory);"
        " give the daemon's user a file that it can read",
        "secret cannot be read: alerts.heartbeat.url (got no CREDENTIALS_DIRECTORY here);"
        " credentials are given to the service alone: LoadCredential=beat:/path",
        "secret cannot be read: web.token (got nothing in the environment variable SW_TOKEN);"
        " write the secret there, on one line",
    ]
    resolved, missing = resolve_here(config, {})
    assert shown(resolved) == []
    assert [each.elsewhere for each in missing] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b"", "got nothing in"),
        (b" \n", "got nothing in"),
        (b"one-line-of-it\nanother-line", "got more than one line in"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"x" * (MOST_BYTES + 1), "more than 16 kB"),
        (b"env:SW_OTHER_ONE_HERE", "got another reference in"),
        (b"too-short", "the token has fewer than 16 characters"),
    ],
)
def test_what_is_no_secret_is_refused_without_showing_it(
    tmp_path: Path, content: bytes, reported: str
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=reported) as caught:
        resolve_secrets(settled(token=f"file:{file}"), {})
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    for part in ("one-line-of-it", "another-line", "too-short", "SW_OTHER"):
        assert part not in line


def test_a_heartbeat_from_elsewhere_is_checked_as_one_in_the_file() -> None:
    with pytest.raises(ConfigError, match="starts with http:// or https://") as caught:
        resolve_secrets(settled(beat="env:BEAT"), {"BEAT": "ftp://hc.example/s3cret"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "reference",
    ["file:relative/path", "env:", "env:two words", "credential:../etc", "credential:a/b"],
)
def test_a_reference_that_leads_nowhere_is_refused_at_once(reference: str) -> None:
    with pytest.raises(ValidationError, match=r"a secret (in a file|from elsewhere)|characters"):
        settled(token=reference)


def test_the_status_asks_without_the_token_where_it_is_not_to_be_had() -> None:
    assert find_token(settled(), {}) == TOKEN
    assert find_token(settled(token="env:SW_TOKEN"), {"SW_TOKEN": TOKEN}) == TOKEN
    assert find_token(settled(token="env:SW_TOKEN"), {}) is None


def test_the_parts_of_addresses_are_known_too() -> None:
    known = known_secrets(settled("ntfy://127.0.0.1/our-secret-topic"))
    assert {TOKEN, "our-secret-topic", "https://hc.example/uuid"} <= known
    assert "hunter2" in known_secrets(settled())
    assert "127.0.0.1" not in known


def test_whoever_can_read_a_secret_is_named(tmp_path: Path) -> None:
    file, token = tmp_path / "config.yaml", tmp_path / "token"
    file.touch(0o644)
    token.touch(0o644)
    file.chmod(0o644)
    token.chmod(0o644)
    plain, other = advise_on_secrets(settled(token=f"file:{token}"), file)
    assert plain.startswith(f"alerts.channels.mail.url, alerts.heartbeat.url stand in {file}")
    assert f"others can read it now: chmod o-rwx {file}" in plain
    assert other == f"others can read the secret in {token}: chmod o-rwx {token}"
    file.chmod(0o640)
    token.chmod(0o600)
    (plain,) = advise_on_secrets(settled(token=f"file:{token}"), file)
    assert "(it is not now)" in plain


@pytest.mark.parametrize(
    "login",
    ["lab:qx/qz", "lab:12/hunter", "lab:1/a#hunter", "lab:hunter@2", "lab:[hunter]2", "lab:qx?qz"],
)
def test_an_address_with_a_password_that_is_not_escaped_is_refused_and_shows_nothing_of_it(
    login: str,
) -> None:
    url = f"postgresql+psycopg://{login}@db.lab/scopes"
    with pytest.raises(ConfigError) as refused:
        look_up("store.url", url, {})
    line = str(refused.value)
    assert "the address of a database is written postgresql+psycopg://user:password@host" in line
    assert "%40 for @" in line
    secret = login.partition(":")[2]
    assert not [part for part in re.split(r"[/#@?\[\]]", secret) if len(part) > 1 and part in line]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://lab:p%40ss%2F@db.lab:5433/scopes?sslmode=require",
        "postgresql+psycopg:///scopes?host=/run/postgresql",
        "postgresql+psycopg://lab@[::1]/scopes",
    ],
)
def test_an_address_of_a_database_is_taken_as_it_is(url: str) -> None:
    assert look_up("store.url", url, {}) == url


def test_an_address_with_an_empty_port_is_refused() -> None:
    with pytest.raises(ConfigError, match="the address of a database is written"):
        look_up("store.url", "postgresql+psycopg://lab:hunter2@db.lab:/scopes", {})
