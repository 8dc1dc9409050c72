"""The pictures of a message, drawn when it is sent."""

import io
import re
from dataclasses import dataclass

from PIL import Image

from scopewatch.event_log import get_logger
from scopewatch.messages.chart_data import ChartData, Trend
from scopewatch.messages.message import Message
from scopewatch.messages.plate_picture import draw_plate
from scopewatch.messages.trend_picture import draw_trend

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """A PNG file with the name it is attached under."""

    name: str
    content: bytes


def draw_charts(message: Message) -> list[PictureFile]:
    """Draw the figures of a message; leave out one that cannot be drawn."""
    drawn = []
    for figure in message.figures:
        try:
            drawn.append(draw(figure))
        except Exception:
            log.exception("figure cannot be drawn", title=message.title)
    return drawn


def draw(figure: ChartData) -> PictureFile:
    """Draw one figure as PNG."""
    if isinstance(figure, Trend):
        pixels, name = draw_trend(figure), f"trend {figure.name}"
    else:
        pixels, name = draw_plate(figure), f"plate {figure.plate}"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    # Names of runs hold any character; mail programs and chats do not.
    safe = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:60]
    return PictureFile(name=f"{safe}.png", content=file.getvalue())
