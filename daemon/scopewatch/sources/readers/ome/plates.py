"""Where on a plate each image of an OME-XML was taken: its `Plate`, `Well` and `WellSample`.

The schema (OME 2016-06) counts rows and columns from 0. Some programs count them from 1 and write
the well in words beside it (`Well:A01`): both are kept, and the words are trusted first. Rows or
columns that lie outside the plate are not counted from 0, and none of that plate is believed.
"""

import re
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.address import named, spell_well, well_at
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement

# A1, A01, A_1, AF48 of a plate of 1536 wells.
_WELL = r"(?P<row>A[A-F]|[A-P])[ _-]?0*(?P<column>[1-9]\d?)"
# Rows or columns of the largest plate that is made (3456 wells).
_LARGEST = 72
_WORD = re.compile(rf"(?:well[\s:_-]*)?{_WELL}", re.IGNORECASE)
_WITHIN = re.compile(rf"\bwell[\s:_-]*{_WELL}(?![0-9A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatePlace:
    """Where an image lies on a plate.

    Parameters
    ----------
    words, numbers
        The well as its element names it, and as its row and column give it.
    site
        Its place among the samples of the well, from 0.
    index
        The number of the only sample of the plate: it tells files of one image apart, not more.
    """

    plate: str | None
    words: str | None
    numbers: str | None
    site: int | None = None
    index: int | None = None

    def statements(self) -> tuple[Statement, ...]:
        """Return what is said of the place, in the order of trust."""
        parts = (
            (Origin.SET, "OME-XML", PlaneFacts(plate=self.plate, well=self.words, site=self.site)),
            (Origin.SET, "OME-XML rows and columns", PlaneFacts(well=self.numbers)),
            # Each file of a plate may count its only sample anew: the name knows better.
            (Origin.TAG, "OME-XML sample index", PlaneFacts(site=self.index)),
        )
        return tuple(
            Statement(origin=origin, by=by, facts=facts)
            for origin, by, facts in parts
            if facts != NOTHING
        )


def well_in_words(text: object) -> str | None:
    """Read a text that is the name of a well, `A01` or `Well:A01`, and nothing else."""
    match = _WORD.fullmatch(text.strip()) if isinstance(text, str) else None
    return _spelt(match)


def well_within(text: object) -> str | None:
    """Find a well that is called one within a text: `Well A01, Field 3`."""
    return _spelt(_WITHIN.search(text)) if isinstance(text, str) else None


def read_plates(root: Xml.Element) -> dict[str, PlatePlace]:
    """Return the place of each image that a plate refers to, by the ID of the image."""
    places: dict[str, PlatePlace] = {}
    for plate in root.findall("{*}Plate"):
        wells = plate.findall("{*}Well")
        trusted = _counts_from_0(plate, wells)
        samples = [_samples(well) for well in wells]
        alone = sum(map(len, samples)) == 1
        for well, of_well in zip(wells, samples, strict=True):
            for site, (index, image) in enumerate(of_well):
                places[image] = PlatePlace(
                    plate=named(plate.get("Name")) or plate.get("ID"),
                    words=_words(well),
                    numbers=_numbers(plate, well) if trusted else None,
                    site=None if alone else site,
                    index=index if alone else None,
                )
    return places


def _samples(well: Xml.Element) -> list[tuple[int | None, str]]:
    """Return (index, ID of the image) of the samples in their order."""
    samples = [
        (number_of(sample.get("Index")), reference.get("ID", ""))
        for sample in well.findall("{*}WellSample")
        for reference in sample.findall("{*}ImageRef")
    ]
    indexes = [index for index, _ in samples if index is not None]
    if len(set(indexes)) == len(samples):
        samples.sort(key=lambda sample: sample[0] or 0)
    return samples


def _words(well: Xml.Element) -> str | None:
    """Return the well as its element says it in words; an ID may be `Well:A01`, or a mere key."""
    texts = (
        well.get("ExternalIdentifier"),
        well.get("ExternalDescription"),
        (well.get("ID") or "").rpartition(":")[2],
    )
    return next((word for text in texts if (word := well_in_words(text)) is not None), None)


def _numbers(plate: Xml.Element, well: Xml.Element) -> str | None:
    row, column = number_of(well.get("Row")), number_of(well.get("Column"))
    if row is None or column is None or max(row, column) >= _LARGEST:
        return None
    return well_at(column, row) if _on_its_side(plate) else well_at(row, column)


def _on_its_side(plate: Xml.Element) -> bool:
    """Tell whether the columns carry the letters.

    The conventions alone do not say so: an example of the standard's own documents gives a plate of
    8 x 12 numbered rows and lettered columns, and no such plate is made.
    """
    swapped = (
        plate.get("RowNamingConvention") == "number"
        and plate.get("ColumnNamingConvention") == "letter"
    )
    rows, columns = number_of(plate.get("Rows")), number_of(plate.get("Columns"))
    return swapped and (rows is None or columns is None or rows > columns)


def _counts_from_0(plate: Xml.Element, wells: list[Xml.Element]) -> bool:
    for size, at in (("Rows", "Row"), ("Columns", "Column")):
        limit = number_of(plate.get(size))
        if limit and any((number_of(well.get(at)) or 0) >= limit for well in wells):
            return False
    return True


def number_of(text: str | None) -> int | None:
    """Read a count from 0; None where there is none, or it is beyond belief."""
    return int(text) if text is not None and text.isdecimal() and len(text) <= 9 else None


def _spelt(match: re.Match[str] | None) -> str | None:
    return spell_well(f"{match['row']}{match['column']}".upper()) if match is not None else None
