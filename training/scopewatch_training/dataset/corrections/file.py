"""`corrections.json` beside a data set: read, checked against the data set, and written whole."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.files import write_whole
from scopewatch_training.dataset.corrections.record import Corrections, PairFacts, PairReview

CORRECTIONS: Final = "corrections.json"
_MOST_BYTES: Final = 256 * 2**20
_ASIDE: Final = "or move the file away"


def read_corrections(folder: Path) -> Corrections | None:
    """Read the corrections of a data set; None where there is no file.

    Raises
    ------
    ConfigError
        When the file cannot be read, or is no corrections file of this version.
    """
    path = folder / CORRECTIONS
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unreadable(path, f"{path.stat().st_size} bytes")
        return Corrections.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or error) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _unreadable(path, f"{place}: {first['msg']}" if place else first["msg"]) from error


def write_corrections(
    folder: Path, corrections: Corrections, *, replaces: Corrections | None
) -> None:
    """Write the corrections of a data set, whole or not at all.

    Parameters
    ----------
    replaces
        What the change was made from; None where there was no file.

    Raises
    ------
    ConfigError
        When the file holds something else by now, or cannot be written. It stays as it is.
    """
    path = folder / CORRECTIONS
    if read_corrections(folder) != replaces:
        raise ConfigError(
            complaint(
                "corrections were changed by another program meanwhile",
                where=path,
                do="reload, and make the last change again",
            )
        )
    text = corrections.model_dump_json(indent=1, exclude_defaults=False) + "\n"
    try:
        write_whole(path, text.encode(), shared=True)
    except OSError as error:
        raise ConfigError(
            complaint(
                "corrections cannot be written; the last change is lost, all before are kept",
                where=path,
                got=error.strerror or error,
                do="make room or give the right to write, and make the change again",
            )
        ) from error


def refuse_misfit(
    corrections: Corrections, pairs: Iterable[PairFacts], tile_px: int, folder: Path
) -> None:
    """Refuse corrections that were made for another data set.

    Raises
    ------
    ConfigError
        When tiles have another side, a pair is unknown or shows other pictures, or a tile lies
        outside its frame.
    """
    path = folder / CORRECTIONS
    if corrections.pairs and corrections.tile_px != tile_px:
        raise ConfigError(
            complaint(
                "corrections are for tiles of another size",
                where=path,
                expected=f"{tile_px} px, as the data set",
                got=f"{corrections.tile_px} px",
                do=f"prepare with --tile-px {corrections.tile_px}, {_ASIDE}",
            )
        )
    known = {pair.id: pair for pair in pairs}
    for review in corrections.pairs:
        pair = known.get(review.id)
        if pair is None:
            raise ConfigError(
                complaint(
                    "corrections name a pair that the data set does not have",
                    where=path,
                    expected="pairs of the manifest",
                    got=review.id,
                    do=f"prepare with the manifest it was in, {_ASIDE}",
                )
            )
        # A pair that `prepare` refused has neither size nor use: its review rests.
        if pair.height and pair.width:
            _refuse_other_pictures(review, pair, path)
            _refuse_outside(review, tile_px, path)


def _refuse_other_pictures(review: PairReview, pair: PairFacts, path: Path) -> None:
    then = (review.height, review.width)
    if (review.source_sha256, *then) == (pair.source_sha256, pair.height, pair.width):
        return
    sizes = then != (pair.height, pair.width)
    raise ConfigError(
        complaint(
            "corrections were made on other pictures of a pair",
            where=f"{path}, {review.id}",
            expected=f"{pair.height} x {pair.width} px" if sizes else "the same pixels",
            got=f"{review.height} x {review.width} px" if sizes else "others",
            do="remove the pair from the file and review it again, or prepare it as it was",
        )
    )


def _refuse_outside(review: PairReview, tile_px: int, path: Path) -> None:
    rows, cols = review.height // tile_px, review.width // tile_px
    for tile in review.tiles:
        if tile.row >= rows or tile.col >= cols:
            grid = TileGrid(height=review.height, width=review.width, tile_px=tile_px)
            cut = tile.row < grid.rows and tile.col < grid.cols
            raise ConfigError(
                complaint(
                    "corrected tile is cut by the border and never counts"
                    if cut
                    else "corrected tile is outside the frame",
                    where=f"{path}, {review.id}",
                    expected=f"rows 0 to {rows - 1}, columns 0 to {cols - 1}",
                    got=f"row {tile.row}, column {tile.col}",
                    do="remove it from the file",
                )
            )


def _unreadable(path: Path, got: object) -> ConfigError:
    return ConfigError(
        complaint(
            "corrections cannot be read",
            where=path,
            expected="the file that review writes, schema_version 1",
            got=got,
            do=f"correct it, {_ASIDE}",
        )
    )
