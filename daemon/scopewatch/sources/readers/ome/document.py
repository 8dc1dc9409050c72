"""Statements of an OME-XML about each directory (page) of one file of its set.

Schema: OME 2016-06 and before; `TiffData`, `Pixels`, `Plane`. `files` finds the directories of each
image, `plates` its well, `times` its times. An XML that declares entities is refused: no microscope
writes them, and expanding them can fill the memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from xml.etree import ElementTree as Xml

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.mda_plan import mixed_planes
from scopewatch.sources.readers.micromanager_metadata import load_tags
from scopewatch.sources.readers.ome.endless import (
    later_by,
    planes_of_endless,
)
from scopewatch.sources.readers.ome.files import read_blocks, rival_image, select_own
from scopewatch.sources.readers.ome.images import OME_XML, OmeImages, pixel_width_um
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.safe_xml import XmlError, parse_xml


@dataclass(frozen=True, slots=True, kw_only=True)
class OmeFile:
    """Content of an OME-XML about one file.

    Parameters
    ----------
    planes
        Statements by directory.
    common
        Statements that hold for any plane of the set, where the XML does not list this file.
    declared
        Number of directories that the file is to hold; 0 where it is not stated.
    trouble
        Why it does not describe all planes, or any; None where all is well.
    endless
        Planes of a time point, where more time points than declared may follow; 0 where not.
    """

    planes: Mapping[int, tuple[Statement, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    common: tuple[Statement, ...] = ()
    declared: int = 0
    trouble: str | None = None
    endless: int = 0

    def of(self, page: int) -> tuple[Statement, ...]:
        """Return the statements about a directory."""
        if self.endless and page >= self.declared:
            later, first = divmod(page, self.endless)
            return tuple(map(later_by(later), self.planes.get(first, ())))
        return self.planes.get(page, self.common)


def is_ome(text: str) -> bool:
    """Return whether an image description is an OME-XML."""
    return text.lstrip().startswith(("<?xml", "<OME")) and "<OME" in text


def parse_ome(text: str, where: object) -> Xml.Element:
    """Parse an OME-XML.

    Raises
    ------
    FrameError
        When the text is no XML, or declares entities.
    """
    try:
        return parse_xml(text)
    except XmlError as error:
        raise FrameError(
            complaint("OME-XML cannot be read", where=where, got=error, do="export the file again")
        ) from error


def read_ome(
    text: str,
    file_name: str,
    limits: ReadLimits,
    *,
    uuid: str | None = None,
    utc: bool = False,
) -> OmeFile:
    """Return the content of an OME-XML about the file `file_name`.

    Parameters
    ----------
    uuid
        UUID of the file, where the XML is in another one; None: it is the file's own.
    utc
        Whether times without a zone are UTC, as Micro-Manager writes them.

    Raises
    ------
    FrameError
        When the text is no XML, or declares entities.
    """
    return read_document(parse_ome(text, file_name), file_name, limits, uuid=uuid, utc=utc)


def read_document(
    root: Xml.Element,
    file_name: str,
    limits: ReadLimits,
    *,
    uuid: str | None = None,
    utc: bool = False,
) -> OmeFile:
    """Return the content of a parsed OME-XML about a file, as `read_ome` does."""
    every = read_blocks(root)
    blocks, trouble = select_own(every, file_name, root.get("UUID"), uuid)
    trouble = trouble or _mixed(root)
    if trouble is not None:
        return OmeFile(common=_common(root), trouble=trouble)
    by_page: dict[int, tuple[Statement, ...]] = {}
    contested: set[int] = set()
    images = OmeImages(root, utc=utc)
    rival = rival_image(every, blocks, uuid or root.get("UUID"))
    doubt = () if rival is None else images.by_uuid(rival)
    for page, statements in islice(images.planes(blocks, doubt), limits.max_planes):
        if by_page.setdefault(page, statements) != statements:
            contested.add(page)
    for page in contested:
        del by_page[page]
    return OmeFile(
        planes=MappingProxyType(by_page),
        declared=max((*by_page, *contested), default=-1) + 1,
        trouble="its OME-XML gives one page to several images" if contested else None,
        endless=0 if contested else planes_of_endless(root, blocks),
    )


def _mixed(root: Xml.Element) -> str | None:
    """Return what one series of pymmcore-plus holds without telling it apart; None for nothing."""
    channels = root.findall("{*}Image/{*}Pixels/{*}Channel")
    if len(channels) != 1 or channels[0].get("Name"):
        return None
    for entry in root.iterfind("{*}StructuredAnnotations/{*}MapAnnotation/{*}Value/{*}M"):
        if entry.get("K") == "summary_metadata_json":
            return mixed_planes(load_tags(entry.text or ""))
    return None


def _common(root: Xml.Element) -> tuple[Statement, ...]:
    """Return the scale, if all images have the same."""
    sizes = {pixel_width_um(pixels) for pixels in root.findall("{*}Image/{*}Pixels")}
    facts = PlaneFacts(pixel_size_um=sizes.pop() if len(sizes) == 1 else None)
    return () if facts == NOTHING else (Statement(origin=Origin.SET, by=OME_XML, facts=facts),)
