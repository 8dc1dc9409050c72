"""Writes the picture of a plan: as PNG, or as SVG."""

from io import BytesIO
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from PIL import Image

from scopewatch.app.planning import picture as drawn
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.caption import FAINT, INK, PAPER
from scopewatch.messages.canvas import Canvas, Colour

_WAY: Final[Colour] = (66, 110, 146)
_COLOURS: Final[dict[str, Colour]] = {
    "well": (96, 100, 104),
    "site": (120, 200, 255),
    "first": (255, 176, 0),
}
_ANCHORS: Final = {"start": "la", "middle": "ma", "end": "ra"}


def write_picture(picture: drawn.PlanPicture, path: Path) -> None:
    """Write a picture as the ending of its file says.

    Raises
    ------
    ConfigError
        When the ending is another one, or the file cannot be written.
    """
    makers = {".png": to_png, ".svg": to_svg}
    make = makers.get(path.suffix.lower())
    if make is None:
        raise ConfigError(
            complaint(
                "picture cannot be written in that format",
                where=path,
                expected="a name that ends in .png or .svg",
                do="name it so",
            )
        )
    try:
        path.write_bytes(make(picture))
    except OSError as error:
        raise ConfigError(
            complaint(
                "picture cannot be written",
                where=path,
                got=error.strerror,
                do="name another file with --picture",
            )
        ) from error


def to_png(picture: drawn.PlanPicture) -> bytes:
    """Return a picture as PNG."""
    canvas = Canvas(picture.width, picture.height)
    for shape in picture.shapes:
        match shape:
            case drawn.Circle(x, y, radius, kind):
                canvas.dot((x, y), radius, _COLOURS[kind], hollow=kind == "well")
            case drawn.Path(points) if len(points) > 1:
                canvas.line(points, _WAY)
            case drawn.Words(x, y, text, size, anchor, faint):
                canvas.text((x, y), text, size, FAINT if faint else INK, _ANCHORS[anchor])
    held = BytesIO()
    Image.fromarray(canvas.finish()).save(held, "PNG")
    return held.getvalue()


def to_svg(picture: drawn.PlanPicture) -> bytes:
    """Return a picture as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{picture.width}"'
        f' height="{picture.height}" viewBox="0 0 {picture.width} {picture.height}"'
        ' font-family="sans-serif">',
        f'<rect width="100%" height="100%" fill="{_web(PAPER)}"/>',
    ]
    for shape in picture.shapes:
        match shape:
            case drawn.Circle(x, y, radius, kind):
                fill = "none" if kind == "well" else _web(_COLOURS[kind])
                lines.append(
                    f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}"'
                    f' stroke="{_web(_COLOURS[kind])}"/>'
                )
            case drawn.Path(points):
                corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                lines.append(f'<polyline points="{corners}" fill="none" stroke="{_web(_WAY)}"/>')
            case drawn.Words(x, y, text, size, anchor, faint):
                # SVG places the foot of a line of text, Pillow its head.
                lines.append(
                    f'<text x="{x:.1f}" y="{y + size * 0.8:.1f}" font-size="{size}"'
                    f' text-anchor="{anchor}" fill="{_web(FAINT if faint else INK)}">'
                    f"{escape(text)}</text>"
                )
    return "\n".join([*lines, "</svg>", ""]).encode()


def _web(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
