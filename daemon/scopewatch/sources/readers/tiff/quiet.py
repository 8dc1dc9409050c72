"""Keeps messages of libtiff, by which Pillow decodes compressed TIFFs, off standard error.

It writes one for each tag that it does not like, `Bad value 5 for "ResolutionUnit" tag` say, which
files of tifffile and ome-writers hold in each directory. Pillow offers no switch. What does not
decode is raised by Pillow all the same.
"""

import ctypes
from functools import cache
from pathlib import Path

_LOADED = Path("/proc/self/maps")


@cache
def silence_libtiff() -> int:
    """Take the message handlers out of each libtiff that the process has loaded, once.

    Returns
    -------
    Of how many libraries: 0 where the system does not tell which are loaded (not Linux), or Pillow
    has libtiff built in. Then messages go to standard error as before.
    """
    try:
        lines = _LOADED.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    fields = [line.split(maxsplit=5) for line in lines]
    paths = {each[5] for each in fields if len(each) == 6 and "libtiff" in Path(each[5]).name}
    return sum(_take_handlers_out(path) for path in sorted(paths))


def _take_handlers_out(path: str) -> bool:
    try:
        library = ctypes.CDLL(path)
        setters = library.TIFFSetErrorHandler, library.TIFFSetWarningHandler
    except (OSError, AttributeError):
        return False  # removed since by an upgrade, or another library of that name
    for setter in setters:
        setter.restype, setter.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
        setter(None)
    return True
