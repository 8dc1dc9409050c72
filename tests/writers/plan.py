"""The plan that every writer is tried with: a 96-well plate, and the content of each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import useq

CHANNELS = ("Phase", "GFP")
GROUP = "Channel"

# Corners and the middle of the plate: mixed up rows and columns give wrong wells.
WELLS = ((0, 0), (1, 2), (2, 11), (7, 6))
UM_PER_PX = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A frame of the plan, with the parts of its key in the ledger.

    Parameters
    ----------
    position
        Index of the stage position in the plan: all sites of a well one after the other.
    """

    time_point: int
    position: int
    channel: int
    well: str
    site: int

    @property
    def key(self) -> tuple[str, int, int, str]:
        """Return well, site, time point and channel, as in the ledger."""
        return self.well, self.site, self.time_point, CHANNELS[self.channel].lower()


@dataclass(frozen=True)
class Plan:
    """4 wells x 2 sites x 6 time points x 2 channels, or fewer.

    Parameters
    ----------
    interval_s
        Time from the start of one time point to the next.
    size_px
        Side of the square frames.
    """

    wells: int = 4
    sites: int = 2
    times: int = 6
    interval_s: float = 4.0
    size_px: int = 256

    @cached_property
    def sequence(self) -> useq.MDASequence:
        """Return the plan for pymmcore-plus: time, then position, then channel."""
        rows, columns = zip(*WELLS[: self.wells], strict=True)
        plate = useq.WellPlatePlan(
            plate=useq.WellPlate.from_str("96-well"),
            a1_center_xy=(0.0, 0.0),
            selected_wells=(rows, columns),
            well_points_plan=useq.GridRowsColumns(
                rows=1, columns=self.sites, fov_width=self.size_px, fov_height=self.size_px
            ),
        )
        return useq.MDASequence(
            axis_order=("t", "p", "g", "c", "z"),
            stage_positions=plate,
            channels=tuple(
                useq.Channel(config=name, group=GROUP, exposure=1.0) for name in CHANNELS
            ),
            time_plan=useq.TIntervalLoops(
                interval=timedelta(seconds=self.interval_s), loops=self.times
            ),
        )

    @property
    def per_position(self) -> int:
        """Return how many frames one stage position gets in all."""
        return self.times * len(CHANNELS)

    def place(self, *, time_point: int, position: int, channel: int) -> Place:
        """Return the frame with these indices."""
        row, column = WELLS[position // self.sites]
        return Place(
            time_point=time_point,
            position=position,
            channel=channel,
            well=f"{'ABCDEFGH'[row]}{column + 1}",
            site=position % self.sites,
        )

    def places(self) -> Iterator[Place]:
        """Yield every frame in the order of its acquisition."""
        for time_point in range(self.times):
            for position in range(self.wells * self.sites):
                for channel in range(len(CHANNELS)):
                    yield self.place(time_point=time_point, position=position, channel=channel)
