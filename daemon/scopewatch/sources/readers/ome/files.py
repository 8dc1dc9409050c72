"""Finds the directories of each file of a multi-file OME-TIFF set.

In most sets of several files each holds the XML of the whole set. The `TiffData` of a file are
found over all images together: by its name, else by its UUID. Only a set of a single file can have
been renamed; where the XML lists several and this is none of them, nothing is guessed.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree as Xml

from scopewatch.sources.readers.ome.plates import number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One `TiffData`: consecutive directories of a file that hold planes of an image.

    Parameters
    ----------
    image
        Number of the image within the document.
    first
        Coordinate of the first plane, by axis (C, T, Z).
    page
        Number of its directory.
    planes
        Number of planes; None: all of the image.
    file, uuid
        The file that holds them; both None for the file that holds the XML.
    """

    image: int
    first: dict[str, int]
    page: int
    planes: int | None
    file: str | None
    uuid: str | None

    @property
    def elsewhere(self) -> bool:
        """Whether it names a file, possibly the one that holds the XML; else that one is meant."""
        return self.file is not None or self.uuid is not None


def read_blocks(root: Xml.Element) -> list[Block]:
    """Return all `TiffData` of a document."""
    return [
        _read_block(index, element)
        for index, image in enumerate(root.findall("{*}Image"))
        for element in image.findall("{*}Pixels/{*}TiffData")
    ]


def _read_block(image: int, element: Xml.Element) -> Block:
    identity = element.find("{*}UUID")
    page = number_of(element.get("IFD"))
    planes = number_of(element.get("PlaneCount") or element.get("NumPlanes"))
    if planes is None and page is not None:
        planes = 1
    return Block(
        image=image,
        first={axis: number_of(element.get(f"First{axis}")) or 0 for axis in "CTZ"},
        page=page or 0,
        planes=planes,
        file=_base_name(identity.get("FileName")) if identity is not None else None,
        uuid=(identity.text or "").strip() or None if identity is not None else None,
    )


def select_own(
    blocks: list[Block], file_name: str, document: str | None, uuid: str | None
) -> tuple[list[Block], str | None]:
    """Return the blocks of a file, or why they are not known.

    Parameters
    ----------
    document
        UUID of the document: of the file that holds it.
    uuid
        UUID of the file, where another one holds the document; else None.
    """
    inside = [block for block in blocks if not block.elsewhere and uuid is None]
    own = document if uuid is None else uuid
    named = [block for block in blocks if block.file == file_name]
    if not named:
        named = [block for block in blocks if own and block.uuid == own]
    if named or inside:
        return [*named, *inside], None
    others = sorted({block.file or block.uuid or "" for block in blocks if block.elsewhere})
    if len(others) == 1 and uuid is None:
        return blocks, None
    return [], _unknown(others)


def rival_image(blocks: list[Block], own: list[Block], uuid: str | None) -> int | None:
    """Return the image of a file by its UUID, if its name gives another image; else None.

    Parameters
    ----------
    own
        Blocks of the file, by its name.
    uuid
        UUID in the file itself.
    """
    if not uuid or any(block.uuid == uuid for block in own):
        return None
    by_uuid = {block.image for block in blocks if block.uuid == uuid}
    return next(iter(by_uuid - {block.image for block in own}), None)


def _unknown(others: list[str]) -> str:
    if not others:
        return "its OME-XML names no planes"
    first = ", ".join(others[:2]) + (", ..." if len(others) > 2 else "")
    return f"its OME-XML lists other files ({len(others)}: {first}) and not this one"


def _base_name(name: str | None) -> str | None:
    return PurePosixPath(name.replace("\\", "/")).name or None if name else None
