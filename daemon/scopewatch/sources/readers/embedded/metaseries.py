"""MetaSeries XML, which MetaXpress and MetaMorph write as the description of each page.

Tested with MetaXpress 6.7 (ImageXpress Micro). Times are local to the microscope, without a zone.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from scopewatch.sources.base.address import named
from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.base.wells import spell_well
from scopewatch.sources.readers.pixel_size import calibrated_um
from scopewatch.sources.readers.safe_xml import XmlError, parse_xml

WHO = "MetaSeries XML"
_SITE_OF_WELL = re.compile(r"([A-Z]{1,2}\d{1,2}) ?: ?Site (\d{1,9})")
_PLATE = re.compile(r"^Plate Name: (.+)$", re.MULTILINE)
_COPIED = "Copy of "


def is_metaseries(text: str) -> bool:
    """Return whether an image description is MetaSeries XML."""
    return text.lstrip().startswith("<MetaData") and "<prop " in text


def metaseries_facts(text: str) -> PlaneFacts:
    """Return the facts in the description of a page; `NOTHING` where it is damaged."""
    try:
        root = parse_xml(text)
    except XmlError:
        # The pixels may be fine without it.
        return NOTHING
    props = {
        element.get("id", ""): element.get("value", "")
        for element in root.iter()
        if element.tag in ("prop", "custom-prop")
    }
    well = _SITE_OF_WELL.fullmatch(props.get("stage-label", "").strip())
    plate = _PLATE.search(props.get("Description", ""))
    time_point = _whole(props.get("Timepoint"))
    z = _whole(props.get("Z Step"))
    return PlaneFacts(
        plate=plate[1].strip() if plate else None,
        well=spell_well(well[1]) if well else None,
        site=int(well[2]) if well else None,
        position=None if well else named(props.get("stage-label")),
        time_point=time_point - 1 if time_point else None,
        z=z,
        first_z=None if z is None else 1,
        projection=named(props.get("Z Projection Method")),
        channel=_channel(props),
        pixel_size_um=_size_um(props),
        wall_time=_wall_time(props.get("acquisition-time-local", "")),
    )


def _size_um(props: Mapping[str, str]) -> float | None:
    if props.get("spatial-calibration-state") != "on":
        return None
    return calibrated_um(
        props.get("spatial-calibration-x"), props.get("spatial-calibration-units", "")
    )


def _channel(props: Mapping[str, str]) -> str | None:
    """Return the name of the wavelength: the image's own, where two share an illumination."""
    illumination = named(props.get("_IllumSetting_"))
    image = props.get("image-name", "").removeprefix(_COPIED).strip()
    return image if illumination and image.startswith(illumination) else illumination


def _wall_time(text: str) -> datetime | None:
    for layout in ("%Y%m%d %H:%M:%S.%f", "%Y%m%d %H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), layout)  # noqa: DTZ007 - without a zone
        except ValueError:
            continue
    return None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= 9 else None
