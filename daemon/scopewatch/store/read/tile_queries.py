"""The tile probabilities of frames."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.core.imaging.tiling import TileGrid, TileScores
from scopewatch.core.well_name import WellName
from scopewatch.store.files.tiles import unpack
from scopewatch.store.read.well_queries import named
from scopewatch.store.schema.tables import FrameRow, Run, TileScoresRow, Well


def tile_scores(session: Session, key: FrameKey) -> TileScores | None:
    """Return the tile probabilities of a frame, or None where it was not judged."""
    name = WellName(run=key.run, plate=key.plate, well=key.well)
    row = session.scalar(
        select(TileScoresRow)
        .join(FrameRow, FrameRow.id == TileScoresRow.frame_id)
        .join(Well, Well.id == FrameRow.well_id)
        .join(Run)
        .where(
            *named(name),
            FrameRow.site == key.site,
            FrameRow.time_point == key.time_point,
            FrameRow.channel == key.channel,
        )
    )
    if row is None:
        return None
    grid = TileGrid(height=row.height_px, width=row.width_px, tile_px=row.tile_px)
    return unpack(grid, row.probability, row.valid)
