"""What a daemon stores for dashboards elsewhere: its run, its rules, the facts of its model.

They have neither its configuration nor its model. No secret is in it.
"""

from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from scopewatch import __version__
from scopewatch.app.run_policy import policy_of
from scopewatch.config import Config, RunConfig
from scopewatch.config.rule import QuietHoursConfig
from scopewatch.config.rules import AnyRuleConfig
from scopewatch.core.alerts.implied_rules import implied_rules
from scopewatch.core.errors import StoreError, complaint
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.held_out import ForecastDay, HeldOutErrors
from scopewatch.monitoring.expectation import Standard
from scopewatch.web.monitor_store import Facts

PUBLISHED: Final = "published"


class Published(BaseModel):
    """A daemon as others see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    run: RunConfig
    rules: tuple[AnyRuleConfig, ...]
    quiet_hours: QuietHoursConfig | None
    sources: tuple[str, ...]
    pictures: Path
    copies: str | None = None
    keep_days: float | None
    address: str
    model_name: str
    model_id: str
    um_per_px: float | None
    errors: HeldOutErrors | None
    forecast: tuple[ForecastDay, ...]

    @classmethod
    def of(cls, config: Config, card: ModelCard) -> Self:
        """Gather what a daemon publishes."""
        return cls(
            version=__version__,
            run=config.experiment,
            rules=config.alerts.rules,
            quiet_hours=config.alerts.quiet_hours,
            sources=tuple(source.name for source in config.sources),
            pictures=config.pictures,
            copies=config.picture_copies,
            keep_days=config.overlays.keep_days,
            address=config.alerts.dashboard_url or "",
            model_name=card.name,
            model_id=card.model_id,
            um_per_px=card.um_per_px,
            errors=card.errors,
            forecast=tuple(card.forecast),
        )

    @classmethod
    def read(cls, detail: str, where: object) -> Self:
        """Return what a daemon has published. Raises StoreError where its version differs."""
        try:
            return cls.model_validate_json(detail)
        except ValidationError as error:
            raise StoreError(
                complaint(
                    "the daemon is of another version of scopewatch",
                    where=where,
                    expected=f"what {__version__} publishes",
                    got=f"{error.error_count()} differences",
                    do="install the same version on both machines",
                )
            ) from error

    @property
    def standard(self) -> Standard:
        """What its wells are measured against."""
        quiet = None if self.quiet_hours is None else self.quiet_hours.hours()
        rules = tuple(
            rule.rule(groups=self.run.well_groups, quiet_hours=quiet) for rule in self.rules
        )
        return Standard(
            rules=(*rules, *implied_rules(rules)),
            table=self.forecast,
            final_day=self.run.final_day,
        )

    def facts(self) -> Facts:
        """Return what its pages show of configuration and model."""
        return Facts(
            run=self.run.name,
            model_name=self.model_name,
            model_id=self.model_id,
            simulated=self.run.simulated,
            policy=policy_of(self.run),
            standard=self.standard,
            version=self.version,
            errors=self.errors,
            keep_days=self.keep_days,
            um_per_px=self.um_per_px,
            sources=self.sources,
        )
