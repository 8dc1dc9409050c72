"""Makes the policy and the standard of a run from the configuration and the model's card."""

from scopewatch.config import Config, ExperimentConfig
from scopewatch.core.imaging.model_card import ModelCard
from scopewatch.monitoring.expectation import Standard
from scopewatch.monitoring.policy import RunPolicy


def policy_of(experiment: ExperimentConfig, card: ModelCard | None = None) -> RunPolicy:
    """Return the plan of the configured run, with what the model's card knows of its wells."""
    return RunPolicy(
        run=experiment.name,
        interval_h=experiment.interval_h,
        final_day=experiment.final_day,
        sites_per_well=experiment.sites_per_well,
        phase_channel=experiment.phase_channel,
        fluorescence_channel=experiment.fluorescence_channel,
        started_at=experiment.started_at,
        day_from=experiment.day_from,
        simulated=experiment.simulated,
        rates=None if card is None else card.rates,
        forecast=() if card is None else tuple(card.forecast),
    )


def standard_of(config: Config) -> Standard:
    """Return what the wells of a run are measured against by the rules of a configuration."""
    return Standard(rules=config.alert_rules(), final_day=config.experiment.final_day)
