"""File names from names that people and files gave: readable, unique, and never a way out.

Runs, plates and wells are named by operators and by files on a share; `../..`, `a/b`,
newlines, `CON` or 300 letters must not lead anywhere but into our own folder.
"""

import hashlib
import re
import unicodedata
from typing import Final

LONGEST: Final = 80

_UNSAFE = re.compile(r"[^\w. -]+")
_HASHED = re.compile(r".*-[0-9a-f]{8}")
# Windows opens devices by these names, whatever the ending.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Turn any text into one part of a path that works on Linux, macOS and Windows.

    A name that is fit already stays as it is. Any other is cleaned and given eight hex digits
    of its hash, so that two names never become one.

    >>> safe_name("HES-NKX2.5 run 7"), safe_name("a/b")
    ('HES-NKX2.5 run 7', 'a_b-c14cddc0')
    """
    clean = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    special = _DEVICES.fullmatch(name) or _HASHED.fullmatch(name)
    if name and clean == name and len(name.encode()) <= LONGEST and not special:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    short = clean.encode("utf-8", "ignore")[: LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}-{digest}"
