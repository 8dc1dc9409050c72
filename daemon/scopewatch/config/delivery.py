"""Receivers and language of alerts, and other messages about the state of the run."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from scopewatch.config.reference import Secret, is_reference
from scopewatch.config.strict import Strict
from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.rules import Severity

Address = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]


class ChannelUrl(Strict):
    """A receiver of alerts: any Apprise URL (mail, Slack, Teams, ntfy, a webhook, ...)."""

    name: str = Field(min_length=1, max_length=100)
    url: Secret
    min_severity: Severity = Field(
        default=Severity.INFO, description="less grave messages do not go here"
    )
    experiments: tuple[str, ...] = Field(
        default=(), description="patterns of the experiments it is for; empty: all"
    )
    digest: bool = Field(default=True, description="whether the daily digest goes here")

    def route(self) -> Route:
        """Return what the channel carries, as a core type."""
        return Route(min_severity=self.min_severity, runs=self.experiments, digest=self.digest)


def check_heartbeat_url(url: str) -> str:
    """Return the address. Raises ValueError where it is not an http(s) address."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("the address of a heartbeat starts with http:// or https://")
    return url


class HeartbeatConfig(Strict):
    """An outside service that notifies people when scopewatch stops calling it."""

    url: Secret = Field(description="http or https; /fail is appended in trouble")
    every_min: float = Field(default=5, ge=1, le=1440, description="minutes between two calls")

    @field_validator("url")
    @classmethod
    def _is_web(cls, value: SecretStr) -> SecretStr:
        if not is_reference(value.get_secret_value()):
            check_heartbeat_url(value.get_secret_value())
        return value


class DigestConfig(Strict):
    """A daily message with the plate as a picture and the wells that need attention first."""

    hour: int = Field(default=8, ge=0, le=23, description="of the local day")
    zone: str | None = Field(
        default=None, description="IANA time zone, Asia/Tokyo; null: that of this machine"
    )

    @field_validator("zone")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no such time zone; give an IANA name such as Asia/Tokyo") from error
        return value
