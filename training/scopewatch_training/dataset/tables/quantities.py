"""Days and pixel sizes as people write them: `Day 7`, `d7`, `7 d`, `0,65 µm`, `0.65 um/px`."""

import re
from typing import Final

from scopewatch_training.dataset.tables.spreadsheet import parse_decimal

_NUMBER: Final = r"([0-9]+(?:[.,][0-9]+)?)"
_DAY: Final = re.compile(rf"(?i)(?:day|d)[\s_.-]*{_NUMBER}|{_NUMBER}\s*(?:days?|d)")
_UM: Final = re.compile(rf"(?i){_NUMBER}\s*[uµμ]m(?:\s*/\s*(?:px|pixel))?")
_HOURS: Final = re.compile(rf"(?i){_NUMBER}\s*(?:h|hrs?|hours?)")
_DATE: Final = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}(?:[ T].*)?")


def parse_day(text: str) -> float | None:
    """Read a day with or without its word; None where it is none."""
    match = _DAY.fullmatch(text)
    return parse_decimal(text if match is None else match[1] or match[2])


def parse_um(text: str) -> float | None:
    """Read a length in micrometres with or without its unit; None where it is none."""
    match = _UM.fullmatch(text)
    return parse_decimal(text if match is None else match[1])


def day_advice(text: str) -> str:
    """Return what to do about a day that cannot be read."""
    if _DATE.fullmatch(text):
        return "write days since the differentiation began, as 7 or 9.5, not the date"
    if _HOURS.fullmatch(text):
        return "write days since the differentiation began, as 7 or 9.5, not hours"
    return "write a number, as 7, 9.5 or Day 7, or leave it empty where it is unknown"


def um_advice(text: str) -> str:
    """Return what to do about a pixel size that cannot be read."""
    if text.strip().endswith("%"):
        return "write micrometres, as 0.65, not a percentage"
    return "write micrometres, as 0.65, 0,65 or 0.65 um, or leave it empty where it is unknown"
