"""The images of an OME-XML: their labels, places on a plate, and planes."""

from collections import Counter
from collections.abc import Iterator
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.wells import is_well
from scopewatch.sources.readers.ome.endless import (
    declared_sizes,
    with_later_planes,
)
from scopewatch.sources.readers.ome.files import Block
from scopewatch.sources.readers.ome.plates import (
    PlatePlace,
    number_of,
    read_plates,
    well_within,
)
from scopewatch.sources.readers.ome.times import Coordinate, ImageTimes
from scopewatch.sources.readers.pixel_size import calibrated_um

OME_XML = "OME-XML"


def pixel_width_um(pixels: Xml.Element) -> float | None:
    """Return the calibrated width of a pixel in micrometres; None without one."""
    return calibrated_um(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "\u00b5m"))


class OmeImages:
    """The images of a document: their labels, places on a plate, and planes."""

    def __init__(self, root: Xml.Element, *, utc: bool) -> None:
        self._utc = utc
        self._created = root.get("Creator") is not None
        self._plates = read_plates(root)
        self._images = root.findall("{*}Image")
        names = Counter(named(image.get("Name")) for image in self._images)
        # A name that occurs again (fov0, fov1 in each well) does not identify its image; wells, of
        # which each field is an image (a grid in ome-writers), do.
        self._distinct = len(names) == len(self._images) and None not in names
        self._wells = all(name is not None and is_well(name) for name in names)

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
        size_um = pixel_width_um(pixels)
        for page, (c, t, z) in _places(pixels, sizes, blocks):
            name = names[c] if c < len(names) else None
            facts = PlaneFacts(
                well=well,
                site=self._site(index) if place is None else None,
                position=position,
                time_point=t if sizes["T"] > 1 else None,
                channel=name or (f"channel{c}" if sizes["C"] > 1 else None),
                z=z if sizes["Z"] > 1 else None,
                z_planes=sizes["Z"] if sizes["Z"] > 1 else None,
                pixel_size_um=size_um,
                **times.of((c, t, z)),
            )
            yield page, (Statement(origin=Origin.SET, by=OME_XML, facts=facts), *on_plate)

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
        return well, name if self._distinct or self._wells else index

    def _site(self, index: int) -> int | None:
        """Return which image of its well it is, where all are named by wells that repeat."""
        if self._distinct or not self._wells or len(self._images) == 1:
            return None
        name = self._images[index].get("Name")
        return sum(image.get("Name") == name for image in self._images[:index])


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
