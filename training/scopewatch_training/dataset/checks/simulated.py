"""Whether pictures are simulated, by the marks that the simulator leaves.

Marks are a file `SIMULATED.txt` in a folder above a picture, and a tag in each TIFF. A picture that
another program saved again elsewhere has neither, and its pixels do not show it: `prepare` has an
option that states it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import tifffile

from scopewatch.sources.readers.decode import DECODE_FAULTS
from scopewatch.sources.readers.image_file import TIFF_SUFFIXES
from scopewatch_training.dataset.manifest import PairRow

SIMULATED_FILE: Final = "SIMULATED.txt"
SIMULATED_WORDS: Final = "simulated image"
"""Words of the tag `Software` of every TIFF that the simulator writes."""


def is_simulated(rows: Iterable[PairRow]) -> bool:
    """Whether any picture of some pairs carries a mark of the simulator.

    The tag is looked for in the first pair of each run: a run comes from one source.
    """
    pairs = list(rows)
    folders = {ref.path.absolute().parent for row in pairs for ref in row.pictures}
    above = {place for folder in folders for place in (folder, *folder.parents)}
    if any((place / SIMULATED_FILE).is_file() for place in above):
        return True
    first = {row.run: row for row in reversed(pairs)}
    return any(_is_tagged(ref.path) for row in first.values() for ref in row.pictures)


def _is_tagged(path: Path) -> bool:
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return False
    try:
        with tifffile.TiffFile(path) as file:
            tag = file.pages.first.tags.get("Software")
    except DECODE_FAULTS:
        # A damaged picture is refused with its reason when it is read.
        return False
    return tag is not None and SIMULATED_WORDS in str(tag.value)
