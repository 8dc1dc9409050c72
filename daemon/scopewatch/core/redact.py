"""Secrets out of what is shown: addresses of channels, settings, log lines.

It errs on the side of hiding: of an address nothing but its scheme is shown, because services
keep tokens in every part of theirs (``ntfy://host/topic``, ``tgram://bot-token/chat``).
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

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


def redact_text(text: str, known: Collection[str] = ()) -> str:
    """Return a text without addresses' contents, assigned secrets and the `known` values.

    Parameters
    ----------
    known
        Values that must never show: from the environment or secret files. Empty ones are ignored.

    >>> redact_text("sent to ntfy://ntfy.sh/our-topic, token=abc")
    'sent to ntfy://*** token=***'
    """
    for value in sorted(filter(None, known), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    text = _ADDRESS.sub(lambda found: f"{found[1]}://{HIDDEN}", text)
    return _ASSIGNED.sub(lambda found: found["name"] + HIDDEN, text)


def redact_settings(value: object, known: Collection[str] = ()) -> object:
    """Return settings (mappings, lists, plain values) without what is secret in them.

    What stands under a key that names a secret is hidden whole, whatever it is.
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
