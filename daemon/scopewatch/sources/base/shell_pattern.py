"""Recognises shell patterns and templates where a regular expression is expected.

People write `*.tif` or `*_{well}_*.tif`. The program does not guess what that means; its error
message gives the regular expression to write instead.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

GROUP_PATTERNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "plate": r"[^_/]+",
        "well": r"[A-P]\d{1,2}",
        "row": "[A-P]",
        "column": r"\d{1,2}",
        "site": r"\d+",
        "position": r"[^_/]+",
        "time_point": r"\d+",
        "channel": r"[^_./]+",
        "channel_code": r"[^_./]+",
        "z": r"\d+",
        "days": r"\d+",
        "hours": r"\d+",
        "minutes": r"\d+",
        "seconds": r"\d+",
        "year": r"\d{4}",
        "month": r"\d{2}",
        "day": r"\d{2}",
    }
)
# Other names that people use for the groups.
_MEANT: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("time", "timepoint", "t", "frame", "index"), "time_point"),
        **dict.fromkeys(("field", "fov", "f", "s", "pos"), "site"),
        **dict.fromkeys(("wavelength", "c", "colour", "color"), "channel"),
        **dict.fromkeys(("w", "position_name"), "well"),
        **dict.fromkeys(("col",), "column"),
        **dict.fromkeys(("p",), "plate"),
    }
)
_NAME = r"[A-Za-z][A-Za-z_]*"
_TOKENS = re.compile(
    rf"(?P<group>\(\?P<{_NAME}>(?:[^()\\]|\\.|\([^()]*\))*\))"
    rf"|\{{(?P<braced>{_NAME})(?::[^{{}}]*)?\}}"
    rf"|(?<!\?P)<(?P<angled>{_NAME})>"
    r"|(?P<set>\[[^\]]+\])"
    r"|(?P<star>\*+/?)"
    r"|(?P<any>\?)"
    r"|(?P<text>.)",
    re.DOTALL,
)
_IMAGE = re.compile(r"\.(?:tiff?|png|jpe?g|czi|nd2|lif)\Z", re.IGNORECASE)
# A star or question mark that repeats nothing, or is unlikely in a regular expression.
_WILD = re.compile(r"(?:^|[/_\- ])[*?]|(?<![.)\]}\\])[*?][^\\]*\.\w+\Z")


def meant_by(pattern: str, *, anchored: bool = True) -> str | None:
    r"""Return the regular expression with the meaning of a shell pattern or template.

    None for any other pattern. Without a placeholder the result has no named group.

    Parameters
    ----------
    anchored
        The pattern is searched for, so that its end is marked; else the whole label must match.

    >>> meant_by("*_{well}_*.tif")
    '_(?P<well>[A-P]\\d{1,2})_.*\\.tif$'
    >>> meant_by("*.tif")
    '\\.tif$'
    >>> meant_by(r"_(?P<well>[A-H]\\d+)_") is None
    True
    """
    tokens = list(_TOKENS.finditer(pattern))
    placeholders = [_placeholder(each) for each in tokens]
    named = [name for name in placeholders if name in GROUP_PATTERNS]
    is_shell = _WILD.search(pattern) is not None
    if len(set(named)) < len(named) or not (named or is_shell):
        return None
    parts = [_translate(token, name) for token, name in zip(tokens, placeholders, strict=True)]
    expression = "".join(parts)
    if anchored:
        expression = expression.removeprefix(".*")
        expression += "$" if _IMAGE.search(pattern) else ""
    try:
        re.compile(expression)
    except re.error:
        return None
    return expression


def _placeholder(token: re.Match[str]) -> str | None:
    name = token["braced"] or token["angled"]
    return None if name is None else _MEANT.get(name.lower(), name.lower())


def _translate(token: re.Match[str], name: str | None) -> str:
    if name is not None and name in GROUP_PATTERNS:
        return f"(?P<{name}>{GROUP_PATTERNS[name]})"
    if token["group"] or token["set"]:
        return token[0]
    if token["star"]:
        return ".*"
    if token["any"]:
        return "."
    return re.escape(token[0])
