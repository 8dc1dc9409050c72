"""What the ledger's verdicts were made under: settings of the source, and the model.

A refusal belongs to what it was made under, and so does a frame that was quarantined or skipped:
when that changes, it is tried again. A result stays; but where the settings changed that name
frames, its file's name is read again, so that a result under a wrong name is reported.

Each row holds `names/reading/model`:

names    the settings that decide whose frame a file is
reading  those that decide how it is read, among them the names
model    the model with its card
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

AGAIN = "again"
"""In place of the three where a person wants a thing tried again: nothing is judged so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """Fingerprints of a source's settings; texts without `/`."""

    names: str
    reading: str


_UNKNOWN = SourceSettings(names="-", reading="-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What is judged under now.

    Parameters
    ----------
    sources
        The settings of each source by its name.
    model
        Fingerprint of the model with its card.
    """

    sources: Mapping[str, SourceSettings] = field(default_factory=lambda: MappingProxyType({}))
    model: str = "-"

    def under(self, source: str) -> str:
        """Return what a frame of a source is judged under now."""
        settings = self.sources.get(source, _UNKNOWN)
        return f"{settings.names}/{settings.reading}/{self.model}"

    @property
    def current(self) -> frozenset[str]:
        """What frames are judged under now, of whichever source."""
        return frozenset({self.under(source) for source in (*self.sources, "")})

    def judges_alike(self, source: str, judged_under: str) -> bool:
        """Return whether a frame would be judged as it was: by the same settings and model."""
        return judged_under == self.under(source)

    def reads_alike(self, source: str, judged_under: str) -> bool:
        """Return whether a file would be read as it was, whatever the model."""
        return _parts(judged_under)[:2] == _parts(self.under(source))[:2]

    def names_alike(self, source: str, judged_under: str) -> bool:
        """Return whether a file would be given the key that it was given."""
        return _parts(judged_under)[0] == _parts(self.under(source))[0]

    def named_again(self, source: str, judged_under: str) -> str:
        """Return what a result was made under, whose name was read again as it was."""
        names = _parts(self.under(source))[0]
        return "/".join((names, *_parts(judged_under)[1:]))


def _parts(judged_under: str) -> list[str]:
    """Return names, reading and model; of rows before there were any, three that match nothing."""
    parts = judged_under.split("/")
    return parts if len(parts) == 3 else ["", "", ""]
