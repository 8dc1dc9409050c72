"""Keeps messages of libtiff, with which Pillow decodes compressed TIFFs, off standard error.

It writes one for each tag that it dislikes, such as `Bad value 5 for "ResolutionUnit" tag`, which
files of tifffile and ome-writers have in each directory. Pillow has no option for it. Pillow still
raises an error where the pixels do not decode.
"""

import ctypes
from functools import cache
from pathlib import Path

_LOADED = Path("/proc/self/maps")


@cache
def silence_libtiff() -> int:
    """Remove the message handlers of each libtiff that the process has loaded, once.

    Returns
    -------
    Number of libraries: 0 where the system does not list the loaded ones (not Linux), or Pillow has
    libtiff built in. Then messages go to standard error as before.
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
