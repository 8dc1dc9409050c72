"""Statements of an OME-XML about each directory (page) of one file of its set.

Schema: OME 2016-06 and before; `TiffData`, `Pixels`, `Plane`. `files` finds the directories of each
image, `plates` its well, `times` its times. An XML that declares entities is refused: no microscope
writes them, and expanding them can fill the memory.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from xml.etree import ElementTree as Xml

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.readers.ome.endless import (
    declared_sizes,
    later_by,
    planes_of_endless,
    with_later_planes,
)
from scopewatch.sources.readers.ome.files import Block, read_blocks, rival_image, select_own
from scopewatch.sources.readers.ome.plates import (
    PlatePlace,
    number_of,
    read_plates,
    well_within,
)
from scopewatch.sources.readers.ome.times import Coordinate, ImageTimes
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.safe_xml import XmlError, parse_xml

_BY = "OME-XML"


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
    if trouble is not None:
        return OmeFile(common=_common(root), trouble=trouble)
    by_page: dict[int, tuple[Statement, ...]] = {}
    contested: set[int] = set()
    images = _Images(root, utc=utc)
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


def _common(root: Xml.Element) -> tuple[Statement, ...]:
    """Return the scale, if all images have the same."""
    sizes = {_size_um(pixels) for pixels in root.findall("{*}Image/{*}Pixels")}
    facts = PlaneFacts(pixel_size_um=sizes.pop() if len(sizes) == 1 else None)
    return () if facts == NOTHING else (Statement(origin=Origin.SET, by=_BY, facts=facts),)


def _size_um(pixels: Xml.Element) -> float | None:
    return calibrated_um(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "\u00b5m"))


class _Images:
    """The images of a document: their labels, places on a plate, and planes."""

    def __init__(self, root: Xml.Element, *, utc: bool) -> None:
        self._utc = utc
        self._created = root.get("Creator") is not None
        self._plates = read_plates(root)
        self._images = root.findall("{*}Image")
        names = Counter(named(image.get("Name")) for image in self._images)
        # A name that occurs again (fov0, fov1 in each well) does not identify its image.
        self._distinct = len(names) == len(self._images) and None not in names

    def by_uuid(self, index: int) -> tuple[Statement, ...]:
        """Return where an image was taken, stated by the UUID of a file."""
        image = self._images[index]
        place = self._plates.get(image.get("ID", ""))
        well, position = self._label(index, image, place)
        if place is not None:
            well = place.words or place.numbers or well
        facts = PlaneFacts(well=well, position=position if isinstance(position, str) else None)
        by = "OME-XML by the UUID of the file"
        return () if facts == NOTHING else (Statement(origin=Origin.SET, by=by, facts=facts),)

    def planes(
        self, blocks: list[Block], doubt: tuple[Statement, ...]
    ) -> Iterator[tuple[int, tuple[Statement, ...]]]:
        """Yield (directory, statements) for the planes of some blocks; `doubt` is added to each."""
        by_image: dict[int, list[Block]] = {}
        for block in blocks:
            by_image.setdefault(block.image, []).append(block)
        for index, own in by_image.items():
            image = self._images[index]
            pixels = image.find("{*}Pixels")
            if pixels is not None:
                for page, statements in self._planes(index, image, pixels, own):
                    yield page, (*statements, *doubt)

    def _planes(
        self, index: int, image: Xml.Element, pixels: Xml.Element, blocks: list[Block]
    ) -> Iterator[tuple[int, tuple[Statement, ...]]]:
        channels = pixels.findall("{*}Channel")
        sizes = _sizes(pixels, channels)
        if not self._created:
            sizes["T"], blocks = with_later_planes(pixels, blocks)
        names = [named(channel.get("Name")) for channel in channels]
        times = ImageTimes(image, pixels, sizes["T"], utc=self._utc)
        place = self._plates.get(image.get("ID", ""))
        well, position = self._label(index, image, place)
        on_plate = place.statements() if place is not None else ()
        size_um = _size_um(pixels)
        for page, (c, t, z) in _places(pixels, sizes, blocks):
            name = names[c] if c < len(names) else None
            facts = PlaneFacts(
                well=well,
                position=position,
                time_point=t if sizes["T"] > 1 else None,
                channel=name or (f"channel{c}" if sizes["C"] > 1 else None),
                z=z if sizes["Z"] > 1 else None,
                pixel_size_um=size_um,
                **times.of((c, t, z)),
            )
            yield page, (Statement(origin=Origin.SET, by=_BY, facts=facts), *on_plate)

    def _label(
        self, index: int, image: Xml.Element, place: PlatePlace | None
    ) -> tuple[str | None, str | int | None]:
        """Return the well in an image's name if it contains one, and its position.

        The position is its number among the images where several have one name, or none at all.
        """
        stage = image.find("{*}StageLabel")
        label = named(stage.get("Name")) if stage is not None else None
        name = named(image.get("Name"))
        well = well_within(label) or well_within(name)
        if place is not None or label is not None or len(self._images) == 1:
            return well, label
        return well, name if self._distinct else index


def _sizes(pixels: Xml.Element, channels: list[Xml.Element]) -> dict[str, int]:
    """Return the numbers of planes along C, T and Z; the colours of one channel are one plane."""
    sizes = declared_sizes(pixels)
    samples = [number_of(channel.get("SamplesPerPixel")) or 1 for channel in channels]
    if channels and sum(samples) == sizes["C"]:
        sizes["C"] = len(channels)
    return sizes


def _places(
    pixels: Xml.Element, sizes: dict[str, int], blocks: list[Block]
) -> Iterator[tuple[int, Coordinate]]:
    """Yield (directory, coordinate) for the planes of some blocks of an image."""
    order = [axis for axis in pixels.get("DimensionOrder", "XYCZT") if axis in "CTZ"]
    if sorted(order) != ["C", "T", "Z"]:
        order = ["C", "Z", "T"]
    fast, middle, slow = order
    everything = sizes["C"] * sizes["T"] * sizes["Z"]
    for block in blocks:
        first = block.first
        skip = (first[slow] * sizes[middle] + first[middle]) * sizes[fast] + first[fast]
        for index in range(everything if block.planes is None else block.planes):
            outer, at_fast = divmod(skip + index, sizes[fast])
            at_slow, at_middle = divmod(outer, sizes[middle])
            at = {fast: at_fast, middle: at_middle, slow: at_slow}
            yield block.page + index, (at["C"], at["T"], at["Z"])
