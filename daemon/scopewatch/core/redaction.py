"""Removes secrets from what is shown: addresses of channels, settings, log lines.

It errs on the side of hiding: of an address nothing but its scheme is shown, because services
keep tokens in every part of theirs (``ntfy://host/topic``, ``tgram://bot-token/chat``).
"""

import re
from collections.abc import Collection, Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote

HIDDEN: Final = "***"

_SECRET_KEY: Final = re.compile(
    r"token|passw|secret|credential|api_?key|(^|_)(key|auth|url|urls|uuid)$", re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://[^\s\"'<>]+")
_ASSIGNED: Final = re.compile(
    r"(?P<name>[\w-]*(?:token|passw(?:or)?d|secret|api[_-]?key)[\"']?\s*[=:]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;&]+)",
    re.IGNORECASE,
)


# The host of these addresses is a machine, not a token.
_PLAIN: Final = re.compile(r"(json|xml|form|mailto|ntfy|http)s?", re.IGNORECASE)
# Shorter parts of an address are ordinary words more often than secrets.
_LEAST_PART: Final = 8
_LEAST_PASSWORD: Final = 4
_OUR_NAME: Final = "scopewatch"
_DATABASE: Final = "postgresql+psycopg"


def secret_parts(secret: str) -> frozenset[str]:
    """Return what must be hidden of a secret: itself and, of an address, its parts.

    >>> sorted(secret_parts("ntfy://me:pass@ntfy.sh/our-topic"))
    ['me:pass@ntfy.sh/our-topic', 'ntfy://me:pass@ntfy.sh/our-topic', 'our-topic', 'pass']
    """
    scheme, colon, rest = secret.partition("://")
    if not colon:
        return frozenset({secret})
    if scheme == _DATABASE:
        # The rest of it is no secret: else no error could name the server.
        password = rest.rpartition("@")[0].partition(":")[2]
        if not password:
            return frozenset({secret})
        # In an address whatever it is; by itself only where it is no ordinary part of a line.
        inside, plain = f":{password}@", {password, unquote(password)}
        alone = {each for each in plain if len(each) >= _LEAST_PASSWORD} - {_OUR_NAME}
        return frozenset({secret, inside, f":{unquote(password)}@", *alone})
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, _, place = authority.rpartition("@")
    host = place.rpartition(":")[0] if re.search(r":\d+$", place) else place
    parts = {part for part in re.split(r"[/:@?&=+#,;]+", rest) if len(part) >= _LEAST_PART}
    password = login.partition(":")[2]
    if len(password) >= _LEAST_PASSWORD:
        parts.add(password)
    if _PLAIN.fullmatch(scheme) or _is_machine(host):
        parts.discard(host)
    parts |= {unquote(part) for part in parts}
    return frozenset({secret, rest, *parts} - {_OUR_NAME, host if _is_machine(host) else ""})


def _is_machine(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True


def holds_credentials(url: str) -> bool:
    """Return whether a URL holds a password, a key, or a query that signs it.

    >>> holds_credentials("sftp://me@server/raw"), holds_credentials("s3://key:secret@bucket")
    (False, True)
    """
    scheme, _, rest = url.partition("://")
    login = rest.partition("/")[0].rpartition("@")[0]
    named = bool(login) and scheme.lower().startswith(("s3", "http"))
    return ":" in login or named or "=" in rest.partition("?")[2].partition("#")[0]


def hide(text: str, known: Collection[str]) -> str:
    """Return a text without the `known` values; everything else stays as it is."""
    for value in sorted(filter(None, known), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def redact_text(text: str, known: Collection[str] = ()) -> str:
    """Return a text without addresses' contents, assigned secrets and the `known` values.

    Parameters
    ----------
    known
        Values that must never show: from the environment or secret files. Empty ones are ignored.

    >>> redact_text("sent to ntfy://ntfy.sh/our-topic, token=abc")
    'sent to ntfy://*** token=***'
    """
    text = hide(text, known)
    text = _ADDRESS.sub(lambda found: f"{found[1]}://{HIDDEN}", text)
    return _ASSIGNED.sub(lambda found: found["name"] + HIDDEN, text)


def redact_settings(value: object, known: Collection[str] = ()) -> object:
    """Return settings (mappings, lists, plain values) without what is secret in them.

    Any value under a key that names a secret is hidden whole.
    """
    if isinstance(value, Mapping):
        return {
            key: HIDDEN
            if _SECRET_KEY.search(str(key)) and entry is not None
            else redact_settings(entry, known)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact_settings(entry, known) for entry in value]
    return redact_text(value, known) if isinstance(value, str) else value
