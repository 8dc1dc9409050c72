"""How the daemon is configured to follow each writer, and what is promised then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.writers.plan import Plan

PROMISED_S = 5.0
# Writes through a memory map raise no event: such files are checked again at each rescan.
PROMISED_AFTER_RESCAN_S = 3.0
# Frames that arrive all at once are a burst, and scored one after the other after it.
OF_A_BURST_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Case:
    """One writer and the source that follows it.

    Parameters
    ----------
    writer
        A name of `tests.writers.writers.WRITERS`.
    source
        The source of the daemon's configuration; its path is added.
    plate
        Name of the plate in the files of this writer, or `plate`.
    mapped
        Whether pixels are written through a memory map.
    named_at_close
        Whether the writer names its frames only when it ends.
    times_at_once
        Number of time points in one file that is written at once.
    """

    writer: str
    source: Mapping[str, Any] = field(default_factory=lambda: {"kind": "folder"})
    plate: str = "96-well"
    mapped: bool = False
    named_at_close: bool = False
    times_at_once: int = 0

    def promised_s(self, rescan_s: float, plan: Plan) -> float:
        """Return within how many seconds a frame is committed."""
        if self.mapped:
            return rescan_s + PROMISED_AFTER_RESCAN_S
        times = plan.times if self.named_at_close else self.times_at_once
        return PROMISED_S + OF_A_BURST_S * times * plan.wells * plan.sites


OME_ZARR = {"kind": "ome-zarr"}
NDTIFF = {"kind": "ndtiff"}

CASES = (
    Case(writer="ome-tiff"),
    Case(writer="ome-tiff-lzw"),
    Case(writer="ome-tiff-master"),
    Case(writer="ome-tiff-companion", named_at_close=True),
    Case(
        writer="ome-tiff-mapped",
        source={
            "kind": "folder",
            # Its OME-XML has neither position nor pixel size; the names have.
            "pattern": r"_(?P<well>[A-H]\d+)_(?P<site>\d+)\.ome\.tif$",
            "um_per_px": 1.0,
        },
        plate="plate",
        mapped=True,
    ),
    Case(writer="ome-zarr-tensorstore", source=OME_ZARR),
    Case(writer="ome-zarr-zarr-python", source=OME_ZARR),
    Case(writer="ome-zarr-acquire-zarr", source=OME_ZARR),
    Case(writer="ome-zarr-tensorstore-chunks", source=OME_ZARR, times_at_once=2),
    Case(writer="ome-zarr-tensorstore-shards", source=OME_ZARR),
    Case(writer="ome-zarr-zarr-python-shards", source=OME_ZARR),
    Case(writer="ome-zarr-acquire-zarr-shards", source=OME_ZARR, times_at_once=2),
    Case(writer="image-sequence", source={"kind": "folder", "pattern": "useq"}),
    Case(writer="ndtiff", source=NDTIFF, plate="plate"),
    Case(writer="ndtiff-numbers", source=NDTIFF, plate="plate"),
    Case(writer="ndtiff-index-only", source=NDTIFF, plate="plate", named_at_close=True),
)
