"""OME-XML of an acquisition without a planned end, while it runs.

ome-writers 0.3 declares one time point in it, and appends the planes of one time point after the
other, since its only unbounded axis is the outermost. At close only the image of the first position
gets the number of time points; for the others it follows from the `Plane` elements, where the
frames came with metadata. The document names no creator.
"""

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.facts import Statement
from scopewatch.sources.readers.ome.files import Block
from scopewatch.sources.readers.ome.plates import number_of


def planes_of_endless(root: Xml.Element, blocks: list[Block]) -> int:
    """Return the number of planes of a time point, where more may follow; 0 where not.

    Parameters
    ----------
    blocks
        Blocks of the file.
    """
    if root.get("Creator") is not None or len(blocks) != 1:
        return 0
    (block,) = blocks
    pixels = root.findall("{*}Image")[block.image].find("{*}Pixels")
    whole = block.page == 0 and not any(block.first.values())
    if pixels is None or not whole or pixels.find("{*}Plane") is not None:
        return 0
    sizes = declared_sizes(pixels)
    order = pixels.get("DimensionOrder", "")
    # Axes that the acquisition lacks come last: of Z and T, the outer one must be T.
    outermost = sizes["Z"] > 1 or 0 < order.find("T") < order.find("Z")
    if sizes["T"] != 1 or not outermost or (sizes["Z"] > 1 and not order.endswith("T")):
        return 0
    planes = sizes["C"] * sizes["Z"]
    return planes if block.planes == planes else 0


def declared_sizes(pixels: Xml.Element) -> dict[str, int]:
    """Return the numbers of planes along C, T and Z that an image declares."""
    return {axis: max(1, number_of(pixels.get(f"Size{axis}")) or 1) for axis in "CTZ"}


def with_later_planes(pixels: Xml.Element, blocks: list[Block]) -> tuple[int, list[Block]]:
    """Return the number of time points of an image by its planes, and blocks with all of them."""
    sizes = declared_sizes(pixels)
    last = max((number_of(each.get("TheT")) or 0 for each in pixels.findall("{*}Plane")), default=0)
    if last < sizes["T"]:
        return sizes["T"], blocks
    declared = sizes["C"] * sizes["T"] * sizes["Z"]
    longer = [replace(each, planes=None) if each.planes == declared else each for each in blocks]
    return (last + 1, longer) if longer != blocks else (sizes["T"], blocks)


def later_by(time_points: int) -> Callable[[Statement], Statement]:
    """Return a function that moves a statement about the first time point to a later one."""

    def later(statement: Statement) -> Statement:
        facts = statement.facts
        return replace(
            statement,
            facts=replace(
                facts,
                time_point=time_points,
                acquired_at=None,
                wall_time=None,
                since_wall_s=None,
                elapsed_s=None,
                series_began=facts.acquired_at or facts.wall_time,
                series_index=time_points,
            ),
        )

    return later
