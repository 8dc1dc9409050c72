"""What is said of one plane, by whom, and how far each is trusted.

A plane's facts come from several places: the user's settings, metadata beside the pixels,
metadata of the whole set, the file name. Each place makes a `Statement`; `reading.read_frame`
decides between them by `Origin`, and keeps who said what.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntEnum


class Origin(IntEnum):
    """Where a fact comes from, the most trusted first.

    TAG is what any program that saves an image again writes too (TIFF resolution and DateTime,
    EXIF): less than what the acquisition program put into its own metadata or the name. FILE_TIME
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
    """What one witness says of a plane besides its pixels; None where it is silent.

    Parameters
    ----------
    experiment
        The run it belongs to, where a data set names its own.
    plate, well, site
        As `FrameKey` has them; a well of another spelling is written `A1`.
    time_point
        Counted from 0, whatever the program counts from.
    channel, channel_code
        Name of the channel (`Brightfield`), and its code in file names (`ch6`): either selects it.
    z, first_z
        Number of the plane as the program counts, and the number it begins with.
    projection
        How it was computed from the planes of a stack (`Maximum`); None for a plane as taken.
    position
        The label of the stage position as written, or its number, which says less than any label.
    pixel_size_um
        Width of a pixel in the specimen plane in micrometres.
    acquired_at
        Aware UTC.
    wall_time, since_wall_s
        A time of day without a zone, read in the source's `clock_zone`, and seconds after it.
    ran_since, ran_s
        When the series began by the same clock (aware UTC, or a wall time), and seconds since: they
        tell which pass of the hour that autumn repeats a wall time is of.
    elapsed_s
        Seconds since the start of the run, as names like `00d12h00m` give it.
    series_began, series_index
        Moment of the first plane of a series that dates no other one (aware UTC, or a wall time),
        and how many time points after it this plane was taken.
    """

    experiment: str | None = None
    plate: str | None = None
    well: str | None = None
    site: int | None = None
    time_point: int | None = None
    channel: str | None = None
    channel_code: str | None = None
    z: int | None = None
    first_z: int | None = None
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
        """Return these facts, completed by a lesser witness."""
        return PlaneFacts(
            **{
                field.name: mine if (mine := getattr(self, field.name)) is not None else theirs
                for field in fields(self)
                for theirs in (getattr(lesser, field.name),)
            }
        )

    @property
    def place(self) -> tuple[int | None, str | None, int | None, str | int | None]:
        """Which plane of a file it is."""
        return self.time_point, self.channel, self.z, self.position


NOTHING = PlaneFacts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one witness says of a plane.

    Parameters
    ----------
    by
        The witness in a few words, for the operator: `OME-XML`, `file name (evos)`.
    """

    origin: Origin
    by: str
    facts: PlaneFacts


def merged(statements: tuple[Statement, ...]) -> PlaneFacts:
    """Return what all statements say together, the most trusted first; the order decides a tie."""
    if not statements:
        return NOTHING
    first, *others = sorted(statements, key=lambda statement: statement.origin)
    facts = first.facts
    for each in others:
        facts = facts.over(each.facts)
    return facts
