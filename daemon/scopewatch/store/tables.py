"""The tables of the result database.

    runs -< wells -< frames -- results -- tile_scores
                            -- fluorescence
                  -< well_estimates
                  -< well_outlooks     (smoothed estimate and forecast, per time point)
                  -- measured_wells    (what fluorescence says on the final day)
    rule_states, alerts                (named by subject: a well, a plate or a whole run)
    outbox                             (messages on their way, one row per channel)
    refusals                           (things that never became a frame)
    acquisitions                       (data sets that were acquired at the same place)
    signs_of_life                      (when the daemon last lived, and how it ended)

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

    claimed --commit--> done (phase), measured (fluorescence)
            --quarantine, or too many attempts--> quarantined
    done, measured, quarantined --its content changed--> claimed
    missed --it came after all--> claimed
    """

    CLAIMED = "claimed"
    DONE = "done"
    MEASURED = "measured"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"
    MISSED = "missed"


SETTLED = (FrameState.DONE, FrameState.MEASURED, FrameState.QUARANTINED)
# Rows that say nothing of a well: another channel, or a frame that was due and never came.
ASIDE = (FrameState.SKIPPED, FrameState.MISSED)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Utc,
        dict[str, Any]: JSON,
        list[Any]: JSON,
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


class WellOutlook(Base):
    """What is known of a well at a time point: where it stands, and what it will come to.

    It follows from the well's estimates up to that time point, so that the forecast of every
    earlier day can be looked at later. Where there is no forecast, `cause` and `reason` say why
    and the fields from `value` to `coverage` are None. `day` is that of the time point, `now_day`
    that of the newest judged one, which lies before where this one could not be judged.
    """

    __tablename__ = "well_outlooks"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[float]
    now_day: Mapped[float]
    now: Mapped[float]
    now_low: Mapped[float]
    now_high: Mapped[float]
    trend_per_day: Mapped[float]
    trend_half_width: Mapped[float]
    final_day: Mapped[float]
    value: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    half_width: Mapped[float | None]
    coverage: Mapped[float | None]
    errors: Mapped[list[Any]]
    cause: Mapped[str | None]
    reason: Mapped[str | None]


class RuleState(Base):
    """Where one rule stands for one subject, and up to which time point it has stepped.

    `plate` and `well` are '' where the subject is the whole run or the whole plate. Rules of the
    monitor itself do not step on time points: theirs is -1. `open` is True while the condition
    stands or something said is not taken back: only then can the clock alone change anything.
    """

    __tablename__ = "rule_states"

    rule: Mapped[str] = mapped_column(primary_key=True)
    experiment: Mapped[str] = mapped_column(primary_key=True)
    plate: Mapped[str] = mapped_column(primary_key=True)
    well: Mapped[str] = mapped_column(primary_key=True)
    last_time_point: Mapped[int]
    open: Mapped[bool]
    state: Mapped[dict[str, Any]]


class Alert(Base):
    """One episode: raised, perhaps escalated, resolved, acknowledged or snoozed.

    Its subject is written as in `rule_states`. `evidence` is what it was raised on, and
    `resolution` what resolved it; day and time point are None for the monitor's own alerts.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_subject", "experiment", "plate", "well", "rule"),
        Index("ix_alerts_open", "resolved_at"),
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


class AcquisitionRow(Base):
    """A data set that was acquired at a place; another one there later has the next number."""

    __tablename__ = "acquisitions"
    __table_args__ = (
        UniqueConstraint("source", "label", "identity", name="uq_acquisitions"),
        UniqueConstraint("source", "label", "number", name="uq_acquisition_numbers"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    label: Mapped[str]
    identity: Mapped[str]
    number: Mapped[int]
    first_seen_at: Mapped[datetime]


class SignOfLife(Base):
    """When something of the daemon last happened, so that the next start knows of it."""

    __tablename__ = "signs_of_life"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    detail: Mapped[str]


class FluorescenceRow(Base):
    """A fluorescence frame as any threshold needs it; see `core.fluorescence`, `store.readings`.

    `threshold` and `efficiency` are those of the run as far as it is known: both None for a frame
    before the final day, or that a newer one of its site supersedes; the threshold None where the
    run shows no signal.
    """

    __tablename__ = "fluorescence"

    frame_id: Mapped[int] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    day: Mapped[float]
    acquired_at: Mapped[datetime | None]
    height_px: Mapped[int]
    width_px: Mapped[int]
    tile_px: Mapped[int]
    noise: Mapped[float]
    maybe: Mapped[bytes] = mapped_column(LargeBinary)
    positive: Mapped[bytes] = mapped_column(LargeBinary)
    histogram: Mapped[bytes] = mapped_column(LargeBinary)
    threshold: Mapped[float | None]
    efficiency: Mapped[float | None]


class MeasuredWell(Base):
    """What fluorescence says of a well on the final day: its sites, averaged."""

    __tablename__ = "measured_wells"

    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"), primary_key=True)
    time_point: Mapped[int]
    day: Mapped[float]
    efficiency: Mapped[float]
    n_sites: Mapped[int]
    measured_at: Mapped[datetime]
