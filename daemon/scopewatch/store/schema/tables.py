"""The tables of the result database: here what became of every frame.

    runs -< wells -< frames -- results -- tile_scores
                            -- fluorescence           in `well_tables`
                  -< well_estimates                   in `well_tables`
                  -< well_outlooks                    in `well_tables`
                  -- measured_wells                   in `well_tables`
    rule_states, alerts, outbox                       in `alert_tables`
    pictures_due                                      in `picture_tables`
    refusals                           (things that never became a frame)
    retries                            (what a person wants tried again)
    acquisition_journal                (what people want of time-lapses that are acquired)
    acquisitions                       (data sets that were acquired at the same place)
    signs_of_life                      (when the daemon last lived, and how it ended)

Whoever changes a table adds a migration in `migrations/versions`; a test compares the two.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from scopewatch.store.schema.columns import (
    Base,
    FrameState,
    by_hash,
    in_a_file,
    only_where,
    unique_texts,
)


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
    """A well of a plate of a run.

    `outlooks_due` is the time point from which on its outlooks are not up to date; None
    where all are. `behind`: a commit had no time for all that was to be stepped.
    """

    __tablename__ = "wells"
    __table_args__ = (
        UniqueConstraint("run_id", "plate", "name", name="uq_wells"),
        # A few wells of many: those that are not up to date.
        Index("ix_wells_due", "run_id", **only_where("outlooks_due IS NOT NULL")),
        Index("ix_wells_behind", "run_id", **only_where("behind = 1", "behind")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    plate: Mapped[str]
    name: Mapped[str]
    outlooks_due: Mapped[int | None] = mapped_column(default=None)
    behind: Mapped[bool] = mapped_column(default=False)

    run: Mapped[Run] = relationship()


class FrameRow(Base):
    """The ledger: one row per frame key, whatever became of it.

    `content` names the pixels ('' where that is not known, as of frames before schema 0005),
    `judged_under` what the frame was claimed, and then settled under (`store.read.judging`),
    `retried` whether it was tried once more after it had been given up.
    """

    __tablename__ = "frames"
    __table_args__ = (
        UniqueConstraint("well_id", "channel", "time_point", "site", name="uq_frames"),
        in_a_file(Index("ix_frames_locator", "source", "locator")),
        by_hash("ix_frames_locator_hash", "locator"),
        # Covers which wells got a frame lately.
        Index("ix_frames_settled", "settled_at", "well_id"),
        # What the frames of a source were judged under: a few values, sought one by one.
        Index("ix_frames_judged", "source", "state", "judged_under"),
        # Covers the counts per well, which the dashboard asks for every few seconds.
        Index("ix_frames_counts", "well_id", "state", "settled_at"),
        # A few rows of many: frames given up, to be tried once more.
        Index("ix_frames_failed", "settled_at", **only_where("fault = 'failed'")),
        # And those that are worked on, or that a crash left.
        Index("ix_frames_claimed", "claimed_at", **only_where("state = 'claimed'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    well_id: Mapped[int] = mapped_column(ForeignKey("wells.id"))
    site: Mapped[int]
    time_point: Mapped[int]
    channel: Mapped[str]
    source: Mapped[str]
    locator: Mapped[str]
    fingerprint: Mapped[str]
    content: Mapped[str] = mapped_column(default="")
    state: Mapped[FrameState]
    attempts: Mapped[int]
    fault: Mapped[str | None]
    reason: Mapped[str | None]
    seen_at: Mapped[datetime]
    claimed_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    judged_under: Mapped[str] = mapped_column(default="")
    retried: Mapped[bool] = mapped_column(default=False)

    well: Mapped[Well] = relationship()


class Result(Base):
    """The result of a judged frame; fractions are 0 to 1.

    `acquired_at` and `elapsed_s` are None where they are unknown; see `core.imaging.moment`.
    """

    __tablename__ = "results"
    __table_args__ = (Index("ix_results_overlay", "overlay"),)

    frame_id: Mapped[int] = mapped_column(ForeignKey("frames.id"), primary_key=True)
    model_id: Mapped[str]
    acquired_at: Mapped[datetime | None]
    elapsed_s: Mapped[float | None]
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
    """Tile probabilities of a result, packed; see `store.files.tiles`."""

    __tablename__ = "tile_scores"

    frame_id: Mapped[int] = mapped_column(ForeignKey("results.frame_id"), primary_key=True)
    height_px: Mapped[int]
    width_px: Mapped[int]
    tile_px: Mapped[int]
    probability: Mapped[bytes] = mapped_column(LargeBinary)
    valid: Mapped[bytes] = mapped_column(LargeBinary)


class RefusalRow(Base):
    """Something that never became a frame: no key, or a key that another file holds."""

    __tablename__ = "refusals"
    __table_args__ = (
        *unique_texts("source", "locator", name="uq_refusals"),
        by_hash("ix_refusals_locator_hash", "locator"),
        Index("ix_refusals_recorded", "recorded_at"),
        Index("ix_refusals_fault", "source", "fault"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    locator: Mapped[str]
    fingerprint: Mapped[str]
    fault: Mapped[str]
    reason: Mapped[str]
    seen_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    judged_under: Mapped[str] = mapped_column(default="")


class RetryRow(Base):
    """What a person wants to be tried again, until there is an outcome (`store.write.retries`)."""

    __tablename__ = "retries"
    __table_args__ = (
        *unique_texts("source", "locator", name="uq_retries"),
        # A number that was given is not given again (as it is on a server): the daemon goes on from
        # the last it saw.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    locator: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class JournalRow(Base):
    """What a person wants of a time-lapse, or it did of its own accord (`store.write.journal`).

    `done` is None while it waits.
    """

    __tablename__ = "acquisition_journal"
    __table_args__ = (
        Index("ix_acquisition_journal_run", "run", "id"),
        Index("ix_acquisition_journal_source", "source", "id"),
        # A number that was given is not given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    run: Mapped[str]
    act: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]
    done: Mapped[bool | None]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str]
    height_um: Mapped[float | None]
    time_point: Mapped[int | None]
    # What it is about, where not the time-lapse as a whole.
    plate: Mapped[str | None]
    well: Mapped[str | None]
    site: Mapped[int | None]
    of_time_point: Mapped[int | None]
    channel: Mapped[str | None]
    reason: Mapped[str | None]


class AcquisitionRow(Base):
    """A data set that was acquired at a place; another one there later has the next number."""

    __tablename__ = "acquisitions"
    __table_args__ = (
        *unique_texts("source", "label", "identity", name="uq_acquisitions"),
        *unique_texts("source", "label", "number", name="uq_acquisition_numbers"),
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
