"""Writes a message as files, as it would be sent, to look at."""

import re
import shutil
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from scopewatch.core.errors import DeliveryError, complaint
from scopewatch.messages.message import Message
from scopewatch.notify.pictures import draw_charts


def write_message(message: Message, folder: Path, stem: str, *, overlay_folder: Path) -> list[Path]:
    """Write a message as `stem`.txt, `stem`.html and its pictures; return what was written.

    The HTML shows the pictures beneath, as mail programs do with those attached.

    Raises
    ------
    DeliveryError
        The folder cannot be written to.
    """
    try:
        return _write(message, folder, stem, overlay_folder.resolve())
    except OSError as error:
        raise DeliveryError(
            complaint(
                "message cannot be written",
                where=folder,
                got=error.strerror,
                do="name a folder that can be written to",
            ),
            permanent=True,
        ) from error


def _write(message: Message, folder: Path, stem: str, overlays: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for picture in draw_charts(message):
        path = folder / f"{stem}-{picture.name}"
        path.write_bytes(picture.content)
        pictures.append(path)
    for name in message.attachments:
        source = (overlays / name).resolve()
        if source.is_relative_to(overlays) and source.is_file():
            safe = re.sub(r"[^A-Za-z0-9.]+", "-", name)
            pictures.append(Path(shutil.copyfile(source, folder / f"{stem}-{safe}")))
    text = folder / f"{stem}.txt"
    text.write_text(f"{message.title}\n\n{message.body}\n", encoding="utf-8")
    page = folder / f"{stem}.html"
    shown = _template().render(message=message, pictures=[path.name for path in pictures])
    page.write_text(shown, encoding="utf-8")
    return [text, page, *pictures]


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("scopewatch.notify"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("message.html.j2")
