"""The token check, sessions signed with the token, and the count of wrong tokens.

Nothing is stored: a session is a moment until which it holds, signed with the token. It outlives
a restart of the daemon, and all sessions end when the token is changed.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from scopewatch.core.clock import Clock

# Longer than a differentiation, so that nobody signs in twice for one run.
SESSION: Final = timedelta(days=14)
MOST_FAILURES: Final = 5
FORGIVEN_S: Final = 900.0
MOST_ADDRESSES: Final = 1024


class Sessions:
    """Checks tokens, and makes and checks sessions.

    Parameters
    ----------
    token
        What people and scripts have to know.
    """

    def __init__(self, token: str, clock: Clock) -> None:
        self._token = token.encode()
        self._clock = clock

    def is_token(self, offered: str) -> bool:
        """Whether this is the token; it takes as long for each one offered."""
        return hmac.compare_digest(_digest(offered.encode()), _digest(self._token))

    def begin(self) -> str:
        """Return a new session as the cookie holds it: `until.nonce.signature`."""
        until = int((self._clock.now() + SESSION).timestamp())
        body = f"{until}.{secrets.token_urlsafe(12)}"
        return f"{body}.{self._sign(body)}"

    def holds(self, session: str) -> bool:
        """Whether it is a session of ours that has not run out."""
        body, _, signature = session.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return False
        until = datetime.fromtimestamp(int(body.partition(".")[0]), self._clock.now().tzinfo)
        # The clock may have been ahead when it was made: none holds longer than a session does.
        return self._clock.now() < until <= self._clock.now() + SESSION

    def _sign(self, body: str) -> str:
        return hmac.new(self._token, f"scopewatch session {body}".encode(), "sha256").hexdigest()


class Failures:
    """Counts wrong tokens by address, so that none can be guessed; at most `MOST_ADDRESSES` kept.

    After `MOST_FAILURES` an address is refused without a check, until `FORGIVEN_S` have passed
    since the last of them. Of a full table the address that failed longest ago is forgotten.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._failed)

    def wait_s(self, address: str) -> int:
        """Return for how many seconds an address is refused; 0 when its token is checked."""
        place = _place(address)
        count, at_s = self._failed.get(place, (0, 0.0))
        left_s = at_s + FORGIVEN_S - self._clock.monotonic()
        if count and left_s <= 0:
            del self._failed[place]
        return ceil(left_s) if count >= MOST_FAILURES and left_s > 0 else 0

    def add(self, address: str) -> int:
        """Note a wrong token; return how many that makes for this address."""
        self.wait_s(address)  # forgets what is long ago
        place = _place(address)
        count = self._failed.pop(place, (0, 0.0))[0] + 1
        self._failed[place] = (count, self._clock.monotonic())
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)
        return count

    def forgive(self, address: str) -> None:
        """Forget what an address did, since it knows the token."""
        self._failed.pop(_place(address), None)


def _digest(value: bytes) -> bytes:
    # Compared as digests, so that not even the length shows in the time it takes.
    return hashlib.sha256(value).digest()


def _place(address: str) -> str:
    """Return what counts as one sender: an IPv6 host has a whole /64 to send from."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.exploded[:19]
