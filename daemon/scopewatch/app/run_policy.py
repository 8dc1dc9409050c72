"""Makes the policy and the standard of a run from the configuration and the model's card."""

from scopewatch.config import Config, RunConfig
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.monitoring.expectation import Standard
from scopewatch.monitoring.policy import RunPolicy


def policy_of(run: RunConfig, card: ModelCard | None = None) -> RunPolicy:
    """Return the plan of the configured run, with what the model's card knows of its wells."""
    return RunPolicy(
        run=run.name,
        interval_h=run.interval_h,
        final_day=run.final_day,
        sites_per_well=run.sites_per_well,
        phase_channel=run.phase_channel,
        fluorescence_channel=run.fluorescence_channel,
        started_at=run.started_at,
        day_from=run.day_from,
        simulated=run.simulated,
        rates=None if card is None else card.rates,
        forecast=() if card is None else tuple(card.forecast),
    )


def standard_of(config: Config) -> Standard:
    """Return what the wells of a run are measured against by the rules of a configuration."""
    return Standard(rules=config.alert_rules(), final_day=config.experiment.final_day)
