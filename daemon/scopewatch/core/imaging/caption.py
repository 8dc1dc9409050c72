"""The bar beneath an overlay: name of the frame, its efficiency, and the legend of its colours."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.imaging.frame import FrameKey

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour = Callable[[NDArray[np.float32], float], NDArray[np.uint8]]

INK: Final = (235, 235, 235)
FAINT: Final = (165, 165, 165)
PAPER: Final = (20, 22, 24)
AMBER: Final = (255, 176, 0)
SIMULATED_LINE: Final = "SIMULATED: not a result"
MIN_FONT_PX: Final = 12
CHARS_ACROSS: Final = 48
LONGEST_LINE: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """The contents of the bar.

    Parameters
    ----------
    key
        The frame that is shown.
    day
        Day of the differentiation run on which it was taken.
    efficiency
        Of this frame, with its interval.
    simulated
        True when the images or the model are simulated: the picture then shows it, large.
    marker
        What a positive tile would show under fluorescence (`NKX2.5-GFP`), from the card.
    """

    key: FrameKey
    day: float
    efficiency: Efficiency
    simulated: bool
    marker: str = "the marker"

    def lines(self) -> tuple[str, ...]:
        """Return the text, line by line, before wrapping."""
        key, seen = self.key, self.efficiency
        reading = f"efficiency {seen.value:.0%}"
        if seen.corrected:
            reading += f" ({seen.low:.0%} to {seen.high:.0%})"
        else:
            reading += " raw, not corrected"
        lines = [
            f"{key.run} / {key.plate} / {key.well} / site\N{NO-BREAK SPACE}{key.site}",
            f"day {self.day:.1f}, time\N{NO-BREAK SPACE}point\N{NO-BREAK SPACE}{key.time_point}",
            reading,
        ]
        if self.simulated:
            lines.append(SIMULATED_LINE)
        return tuple(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Legend:
    """What the colours of the picture show.

    Parameters
    ----------
    shows
        The quantity, 0 to 1.
    mark
        Value at which the colour jumps.
    mark_words
        What happens there: `counts from`.
    """

    shows: str
    mark: float
    mark_words: str


def draw_bar(
    caption: Caption,
    *,
    width_px: int,
    legend: Legend,
    colour: Colour,
    hatched: bool,
) -> NDArray[np.uint8]:
    """Draw the bar: the caption's text and the legend, beside each other or, if narrow, stacked.

    Parameters
    ----------
    width_px
        Width of the bar; its height is what the text needs.
    colour
        Maps (n,) values of the legend and its mark to (n, 3) colours as the overlay draws them.
    hatched
        Whether the legend has to explain hatched tiles.

    Returns
    -------
    (height, width_px, 3) uint8.
    """
    size = font_px(width_px)
    font = load_font(size)
    margin, line_px = size // 2, round(size * 1.35)
    stacked = width_px < 30 * size
    text_px = width_px - 2 * margin if stacked else round(width_px * 0.56) - 2 * margin
    legend_px = width_px - 2 * margin if stacked else width_px - text_px - 4 * margin
    rows = [
        (row, AMBER if line == SIMULATED_LINE else INK)
        for line in caption.lines()
        for row in wrap(line, font, text_px)
    ]
    key = _draw_legend(legend, colour, hatched, legend_px, size)
    text_height = len(rows) * line_px
    height = text_height + key.height if stacked else max(text_height, key.height)
    bar = Image.new("RGB", (width_px, height + 2 * margin), PAPER)
    for index, (row, ink) in enumerate(rows):
        bar.paste(_draw_row(row, size, ink, text_px), (margin, margin + index * line_px))
    left = 0 if stacked else text_px + 2 * margin
    bar.paste(key, (left, margin + (text_height if stacked else 0)))
    return np.asarray(bar)


# Rows that many frames share: the day of a time point, the name of a well, what is simulated.
@lru_cache(maxsize=16)
def _draw_row(row: str, size: int, ink: tuple[int, int, int], width_px: int) -> Image.Image:
    """Draw a row of text, one line high. Its users must not draw on it."""
    drawn = Image.new("RGB", (width_px, round(size * 1.35)), PAPER)
    ImageDraw.Draw(drawn).text((0, 0), row, font=load_font(size), fill=ink)
    return drawn


# The same for all frames of a run, and most of the time that a bar takes.
@lru_cache(maxsize=8)
def _draw_legend(
    legend: Legend, colour: Colour, hatched: bool, width_px: int, size: int
) -> Image.Image:
    """Draw what the colours mean, with a margin to each side. Its users must not draw on it."""
    font, line_px, left = load_font(size), round(size * 1.35), size // 2
    notes = wrap(legend.shows, font, width_px)
    notes_below = wrap("hatched: not counted", font, width_px) if hatched else []
    scale_height = round(2.6 * line_px)
    height = (len(notes) + len(notes_below)) * line_px + scale_height
    key = Image.new("RGB", (width_px + 2 * left, height), PAPER)
    draw = ImageDraw.Draw(key)
    top = 0
    for row in notes:
        draw.text((left, top), row, font=font, fill=INK)
        top += line_px
    scale = np.linspace(0, 1, width_px, dtype=np.float32)
    strip = np.broadcast_to(colour(scale, legend.mark), (line_px, width_px, 3))
    key.paste(Image.fromarray(np.ascontiguousarray(strip)), (left, top))
    _mark_threshold(draw, font, legend, left, top, width_px, line_px)
    top += scale_height
    for row in notes_below:
        draw.text((left, top), row, font=font, fill=FAINT)
        top += line_px
    return key


@lru_cache(maxsize=8)
def draw_badge(text: str, width_px: int) -> NDArray[np.uint8]:
    """Draw `text` on an amber plate, for a picture so wide: (height, width, 3) uint8, read-only."""
    size = font_px(width_px)
    font, pad = load_font(size), size // 3
    length = int(np.ceil(font.getlength(text)))
    plate = Image.new("RGB", (length + 2 * pad, round(1.2 * size) + 2 * pad), AMBER)
    ImageDraw.Draw(plate).text((pad, pad), text, font=font, fill=PAPER)
    return np.asarray(plate)


def font_px(width_px: int) -> int:
    """Return the font size for a picture so wide: it grows with it, and stays legible."""
    return max(MIN_FONT_PX, width_px // CHARS_ACROSS)


@lru_cache(maxsize=32)
def load_font(size_px: int) -> Font:
    """Load the font that comes with Pillow, so that no machine lacks it."""
    return ImageFont.load_default(size_px)


# Rows that many frames share, as for `_draw_row`: the lengths of texts take longer than the rest.
@lru_cache(maxsize=32)
def wrap(text: str, font: Font, width_px: int) -> tuple[str, ...]:
    """Break a line into rows that fit, at spaces or, within a longer word, anywhere.

    The font holds Latin letters only: accents are dropped, and what remains unknown becomes a
    question mark. Lines beyond `LONGEST_LINE` characters are cut.
    """
    if len(text) > LONGEST_LINE:
        text = text[: LONGEST_LINE - 3] + "..."
    rows = [""]
    words = [latin(word) for word in text.split(" ")]
    whole = ""
    for word in words:
        whole = f"{whole} {word}".strip()
    if font.getlength(whole) <= width_px:
        return (whole,)
    for word in words:
        joined = f"{rows[-1]} {word}".strip()
        if font.getlength(joined) <= width_px:
            rows[-1] = joined
            continue
        if rows[-1]:
            rows.append("")
        for letter in word:
            if rows[-1] and font.getlength(rows[-1] + letter) > width_px:
                rows.append("")
            rows[-1] += letter
    return tuple(rows)


def latin(word: str) -> str:
    """Return what the font can show of a word, see `wrap`."""
    letters = unicodedata.normalize("NFKD", word)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    # A newline in a name would start a second row within this one.
    printable = "".join(letter if letter.isprintable() else "?" for letter in plain)
    return printable.encode("ascii", "replace").decode("ascii")


def _mark_threshold(
    draw: ImageDraw.ImageDraw,
    font: Font,
    legend: Legend,
    left: int,
    top: int,
    width_px: int,
    line_px: int,
) -> None:
    """Mark the threshold on the colour bar; label it and both ends beneath."""
    at = left + round(legend.mark * (width_px - 1))
    thick = max(1, line_px // 12)
    draw.line((at, top - thick, at, top + round(1.25 * line_px)), fill=INK, width=thick)
    below = top + round(1.3 * line_px)
    label = f"{legend.mark_words} {legend.mark:.2f}"
    if font.getlength(label) > width_px:
        label = f"{legend.mark:.2f}"
    length = font.getlength(label)
    start = min(max(at - length / 2, left), left + width_px - length)
    draw.text((start, below), label, font=font, fill=INK)
    # The ends are labelled only where the threshold's label leaves room for them.
    gap = font.getlength("0 ")
    if start - left > gap:
        draw.text((left, below), "0", font=font, fill=FAINT)
    if left + width_px - (start + length) > gap:
        draw.text((left + width_px - gap / 2, below), "1", font=font, fill=FAINT, anchor="la")
