"""What a configuration would change of a run that has results already, in one line each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from scopewatch.core.errors import complaint
from scopewatch.monitoring.policy import STALE_INTERVALS, RunPolicy

# Time points are never quite punctual.
INTERVAL_RATIO: Final = 1.25
# A run without a frame for longer was left: another name is no surprise.
LEFT: Final = timedelta(days=3)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults:
    """What the results of a run were made with, as far as they show it; None where they do not.

    Parameters
    ----------
    day
        Latest day that was judged.
    last_at
        When a frame was settled last, aware UTC.
    day_0_at
        When its days are counted from; `started_at` where that was configured.
    channel
        Of the newest scored frame.
    interval_h
        Hours between time points, by the days of its first and last ones.
    sites
        Fields of view of a well, at most.
    final_day
        The day that the newest outlook speaks of.
    """

    name: str
    day: float | None = None
    last_at: datetime | None = None
    started_at: datetime | None = None
    day_0_at: datetime | None = None
    channel: str | None = None
    interval_h: float | None = None
    sites: int | None = None
    final_day: float | None = None


def explain_name(name: str, policy: RunPolicy, last: RunResults, now: datetime) -> Iterator[str]:
    """Return what another name does while the last run goes on; nothing where that has ended."""
    if name == last.name or last.day is None or last.last_at is None:
        return
    if now - last.last_at > LEFT or last.day >= policy.final_day - policy.interval / _DAY / 2:
        return
    yield complaint(
        "another run goes on",
        where="experiment.name",
        expected=f"{last.name!r}, on day {last.day:.1f} of {policy.final_day:g}",
        got=repr(name),
        do="frames whose files name no experiment will begin a new run at day 0, whose wells have"
        " no estimates, forecasts and alerts yet; keep the name until the run has ended, if it is"
        " the same",
    )


def explain_settings(
    policy: RunPolicy, started_at: datetime | None, results: RunResults
) -> Iterator[str]:
    """Return which settings are not those that the results of this run were made with."""
    if results.channel is not None and results.channel != policy.phase_channel:
        yield complaint(
            "the run so far is of another channel",
            where="experiment.phase_channel",
            expected=repr(results.channel),
            got=repr(policy.phase_channel),
            do=f"frames of {results.channel!r} will be skipped, and those of"
            f" {policy.phase_channel!r} that were skipped will be scored; the results stay",
        )
    yield from _explain_interval(policy, results)
    if results.sites is not None and results.sites != policy.sites_per_well:
        few = policy.sites_per_well < results.sites
        yield complaint(
            "the wells of this run have another number of sites",
            where="experiment.sites_per_well",
            expected=results.sites,
            got=policy.sites_per_well,
            do=f"rules will step after {policy.sites_per_well} of {results.sites} sites, without"
            " the others"
            if few
            else "rules will step over a time point only when the next one begins",
        )
    if results.final_day is not None and results.final_day != policy.final_day:
        yield complaint(
            "forecasts of this run speak of another day",
            where="experiment.final_day",
            expected=f"{results.final_day:g}",
            got=f"{policy.final_day:g}",
            do=f"forecasts from the next frames on, and the end of the run, will be those of day"
            f" {policy.final_day:g}; earlier ones stay as they are",
        )
    yield from _explain_start(started_at, results)


def _explain_interval(policy: RunPolicy, results: RunResults) -> Iterator[str]:
    seen_h, set_h = results.interval_h, policy.interval_h
    if seen_h is None or seen_h <= 0:
        return
    if 1 / INTERVAL_RATIO < set_h / seen_h < INTERVAL_RATIO:
        return
    yield complaint(
        "time points of this run came at another distance",
        where="experiment.interval_h",
        expected=f"about {seen_h:.2g}",
        got=f"{set_h:g}",
        do=f"wells will count as silent after {STALE_INTERVALS * set_h:g} h, and frames that are"
        " dated by their time point (day_from: time_point, or files without a time) get days that"
        " do not go on from the earlier ones",
    )


def _explain_start(started_at: datetime | None, results: RunResults) -> Iterator[str]:
    if started_at is None or results.day_0_at is None or started_at == results.started_at:
        return
    by_days = (results.day_0_at - started_at) / _DAY
    if round(by_days, 2):
        yield complaint(
            "day 0 of this run moves",
            where="experiment.started_at",
            expected=f"{results.day_0_at:%Y-%m-%dT%H:%MZ}",
            got=f"{started_at.isoformat(timespec='minutes')}",
            do=f"all days of the run will be {by_days:+.2f} from what they were, and forecasts are"
            " worked out again",
        )
