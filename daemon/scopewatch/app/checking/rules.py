"""Whether the alert rules can ever raise with this model and this run: advice, one line each."""

from collections.abc import Iterator

from scopewatch.config import Config
from scopewatch.core.alerts.rules import AlertRule, RuleKind
from scopewatch.core.estimation.forecast import FINAL_DAY_TOLERANCE, first_day
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.held_out import ForecastDay


def describe_rules(config: Config, card: ModelCard) -> str:
    """Return how many rules there are, and from which day on there are forecasts."""
    count = len(config.alerts.rules)
    begins = first_day(card.forecast)
    forecasts = "no forecast" if begins is None else f"forecasts from day {begins:g} on"
    return f"{count} rule{'' if count == 1 else 's'}; {forecasts}"


def advise_on_rules(config: Config, card: ModelCard) -> Iterator[str]:
    """Name the rules that will stay silent or raise seldom, and what to do.

    Nothing here is wrong: a rule may wait for a model, or for a longer run.
    """
    rules = config.alert_rules()
    final_day = config.experiment.final_day
    for rule in rules:
        if rule.kind is RuleKind.WEAK_FORECAST:
            yield from _advise_on_forecast(rule, card.forecast, final_day)
        if rule.kind in (RuleKind.WEAK_FORECAST, RuleKind.WEAK_NOW) and rule.from_day > final_day:
            yield (
                f"rule {rule.name!r} begins on day {rule.from_day:g}, after the run's end on day"
                f" {final_day:g}; set its from_day, or experiment.final_day"
            )
        if rule.kind is RuleKind.OUTLIER_WELL and not rule.replicates:
            yield (
                f"rule {rule.name!r} compares all wells of a plate with each other;"
                " set experiment.well_groups where not all should behave alike"
            )
    if rules and not any(rule.kind is RuleKind.NO_FRAMES for rule in rules):
        yield "no rule tells of frames that stop coming; add one of kind no-frames"


def _advise_on_forecast(
    rule: AlertRule, table: tuple[ForecastDay, ...], final_day: float
) -> Iterator[str]:
    begins = first_day(table)
    if begins is None:
        yield (
            f"rule {rule.name!r} stays silent: the model's card has no forecast that beats"
            " guessing; learn one with scopewatch-train forecast"
        )
        return
    rows = [row for row in table if row.day >= begins]
    last = max(row.day for row in rows)
    if abs(final_day - last) > FINAL_DAY_TOLERANCE:
        yield (
            f"rule {rule.name!r} stays silent: the model foretells day {last:g}, this run ends on"
            f" day {final_day:g}; set experiment.final_day, or learn a forecast of such runs"
        )
    reach = max(1 - 0.5 / len(row.errors) if row.errors else 1.0 for row in rows)
    for name, limit in (("p_warning", rule.raise_above), ("p_critical", rule.critical_limit)):
        if limit is not None and limit >= reach:
            yield (
                f"rule {rule.name!r} never reaches its {name} of {limit:g}: the card's errors tell"
                f" probabilities up to {reach:.3g} only; set it lower, or learn from more wells"
            )
