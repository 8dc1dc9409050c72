"""Log events that were renamed: JSON lines carry the former text for one minor version.

docs/compatibility.md lists them.
"""

from collections.abc import Mapping
from typing import Final

# The text of an event, and the one it had in the minor version before.
FORMER_EVENTS: Final[Mapping[str, str]] = {
    "OME-Zarr store is ignored: it needs a source of kind ome-zarr": (
        "OME-Zarr store is left alone: it needs a source of kind ome-zarr"
    ),
    "side file did not list an image in time": "file beside an image did not tell of it in time",
    "side file is not complete": "file beside images is not whole",
    "side file is too large, it is not read": "file beside images is too large, it is not read",
    "file was never complete, it is offered as it is": (
        "file never got whole, it is handed on as it is"
    ),
    "file was rewritten with the same pixels": "file was written anew with the same pixels",
    "files of a kind are ignored: they are never frames": (
        "files of a kind are left out: never a frame"
    ),
    "folder is watched again": "folder is watched anew",
    "frame changed since it was seen, scored again": (
        "frame changed since it was seen, scored anew"
    ),
    "image was acquired again": "image was acquired anew",
    "names of scored files are read again, since naming settings changed": (
        "names of scored files are read again, since what names them changed"
    ),
    "refusal of the model cannot be reported": "refusal of the model cannot be told",
}
