"""The tables of the result database.

    runs -< wells -< frames -- results -- tile_scores
                  -< well_estimates
                  -< alert_states, alerts
    refusals      (things that never became a frame)
    outbox        (messages on their way, one row per channel)

Whoever changes a table here adds a migration in `migrations/versions`; a test compares the two.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class Utc(TypeDecorator[datetime]):
    """Aware UTC times: SQLite keeps none of the zone, so it is put back on reading."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse naive times; store others in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time without a zone: {value}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Say again that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class FrameState(StrEnum):
    """Where a frame stands. The values are stored: never rename one.

    claimed --commit--> done
            --quarantine, or too many attempts--> quarantined
    done, quarantined --its content changed--> claimed
    """

    CLAIMED = "claimed"
    DONE = "done"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"


SETTLED = (FrameState.DONE, FrameState.QUARANTINED)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Utc,
        dict[str, Any]: JSON,
        float: Double,
        FrameState: Enum(
            FrameState,
            native_enum=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        ),
    }


class Run(Base):
    """A differentiation run."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    started_at: Mapped[datetime | None]
    first_frame_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    simulated: Mapped[bool]


class Well(Base):
    """A well of a plate of a run."""

    __tablename__ = "wells"
    __table_args__ = (UniqueConstraint("run_id", "plate", "name", name="uq_wells"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    plate: Mapped[str]
    name: Mapped[str]

    run: Mapped[Run] = relationship()


class FrameRow(Base):
    """The ledger: one row per frame key, whatever became of it."""

    __tablename__ = "frames"
    __table_args__ = (
        UniqueConstraint("well_id", "channel", "time_point", "site", name="uq_frames"),
        Index("ix_frames_locator", "source", "locator"),
        Index("ix_frames_settled", "settled_at"),
        # Covers the counts per well, which the dashboard asks for every few seconds.
        Index("ix_frames_counts", "well_id", "state", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"))
    site: Mapped[int]
    time_point: Mapped[int]
    channel: Mapped[str]
    source: Mapped[str]
    locator: Mapped[str]
    fingerprint: Mapped[str]
    state: Mapped[FrameState]
    attempts: Mapped[int]
    fault: Mapped[str | None]
    reason: Mapped[str | None]
    seen_at: Mapped[datetime]
    claimed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    well: Mapped[Well] = relationship()


class Result(Base):
    """What the model said of a judged frame; fractions are 0 to 1."""

    __tablename__ = "results"
    __table_args__ = (Index("ix_results_overlay", "overlay"),)

    frame_id: Mapped[int] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    model_id: Mapped[str]
    acquired_at: Mapped[datetime | None]
    day: Mapped[float]
    pixel_size_um: Mapped[float | None]
    view_um_per_px: Mapped[float | None]
    positive_fraction: Mapped[float]
    efficiency: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    corrected: Mapped[bool]
    measures: Mapped[dict[str, Any]]
    normalise_ms: Mapped[float]
    score_ms: Mapped[float]
    total_ms: Mapped[float]
    overlay: Mapped[str]
    stain: Mapped[str | None]


class TileScoresRow(Base):
    """Tile probabilities of a result, packed; see `store.tiles`."""

    __tablename__ = "tile_scores"

    frame_id: Mapped[int] = mapped_column(ForeignKey("results.frame_id"), primary_key=True)
    height_px: Mapped[int]
    width_px: Mapped[int]
    tile_px: Mapped[int]
    probability: Mapped[bytes] = mapped_column(LargeBinary)
    valid: Mapped[bytes] = mapped_column(LargeBinary)


class WellEstimate(Base):
    """The running efficiency of a well at one time point: its judged sites, pooled."""

    __tablename__ = "well_estimates"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[float]
    efficiency: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    corrected: Mapped[bool]
    n_sites: Mapped[int]


class RuleState(Base):
    """Where one rule stands for one well, and up to which time point it has stepped."""

    __tablename__ = "alert_states"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    last_time_point: Mapped[int]
    raised: Mapped[bool]
    streak: Mapped[int]


class Alert(Base):
    """One episode: raised, perhaps resolved, perhaps acknowledged or snoozed."""

    __tablename__ = "alerts"
    __table_args__ = (Index("ix_alerts_well_rule", "well_id", "rule"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"))
    rule: Mapped[str]
    severity: Mapped[str]
    target: Mapped[float]
    raised_at: Mapped[datetime]
    raised_time_point: Mapped[int]
    raised_day: Mapped[float]
    raised_efficiency: Mapped[float]
    resolved_at: Mapped[datetime | None]
    resolved_time_point: Mapped[int | None]
    resolved_day: Mapped[float | None]
    resolved_efficiency: Mapped[float | None]
    acked_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]

    well: Mapped[Well] = relationship()


class OutboxRow(Base):
    """One message to one channel, until it was taken or given up."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("channel", "idempotency_key", name="uq_outbox"),
        Index("ix_outbox_waiting", "done_at", "abandoned_at", "channel"),
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


class RefusalRow(Base):
    """Something that never became a frame: no key, or a key that another file holds."""

    __tablename__ = "refusals"
    __table_args__ = (UniqueConstraint("source", "locator", name="uq_refusals"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    locator: Mapped[str]
    fingerprint: Mapped[str]
    fault: Mapped[str]
    reason: Mapped[str]
    seen_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
