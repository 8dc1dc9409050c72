"""Cutting a frame into horizontal strips that are scored one after the other.

A frame whose activations would not fit into the memory budget is scored in strips. Each strip is
read with a margin of tile rows that its own scores never depend beyond, and the scores of the
margin are thrown away; so the scores are the same as in one piece. All strips of a frame have the
same height, because the interpreter plans its memory again for each new input size.
"""

from dataclasses import dataclass

from scopewatch.core.imaging.model_card.card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One strip, in tile rows of the frame; stops are exclusive.

    Parameters
    ----------
    top, bottom
        The rows that the network is shown.
    first, stop
        The rows whose scores are kept.
    """

    top: int
    bottom: int
    first: int
    stop: int


def plan_strips(rows: int, *, margin: int, most_rows: int) -> tuple[Strip, ...]:
    """Cut `rows` tile rows into strips of equal height.

    Parameters
    ----------
    rows
        Tile rows of the frame, partial ones included.
    margin
        Rows above and below a strip that its scores may depend on.
    most_rows
        Rows that may be shown to the network at once.

    Returns
    -------
    Strips whose kept rows cover the frame once, from top to bottom.

    Raises
    ------
    ValueError
        When `most_rows` leaves no row between two margins.
    """
    if most_rows >= rows:
        return (Strip(top=0, bottom=rows, first=0, stop=rows),)
    if most_rows < 2 * margin + 1:
        raise ValueError(f"{most_rows} rows leave nothing between two margins of {margin}")
    strips = []
    first = 0
    while first < rows:
        # The frame's own borders need no margin: what lies beyond is padding in one piece too.
        top = max(0, min(first - margin, rows - most_rows))
        bottom = top + most_rows
        stop = rows if bottom == rows else bottom - margin
        strips.append(Strip(top=top, bottom=bottom, first=first, stop=stop))
        first = stop
    return tuple(strips)


def margin_tiles(card: ModelCard) -> int:
    """Return how many tiles beyond a strip its scores can depend on.

    A network of stride-1 convolutions sees as far to one side as to the other; each halving sees
    one pixel of its input further down than up, which adds up to tile_px - 1, or to less where
    halvings are replaced by patches. So neither side reaches further than
    (receptive_field_px - 1) / 2.
    """
    if card.receptive_field_px <= card.tile_px:
        return 0
    return -(-(card.receptive_field_px - 1) // (2 * card.tile_px))
