"""Files that the index of an NDTiff data set names and that hold no pixels."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from scopewatch.core.errors import complaint
from scopewatch.sources.ndtiff.sighting import Sighting


class MissingFiles:
    """Reports once each file of the index that stays missing or empty.

    Parameters
    ----------
    patience_s
        How long the index may name a missing file before that is reported.

    Attributes
    ----------
    reported
        Names of the files that were reported.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since_s: dict[str, float] = {}
        self.reported: set[str] = set()

    def report(
        self, indexed: Iterable[str], files: Mapping[str, int], folder: str, now_s: float
    ) -> Iterator[Sighting]:
        """Yield files that have been missing for long enough.

        Parameters
        ----------
        indexed
            For each image of the index without pixels, the name of its file.
        files
            Sizes in bytes of the files that exist, by name.
        """
        absent = Counter(name for name in indexed if files.get(name, 0) == 0)
        for name in list(self._since_s):
            if name not in absent:
                del self._since_s[name]
        for name, images in absent.items():
            since_s = self._since_s.setdefault(name, now_s)
            if now_s - since_s >= self._patience_s and name not in self.reported:
                self.reported.add(name)
                how = "empty" if name in files else "missing"
                yield Sighting(
                    name=name,
                    axes={},
                    summary={},
                    image=None,
                    reason=complaint(
                        "images of the index have no pixels",
                        where=folder,
                        expected=f"{images} images in {name}",
                        got=f"a file that is {how}",
                        do="copy the whole data set",
                    ),
                )
