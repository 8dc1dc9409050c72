"""The tables of alerts: the state of each rule, what it raised, and the messages on their way.

`rule_states` and `alerts` are named by subject (a well, a plate or a whole run); `outbox` has a row
for each message and channel.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scopewatch.store.schema.columns import Base, only_where


class RuleState(Base):
    """The state of one rule for one subject, and up to which time point it has stepped.

    `plate` and `well` are '' where the subject is the whole run or the whole plate. Rules of the
    monitor itself do not step on time points: theirs is -1. `open` is True while the condition
    holds or an alert is not resolved: only then can the clock alone change anything.
    `past` is what the rule remembers of the time points up to `past_until` (`core.alerts.wells`);
    None where it has to be worked out again.
    """

    __tablename__ = "rule_states"
    __table_args__ = (
        Index("ix_rule_states_subject", "experiment", "plate", "well"),
        # Of the states of all runs those that the clock may change.
        Index("ix_rule_states_open", "experiment", "plate", **only_where("open = 1", "open")),
    )

    rule: Mapped[str] = mapped_column(primary_key=True)
    experiment: Mapped[str] = mapped_column(primary_key=True)
    plate: Mapped[str] = mapped_column(primary_key=True)
    well: Mapped[str] = mapped_column(primary_key=True)
    last_time_point: Mapped[int]
    open: Mapped[bool]
    state: Mapped[dict[str, Any]]
    past: Mapped[dict[str, Any] | None]
    past_until: Mapped[int | None]


class Alert(Base):
    """One episode: raised, perhaps escalated, resolved, acknowledged or snoozed.

    Its subject is written as in `rule_states`. `evidence` is what it was raised on, and
    `resolution` what resolved it; day and time point are None for the monitor's own alerts.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_subject", "experiment", "plate", "well", "rule"),
        Index("ix_alerts_open", "resolved_at"),
        Index("ix_alerts_of_run", "experiment", "resolved_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment: Mapped[str]
    plate: Mapped[str]
    well: Mapped[str]
    rule: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    raised_at: Mapped[datetime]
    raised_time_point: Mapped[int | None]
    raised_day: Mapped[float | None]
    evidence: Mapped[dict[str, Any]]
    escalated_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolved_time_point: Mapped[int | None]
    resolved_day: Mapped[float | None]
    resolution: Mapped[dict[str, Any] | None]
    acked_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]


class OutboxRow(Base):
    """One message to one channel, until it was taken or given up."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("channel", "idempotency_key", name="uq_outbox"),
        Index("ix_outbox_waiting", "done_at", "abandoned_at", "channel"),
        Index("ix_outbox_alert", "alert_id"),
        # Asked for each message that is queued.
        Index("ix_outbox_key", "idempotency_key"),
        Index("ix_outbox_errors", "channel", "id", **only_where("last_error IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"))
    idempotency_key: Mapped[str]
    message: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    attempts: Mapped[int]
    next_try_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    abandoned_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
