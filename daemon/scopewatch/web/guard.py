"""What keeps other web pages out of the dashboard.

The dashboard listens on loopback only, but any page in the operator's browser can send requests
there too. Four things stop it: the Host header must name this machine (a page that points its own
name at 127.0.0.1 fails), a changing request must come from the same origin, it must carry a token
that only our pages show, and the browser is told to load nothing from elsewhere.
"""

import hmac
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


class Guard:
    """ASGI middleware: refuses foreign hosts, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
        if host_name(host) not in LOOPBACK:
            line = complaint(
                "the dashboard answers on this machine only",
                where=f"Host {host!r}",
                expected="localhost",
                do="open http://localhost, or forward the port with ssh -L",
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


async def read_form(request: Request, token: str) -> dict[str, str]:
    """Read a form that one of our own pages sent.

    Parameters
    ----------
    token
        What our pages put into their forms.

    Returns
    -------
    Field names with their last values.

    Raises
    ------
    RefusedFormError
        From another origin, without the token, or too long.
    """
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
    fields = {
        name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()
    }
    if not hmac.compare_digest(fields.get("token", "").encode(), token.encode()):
        raise RefusedFormError(
            complaint(
                "the form is out of date",
                where=request.url.path,
                do="scopewatch was restarted meanwhile: reload the page and try again",
            )
        )
    return fields


def _same_origin(headers: Headers) -> bool:
    """Whether the browser says that our own page sent this; old browsers say nothing."""
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
