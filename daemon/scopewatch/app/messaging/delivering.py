"""Makes delivery, heartbeat and digest from the configuration."""

import random
from collections.abc import Callable, Sequence
from functools import partial

from scopewatch.app.messaging.digest import DailyDigest
from scopewatch.app.recording.store import Store
from scopewatch.app.results import channel_routes, message_style
from scopewatch.app.run_policy import policy_of, standard_of
from scopewatch.app.run_states import RunStates
from scopewatch.config import Config
from scopewatch.config.secrets import known_secrets
from scopewatch.core.clock import Clock
from scopewatch.core.redaction import redact_text
from scopewatch.notify.breaker import BreakerRule
from scopewatch.notify.delivery import Delivery
from scopewatch.notify.heartbeat import Conditioned, Heartbeat
from scopewatch.notify.no_channels import NoChannels
from scopewatch.notify.outbox import Notifier, Outbox
from scopewatch.runtime.supervision.heartbeats import Heartbeats
from scopewatch.runtime.supervision.schedule import Schedule
from scopewatch.store.read.reader import Reader


def open_notifier(config: Config, progress: Callable[[], None] = lambda: None) -> Notifier:
    """Open the alert channels. Raises ConfigError where one is not understood."""
    channels = {channel.name: channel.url for channel in config.alerts.channels}
    if not channels:
        return NoChannels()
    from scopewatch.notify.apprise_channels import AppriseNotifier  # noqa: PLC0415 - loads Apprise

    return AppriseNotifier(channels, config.pictures, progress=progress)


def make_delivery(config: Config, outbox: Outbox, clock: Clock, heartbeats: Heartbeats) -> Delivery:
    """Make the delivery of messages to their channels."""
    progress = partial(heartbeats.beat, "delivery")
    return Delivery(
        outbox,
        open_notifier(config, progress),
        clock=clock,
        retry_s=config.alerts.retry_s,
        rng=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
        channels=[channel.name for channel in config.alerts.channels],
        breaker=BreakerRule(after=config.alerts.break_after, rest_s=config.alerts.break_s),
        redact=partial(redact_text, known=known_secrets(config)),
        progress=progress,
    )


def make_heartbeat(
    config: Config, clock: Clock, condition: Callable[[], Conditioned]
) -> Heartbeat | None:
    """Make the heartbeat to a service outside; None where none is configured."""
    wanted = config.alerts.heartbeat
    if wanted is None:
        return None
    return Heartbeat(wanted.url, condition=condition, clock=clock, every_s=wanted.every_min * 60)


def enter_digest(
    schedule: Schedule,
    config: Config,
    store: Store,
    reader: Reader,
    clock: Clock,
    condition: Callable[[], Conditioned],
    states: RunStates,
) -> None:
    """Enter the daily digest into the schedule, where one is wanted."""
    wanted = config.alerts.digest
    if wanted is None:
        return

    def complaints() -> Sequence[str]:
        # While it starts, what is not there yet is no trouble.
        how = condition()
        return how.complaints if how.ready else ()

    digest = DailyDigest(
        reader,
        announce=store.announce,
        complaints=complaints,
        routes=channel_routes(config),
        style=message_style(config),
        clock=clock,
        hour=wanted.hour,
        zone=wanted.zone,
        states=states.apart_from_daemon(),
        policy=policy_of(config.experiment),
        standard=standard_of(config),
    )
    schedule.daily(wanted.hour, wanted.zone, "digest", digest.post)
