"""What the OME-XML of an OME-TIFF says of each directory (page) of one file.

Schema: OME 2016-06, `TiffData`, `Pixels`, `Plane`. An XML that declares entities is refused:
no microscope writes them, and expanding them can fill the memory.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from xml.etree import ElementTree as Xml

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.timestamps import parse_utc

_UNIT_S = {"s": 1.0, "ms": 1e-3, "\u00b5s": 1e-6, "min": 60.0, "h": 3600.0, "d": 86400.0}
Coordinate = tuple[int, int, int]  # c, t, z


def read_ome(text: str, file_name: str, limits: ReadLimits) -> dict[int, PlaneFacts]:
    """Return the facts of each directory of the file `file_name`.

    Other files of a multi-file set are left out: each is read by its own directories.

    Raises
    ------
    FrameError
        When the text is no XML, or declares entities.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _damaged(file_name, "entity declarations")
    try:
        root = Xml.fromstring(text)  # noqa: S314 - expat, without entities (checked above)
    except Xml.ParseError as error:
        raise _damaged(file_name, error) from error
    images = root.findall("{*}Image")
    facts: dict[int, PlaneFacts] = {}
    for image in images:
        pixels = image.find("{*}Pixels")
        if pixels is not None:
            label = _label(image, several=len(images) > 1)
            facts.update(_image_facts(image, pixels, label, file_name, limits))
    return facts


def _damaged(where: str, got: object) -> FrameError:
    return FrameError(
        complaint("OME-XML cannot be read", where=where, got=got, do="export the file again")
    )


def _image_facts(
    image: Xml.Element,
    pixels: Xml.Element,
    label: str | None,
    file_name: str,
    limits: ReadLimits,
) -> dict[int, PlaneFacts]:
    sizes = {axis: max(1, _count(pixels.get(f"Size{axis}"), 1)) for axis in "CTZ"}
    size_um = calibrated_um(pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "\u00b5m"))
    channels = [named(channel.get("Name")) for channel in pixels.findall("{*}Channel")]
    elapsed = _elapsed(pixels)
    began = image.find("{*}AcquisitionDate")
    started = parse_utc(began.text) if began is not None else None
    facts = {}
    for page, (c, t, z) in islice(_places(pixels, sizes, file_name), limits.max_planes):
        channel = channels[c] if c < len(channels) else None
        facts[page] = PlaneFacts(
            time_point=t if sizes["T"] > 1 else None,
            channel=channel or (f"channel{c}" if sizes["C"] > 1 else None),
            z=z if sizes["Z"] > 1 else None,
            position=label,
            pixel_size_um=size_um,
            acquired_at=_moment(started, elapsed.get((c, t, z))),
        )
    return facts


def _label(image: Xml.Element, *, several: bool) -> str | None:
    stage = image.find("{*}StageLabel")
    if stage is not None:
        return named(stage.get("Name"))
    return named(image.get("Name")) if several else None


def _places(
    pixels: Xml.Element, sizes: dict[str, int], file_name: str
) -> Iterator[tuple[int, Coordinate]]:
    """Yield (directory, coordinate) for the planes that lie in this file."""
    blocks = pixels.findall("{*}TiffData")
    files = [_file_of(block) for block in blocks]
    # A file that was renamed: the XML knows one file, and this must be it.
    renamed = len(set(files)) == 1 and file_name not in files
    order = [axis for axis in pixels.get("DimensionOrder", "XYCZT") if axis in "CTZ"]
    if sorted(order) != ["C", "T", "Z"]:
        order = ["C", "Z", "T"]
    for block, file in zip(blocks, files, strict=True):
        if file is not None and file != file_name and not renamed:
            continue
        first = {axis: _count(block.get(f"First{axis}"), 0) for axis in "CTZ"}
        page, planes = _count(block.get("IFD"), 0), block.get("PlaneCount")
        bare = block.get("IFD") is None and planes is None
        wanted = sizes["C"] * sizes["T"] * sizes["Z"] if bare else _count(planes, 1)
        fast, middle, slow = order
        skip = (first[slow] * sizes[middle] + first[middle]) * sizes[fast] + first[fast]
        for index in range(wanted):
            outer, at_fast = divmod(skip + index, sizes[fast])
            at_slow, at_middle = divmod(outer, sizes[middle])
            at = {fast: at_fast, middle: at_middle, slow: at_slow}
            yield page + index, (at["C"], at["T"], at["Z"])


def _file_of(block: Xml.Element) -> str | None:
    uuid = block.find("{*}UUID")
    return uuid.get("FileName") if uuid is not None else None


def _elapsed(pixels: Xml.Element) -> dict[Coordinate, float]:
    elapsed = {}
    for plane in pixels.findall("{*}Plane"):
        scale = _UNIT_S.get(plane.get("DeltaTUnit", "s"))
        try:
            seconds = float(plane.get("DeltaT", "")) * (scale or float("nan"))
        except ValueError:
            continue
        at = tuple(_count(plane.get(f"The{axis}"), 0) for axis in "CTZ")
        elapsed[(at[0], at[1], at[2])] = seconds
    return elapsed


def _moment(started: datetime | None, elapsed_s: float | None) -> datetime | None:
    if started is None or elapsed_s is None or not 0 <= elapsed_s < 1e8:
        return started
    return started + timedelta(seconds=elapsed_s)


def _count(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) <= 9 else default
