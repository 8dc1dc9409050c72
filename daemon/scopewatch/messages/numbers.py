"""Numbers as people read them in messages."""

from typing import Final

from scopewatch.core.alerts.observation import Reading
from scopewatch.messages.translator import Say

UNKNOWN: Final = "?"


def write_number(value: float | None, form: str) -> str:
    """Write a number; an unknown one is a question mark."""
    return UNKNOWN if value is None else format(value, form)


def write_hours(hours: float | None, say: Say) -> str:
    """Write a duration in hours, short ones in minutes; an unknown one is a question mark."""
    if hours is None:
        return UNKNOWN
    if hours < 2:
        return say("{count} minutes").format(count=f"{hours * 60:.0f}")
    return say("{count} hours").format(count=f"{hours:.1f}".removesuffix(".0"))


def write_reading(reading: Reading, say: Say) -> str:
    """Write an efficiency with its interval."""
    return say("{value} ({low} to {high})").format(
        value=percent(reading.value), low=percent(reading.low), high=percent(reading.high)
    )


def percent(value: float) -> str:
    """Write a fraction as whole percent: `46%`."""
    return f"{value:.0%}"


def write_probability(probability: float | None) -> str:
    """Write a probability; never as 0% or 100%, which would claim certainty."""
    if probability is None:
        return UNKNOWN
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else percent(probability)
