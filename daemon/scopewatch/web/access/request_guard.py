"""Refuses requests that other web pages send to the dashboard.

Any page in the operator's browser can send requests to the dashboard too, on loopback as well.
Four things stop it: the Host header must name this machine (a page that points its own name at
127.0.0.1 fails), a changing request must come from the same origin, it must carry a token that
only our pages show, and the security headers forbid the browser to load anything from elsewhere.
"""

import hmac
from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scopewatch.core.errors import ScopewatchError, complaint

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MAX_FORM_BYTES = 4096

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: browsers would then send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


class RefusedFormError(ScopewatchError):
    """A request to change something did not come from our own page."""


class RequestGuard:
    """ASGI middleware: refuses foreign hosts, and adds the security headers to every answer.

    Parameters
    ----------
    names
        By which the dashboard is reached, besides those of this machine.
    addresses
        Whether any bare address will do: a page that points its own name here sends that name.
    """

    def __init__(
        self, app: ASGIApp, names: Collection[str] = (), *, addresses: bool = False
    ) -> None:
        self._app = app
        self._names = LOOPBACK | {name.lower() for name in names}
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        host = Headers(scope=scope).get("host", "")
        name = host_name(host)
        if name not in self._names and not (self._addresses and _is_address(name)):
            others = len(self._names) > len(LOOPBACK) or self._addresses
            line = complaint(
                "the dashboard does not answer to this name"
                if others
                else "the dashboard answers on this machine only",
                where=f"Host {host!r}",
                expected=" or ".join(sorted(self._names - LOOPBACK)) or "localhost",
                do="add the name to web.names"
                if others
                else "open http://localhost, or forward the port with ssh -L",
            )
            refuse = PlainTextResponse(line + "\n", status_code=421)
            await refuse(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def host_name(host: str) -> str | None:
    """Return the name in a Host header, without port and brackets; None where it has none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_address(name: str | None) -> bool:
    try:
        ip_address(name or "")
    except ValueError:
        return False
    return True


async def read_form(request: Request, token: str | None) -> dict[str, str]:
    """Read a form that one of our own pages sent.

    Parameters
    ----------
    token
        What our pages put into their forms; None where there is nobody yet whom it would protect.

    Returns
    -------
    Field names with their last values.

    Raises
    ------
    RefusedFormError
        From another origin, without the token, or too long.
    """
    body = await _read_body(request)
    fields = {
        name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()
    }
    sent = fields.get("token", "").encode()
    if token is not None and not hmac.compare_digest(sent, token.encode()):
        raise RefusedFormError(
            complaint(
                "the form is out of date",
                where=request.url.path,
                do="scopewatch was restarted meanwhile: reload the page and try again",
            )
        )
    return fields


async def read_json(request: Request) -> bytes:
    """Read a short JSON document that a program sent, or our own page.

    No page of another origin can send this type without the browser asking us first, which we
    refuse: so it needs no token of ours. `AuthMiddleware` decides who may send requests at all.

    Raises
    ------
    RefusedFormError
        From another origin, of another type, or too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedFormError(
            complaint(
                "what was sent is no JSON",
                where=request.url.path,
                expected="Content-Type: application/json",
                got=kind or None,
                do="send it as JSON, see docs/operating.md",
            )
        )
    return await _read_body(request)


async def _read_body(request: Request) -> bytes:
    if not _same_origin(request.headers):
        raise RefusedFormError(
            complaint(
                "the form comes from another page",
                where=request.url.path,
                got=request.headers.get("origin"),
                do="use the buttons of the dashboard itself",
            )
        )
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise RefusedFormError(
                complaint(
                    "the form is too long",
                    where=request.url.path,
                    expected=f"{MAX_FORM_BYTES} bytes",
                    do="use the buttons of the dashboard itself",
                )
            )
    return body


def inside(to: str) -> str:
    """Return an address to go on to: never one of another site."""
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if safe else "/"


def _same_origin(headers: Headers) -> bool:
    """Whether our own page sent this, by the browser's headers; old browsers send none."""
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
