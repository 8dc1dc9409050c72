"""XML of Gen5 (BioTek, Agilent) in the image description of Cytation and Lionheart.

Uses the elements that the BioTek reader of bioformats2raw reads; not tested with real files. Times
are local to the microscope, without a zone.
"""

from datetime import datetime
from xml.etree import ElementTree as Xml

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import XmlError, parse_xml

WHO = "Gen5 XML"


def is_biotek(text: str) -> bool:
    """Return whether an image description was written by Gen5."""
    return "BTIImageMetaData" in text


def biotek_facts(text: str, width_px: int) -> PlaneFacts:
    """Return the facts in the description of an image; `NOTHING` where it is damaged.

    Parameters
    ----------
    width_px
        Width of the image: the XML gives the width of the whole in micrometres.
    """
    try:
        root = parse_xml(text)
    except XmlError:
        return NOTHING
    width_um = calibrated_um(_text(root, "ImageWidthMicrons"))
    return PlaneFacts(
        plate=named(_text(root, "Plate")),
        pixel_size_um=width_um / width_px if width_um is not None and width_px > 0 else None,
        wall_time=_wall_time(f"{_text(root, 'Date')} {_text(root, 'Time')}"),
    )


def _text(root: Xml.Element, name: str) -> str | None:
    return root.findtext(f".//{{*}}{name}")


def _wall_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%m/%d/%y %H:%M:%S")  # noqa: DTZ007 - without a zone
    except ValueError:
        return None
