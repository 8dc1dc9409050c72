"""Results of one look at OME-Zarr stores, without waiting."""

import json
from pathlib import Path
from typing import Any

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.reading import FrameReading
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits
from tests.unit.sources.images import RUN
from tests.unit.sources.zarrs import omezarr_config

NOW = Patience(quiet_s=0, give_up_s=0)


def found_in(path: Path, limits: ReadLimits = DEFAULT_LIMITS, **settings: Any) -> list[Found]:
    """Return what one look at the stores below a path finds, without waiting."""
    stores = OmeZarrStores(omezarr_config(path, **settings), RUN, limits, NOW)
    return [
        stores.found(label, sighting)
        for label, folder in stores.find(())
        for sighting in stores.open(folder).look(0.0, full=True)
    ]


def keys_in(path: Path, **settings: Any) -> list[FrameKey]:
    found = found_in(path, **settings)
    assert [each.reason for each in found if each.key is None] == []
    return [each.key for each in found if each.key is not None]


def reading_in(path: Path, **settings: Any) -> FrameReading:
    (found,) = found_in(path, **settings)
    assert found.reading is not None, found.reason
    return found.reading


def reason_in(path: Path, limits: ReadLimits = DEFAULT_LIMITS) -> str:
    (found,) = found_in(path, limits)
    assert found.key is None
    return found.reason


def change(metadata: Path, **changes: Any) -> None:
    """Change a metadata file."""
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | changes))
