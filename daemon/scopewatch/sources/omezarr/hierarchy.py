"""Finds the images of an OME-Zarr store, and the well and site of each.

A store is a plate (`plate`, then `well` in each well), a collection (`bioformats2raw.layout`, or
plain groups with images or plates in them), or one image. https://ngff.openmicroscopy.org/0.5/
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from scopewatch.event_log import get_logger
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.omezarr.nodes import Node, mapping, objects, read_node, safe_path
from scopewatch.sources.readers.planes import ReadLimits

log = get_logger(__name__)

MAX_IMAGES = 20_000
_PLATE, _WELL, _IMAGE = "plate", "well", "multiscales"
_LAYOUT, _SERIES, _XML = "bioformats2raw.layout", "series", "METADATA.ome.xml"
_EPOCHS_S = (631_152_000, 4_102_444_800)  # 1990 to 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlace:
    """An image of a store.

    Parameters
    ----------
    path
        Path of its group below the store; "" is the store itself.
    statements
        Statements of the hierarchy about all its planes: plate, well and site.
    label
        Its name, where it is not in a well: the label or number of a stage position.
    acquisition
        Which of several acquisitions of the plate it belongs to; None for the first or only one.
    began_at
        Start of that acquisition.
    """

    path: str
    statements: tuple[Statement, ...] = ()
    label: str | int | None = None
    acquisition: str | None = None
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """The images of a store in their order.

    Parameters
    ----------
    unread
        Groups that the metadata lists and that do not exist yet.
    """

    images: tuple[ImagePlace, ...]
    unread: int = 0


def read_hierarchy(store: Path, limits: ReadLimits) -> Hierarchy | None:
    """List the images of a store; None where its metadata is missing, or is not OME metadata.

    Raises
    ------
    FrameError
        When metadata is too long.
    OSError
        When it cannot be read.
    """
    root = read_node(store, limits)
    if root is None or root.is_array:
        return None
    if _PLATE in root.ome:
        return _read_plate(store, "", root.ome[_PLATE], limits)
    if objects(root.ome.get(_IMAGE)):
        return Hierarchy(images=(ImagePlace(path=""),))
    return _read_collection(store, root, limits)


def _read_plate(store: Path, within: str, plate: Any, limits: ReadLimits) -> Hierarchy:
    """List the images of a plate, whose group is `within` the store: "" is the store itself."""
    plate, folder = mapping(plate), store / within
    acquisitions = _Acquisitions(plate)
    images: list[ImagePlace] = []
    unread = 0
    for entry in objects(plate.get("wells")):
        path = safe_path(entry.get("path"))
        if path is None or len(images) >= MAX_IMAGES:
            continue
        node = read_node(folder / path, limits)
        well = None if node is None else mapping(node.ome.get(_WELL))
        if not well:
            unread += 1
            continue
        of_well = _well_statements(named(plate.get("name")) or named(within), plate, entry, path)
        counted: dict[str | None, int] = {}
        for image in objects(well.get("images")):
            name = safe_path(image.get("path"))
            if name is None:
                continue
            acquisition = acquisitions.name(image.get("acquisition"))
            site = counted[acquisition] = counted.get(acquisition, -1) + 1
            order = Statement(
                origin=Origin.SET, by="order in well.images", facts=PlaneFacts(site=site)
            )
            images.append(
                ImagePlace(
                    path=f"{within}/{path}/{name}".removeprefix("/"),
                    statements=(*of_well, order),
                    acquisition=acquisition,
                    began_at=acquisitions.began_at(image.get("acquisition")),
                )
            )
    return Hierarchy(images=tuple(images[:MAX_IMAGES]), unread=unread)


class _Acquisitions:
    """The acquisitions of a plate; the first, by its number, is the run itself."""

    def __init__(self, plate: Mapping[str, Any]) -> None:
        self._known = {
            entry["id"]: entry
            for entry in objects(plate.get("acquisitions"))
            if type(entry.get("id")) is int
        }
        self._first = min(self._known, default=None)

    def name(self, number: object) -> str | None:
        if len(self._known) < 2 or number == self._first or number not in self._known:
            return None
        return named(self._known[number].get("name")) or f"acquisition {number}"

    def began_at(self, number: object) -> datetime | None:
        known = self._known.get(self._first if number not in self._known else number, {})
        began_s = known.get("starttime")
        if type(began_s) is not int or not _EPOCHS_S[0] <= began_s < _EPOCHS_S[1]:
            return None
        return datetime.fromtimestamp(began_s, UTC)


def _well_statements(
    name: str | None, plate: Mapping[str, Any], entry: Mapping[str, Any], path: str
) -> tuple[Statement, ...]:
    """Return plate and well by the path of the well, and by its row and column index."""
    row, _, column = path.rpartition("/")
    by_path = _spell(row, column)
    facts = PlaneFacts(plate=name, well=by_path)
    if by_path is None:
        # Row and column are unusual on a plate: the path is the name of the well.
        facts = PlaneFacts(plate=name, position=path.replace("/", "_"))
    statements = [Statement(origin=Origin.SET, by="path of the well", facts=facts)]
    rows, columns = objects(plate.get("rows")), objects(plate.get("columns"))
    names = _name_at(rows, entry.get("rowIndex")), _name_at(columns, entry.get("columnIndex"))
    by_index = _spell(*names)
    if by_path is not None and by_index is not None and by_index != by_path:
        other = PlaneFacts(well=by_index)
        statements.append(Statement(origin=Origin.SET, by="rowIndex, columnIndex", facts=other))
    return tuple(statements)


def _name_at(names: list[Mapping[str, Any]], index: object) -> str:
    if type(index) is not int or not 0 <= index < len(names):
        return ""
    return str(names[index].get("name"))


def _spell(row: str, column: str) -> str | None:
    """Return the well in a row named by letters and a column named by a number.

    >>> _spell("A", "01"), _spell("0", "1")
    ('A1', None)
    """
    if not re.fullmatch(r"[A-Za-z]{1,2}", row) or not re.fullmatch(r"\d{1,3}", column):
        return None
    return f"{row.upper()}{int(column)}"


def _read_collection(store: Path, root: Node, limits: ReadLimits) -> Hierarchy | None:
    names, listed = _series(store, limits), True
    if not names:
        names, listed = sorted(_children(store), key=_natural), False
    titles = _titles(store / "OME" / _XML, limits)
    images, unread = list[ImagePlace](), 0
    for index, name in enumerate(names[:MAX_IMAGES]):
        node = read_node(store / name, limits)
        if node is not None and _PLATE in node.ome:
            plate = _read_plate(store, name, node.ome[_PLATE], limits)
            images, unread = [*images, *plate.images], unread + plate.unread
            continue
        if node is None or node.is_array or not objects(node.ome.get(_IMAGE)):
            unread += listed
            continue
        title = titles[index] if index < len(titles) else None
        own = name.rpartition("/")[2]
        number = int(own) if own.isdecimal() and len(own) <= 9 else None
        label = title or (own if number is None else number)
        images.append(ImagePlace(path=name, label=label))
    if not images and _LAYOUT not in root.ome:
        return None
    return Hierarchy(images=tuple(images[:MAX_IMAGES]), unread=unread)


def _series(store: Path, limits: ReadLimits) -> list[str]:
    node = read_node(store / "OME", limits)
    series = None if node is None else node.ome.get(_SERIES)
    names = [safe_path(each) for each in series] if isinstance(series, list) else []
    return [each for each in names if each is not None]


def _children(store: Path) -> list[str]:
    with os.scandir(store) as entries:
        return [
            entry.name
            for entry in entries
            if entry.name != "OME"
            and safe_path(entry.name)
            and not entry.name.startswith(".")
            and entry.is_dir(follow_symlinks=False)
        ][:MAX_IMAGES]


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), "") if name.isdecimal() and len(name) <= 9 else (1, 0, name)


def _titles(path: Path, limits: ReadLimits) -> list[str | None]:
    """Return the names of the images in the OME-XML of the collection, where it can be read."""
    try:
        if path.stat().st_size > limits.max_text_bytes:
            return []
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return []
    try:
        root = Xml.fromstring(text)  # noqa: S314 - expat, without entities (checked above)
    except Xml.ParseError as error:
        log.debug("OME-XML gives no names", path=str(path), why=error)
        return []
    return [named(image.get("Name")) for image in root.findall("{*}Image")]
