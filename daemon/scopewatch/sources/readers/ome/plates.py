"""Place of each image of an OME-XML on a plate: its `Plate`, `Well` and `WellSample`.

The schema (OME 2016-06) counts rows and columns from 0. Some programs count from 1 and also write
the well in words (`Well:A01`): both are kept, and the words rank first. If rows or columns lie
outside the plate, they do not count from 0, and all numbers of that plate are ignored.
"""

import re
from dataclasses import dataclass
from xml.etree import ElementTree as Xml

from scopewatch.core.well_name import well_at
from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts, Statement
from scopewatch.sources.base.wells import spell_well

# A1, A01, A_1, AF48 of a plate of 1536 wells.
_WELL = r"(?P<row>A[A-F]|[A-P])[ _-]?0*(?P<column>[1-9]\d?)"
# Most rows or columns of a plate (3456 wells).
_LARGEST = 72
_WORD = re.compile(rf"(?:well[\s:_-]*)?{_WELL}", re.IGNORECASE)
_WITHIN = re.compile(rf"\bwell[\s:_-]*{_WELL}(?![0-9A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatePlace:
    """Place of an image on a plate.

    Parameters
    ----------
    words, numbers
        The well by the name of its element, and by its row and column.
    site
        Number of the image among the samples of the well, from 0.
    index
        Number of the only sample of the plate: it distinguishes files of one image, no more.
    """

    plate: str | None
    words: str | None
    numbers: str | None
    site: int | None = None
    index: int | None = None

    def statements(self) -> tuple[Statement, ...]:
        """Return the statements about the place, in the order of trust."""
        parts = (
            (Origin.SET, "OME-XML", PlaneFacts(plate=self.plate, well=self.words, site=self.site)),
            (Origin.SET, "OME-XML rows and columns", PlaneFacts(well=self.numbers)),
            # Each file of a plate may number its only sample from 0: the file name ranks before it.
            (Origin.TAG, "OME-XML sample index", PlaneFacts(site=self.index)),
        )
        return tuple(
            Statement(origin=origin, by=by, facts=facts)
            for origin, by, facts in parts
            if facts != NOTHING
        )


def well_in_words(text: object) -> str | None:
    """Return the well in a text that is only the name of a well, `A01` or `Well:A01`."""
    match = _WORD.fullmatch(text.strip()) if isinstance(text, str) else None
    return _spelt(match)


def well_within(text: object) -> str | None:
    """Return the well that is named as one within a text: `Well A01, Field 3`."""
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
    """Return the well in the texts of its element; an ID may be `Well:A01`, or a mere key."""
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
    """Return whether the columns carry the letters.

    The naming conventions are not enough: an example in the documentation of the standard has a
    plate of 8 x 12 with numbered rows and lettered columns, and no such plate is made.
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
    """Return a count from 0; None where there is none, or it is implausible."""
    return int(text) if text is not None and text.isdecimal() and len(text) <= 9 else None


def _spelt(match: re.Match[str] | None) -> str | None:
    return spell_well(f"{match['row']}{match['column']}".upper()) if match is not None else None
