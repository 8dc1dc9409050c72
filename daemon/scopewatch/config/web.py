"""The dashboard: its address, and who may open it."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from scopewatch.config.reference import Secret, is_reference
from scopewatch.config.strict import Strict
from scopewatch.core.phrases import Language

LEAST_TOKEN: Final = 16
HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]


def check_token(token: str) -> str:
    """Return the token. Raises ValueError where it could be guessed."""
    if len(token) < LEAST_TOKEN:
        raise ValueError(
            f"the token has fewer than {LEAST_TOKEN} characters; make one with"
            ' `python3 -c "import secrets; print(secrets.token_urlsafe())"`'
        )
    return token


class WebConfig(Strict):
    """The dashboard."""

    enabled: bool = True
    host: str = Field(
        default="127.0.0.1",
        pattern=r"^[A-Za-z0-9.:-]+$",
        description="address to listen at; one that is not of this machine alone needs a token",
    )
    port: int = Field(default=8787, ge=0, le=65535)
    token: Secret | None = Field(
        default=None, description="what people and scripts must know to look; null: nothing"
    )
    names: tuple[HostName, ...] = Field(
        default=(), description="names by which browsers reach it, besides localhost"
    )
    language: Language | None = Field(
        default=None, description="of the pages: en or ja; null: as the browser asks"
    )
    behind_tls: bool = Field(
        default=False, description="a proxy on this machine serves it over https"
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        address = _address(self.host)
        return self.host == "localhost" if address is None else address.is_loopback

    @property
    def here(self) -> str:
        """The address at which this machine reaches it, in the notation of a URL."""
        address = _address(self.host)
        if address is not None and address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "[::1]"
        return f"[{self.host}]" if ":" in self.host else self.host

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.token is not None and not is_reference(self.token.get_secret_value()):
            check_token(self.token.get_secret_value())
        if self.enabled and self.token is None and (self.names or not self.on_loopback):
            what = "names" if self.on_loopback else f"host {self.host}"
            raise ValueError(
                f"{what}: others could reach the dashboard, so it needs web.token,"
                " as in token: file:/etc/scopewatch/token"
            )
        return self


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
