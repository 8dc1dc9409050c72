"""Facts of one plane, the statements that hold them, and how far each statement is trusted.

A plane's facts come from several places: the user's settings, metadata beside the pixels,
metadata of the whole set, the file name. Each place makes a `Statement`; `reading.read_frame`
chooses between them by `Origin`, and keeps the witness of each accepted value.
"""

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import IntEnum

from scopewatch.core.public_names import AS_EXPERIMENT


class Origin(IntEnum):
    """Where a fact comes from, the most trusted first.

    TAG holds what any program writes that saves an image again (TIFF resolution and DateTime,
    EXIF); it ranks below the metadata of the acquisition program and below the file name. FILE_TIME
    and FIRST_SEEN never move a frame that has an index.
    """

    SETTING = 0
    PLANE = 1
    SET = 2
    NAME = 3
    TAG = 4
    INDEX = 5
    FILE_TIME = 6
    FIRST_SEEN = 7
    DEFAULT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFacts:
    """Facts that one statement gives of a plane besides its pixels; None where it gives none.

    Parameters
    ----------
    run
        The run, where a data set names its own.
    plate, well, site
        As `FrameKey` has them; a well of another spelling is written `A1`.
    time_point
        Counted from 0, whatever the program counts from.
    channel, channel_code
        Name of the channel (`Brightfield`), and its code in file names (`ch6`): either selects it.
    z, first_z, z_planes
        Number of the plane as the program counts, the number it begins with, and how many planes
        a stack has.
    projection
        How it was computed from the planes of a stack (`Maximum`); None for a plane as taken.
    position
        Label of the stage position as written, or its number; a label outranks a number.
    pixel_size_um
        Width of a pixel in the specimen plane in micrometres.
    acquired_at
        Aware UTC.
    wall_time, since_wall_s
        A time of day without a zone, read in the source's `clock_zone`, and seconds after it.
    ran_since, ran_s
        Start of the series on the same clock (aware UTC, or a wall time), and seconds since: they
        decide which pass of the repeated hour in autumn a wall time belongs to.
    elapsed_s
        Seconds since the start of the run, as in names like `00d12h00m`.
    series_began, series_index
        Moment of the first plane of a series in which only that plane is dated (aware UTC, or a
        wall time), and how many time points later this plane was taken.
    """

    run: str | None = field(default=None, metadata=AS_EXPERIMENT)
    plate: str | None = None
    well: str | None = None
    site: int | None = None
    time_point: int | None = None
    channel: str | None = None
    channel_code: str | None = None
    z: int | None = None
    first_z: int | None = None
    z_planes: int | None = None
    projection: str | None = None
    position: str | int | None = None
    pixel_size_um: float | None = None
    acquired_at: datetime | None = None
    wall_time: datetime | None = None
    since_wall_s: float | None = None
    ran_since: datetime | None = None
    ran_s: float | None = None
    elapsed_s: float | None = None
    series_began: datetime | None = None
    series_index: int | None = None

    def over(self, lesser: "PlaneFacts") -> "PlaneFacts":
        """Return these facts, with missing ones filled from a less trusted source."""
        return PlaneFacts(
            **{
                field.name: mine if (mine := getattr(self, field.name)) is not None else theirs
                for field in fields(self)
                for theirs in (getattr(lesser, field.name),)
            }
        )

    @property
    def place(self) -> tuple[int | None, str | None, int | None, str | int | None]:
        """Return what locates a plane within a file."""
        return self.time_point, self.channel, self.z, self.position


NOTHING = PlaneFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Facts that one witness states of a plane.

    Parameters
    ----------
    by
        The witness in a few words, for the operator: `OME-XML`, `file name (evos)`.
    """

    origin: Origin
    by: str
    facts: PlaneFacts


def merged(statements: tuple[Statement, ...]) -> PlaneFacts:
    """Return the facts of all statements, the most trusted first; the given order breaks ties."""
    if not statements:
        return NOTHING
    first, *others = sorted(statements, key=lambda statement: statement.origin)
    facts = first.facts
    for each in others:
        facts = facts.over(each.facts)
    return facts
