"""Writes a message as files, as it would be sent, to look at."""

import re
import shutil
from html import escape
from pathlib import Path

from scopewatch.core.errors import DeliveryError, complaint
from scopewatch.messages.alert_message import Message
from scopewatch.notify.pictures import draw_charts

_PAGE = (
    '<!doctype html>\n<html lang="{lang}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
    "{body}\n{pictures}\n</html>\n"
)
_PICTURE = '<p><img src="{name}" alt="{name}" style="max-width:100%"></p>'


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
    shown = "\n".join(_PICTURE.format(name=escape(path.name, quote=True)) for path in pictures)
    page.write_text(
        _PAGE.format(
            lang=message.language.value,
            title=escape(message.title),
            body=message.html,
            pictures=shown,
        ),
        encoding="utf-8",
    )
    return [text, page, *pictures]
