"""An old name that still works, and the one line that says so."""

from dataclasses import dataclass
from typing import Literal

NameKind = Literal["setting", "flag", "API path", "metric", "event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """A renamed part of the public surface, met under its old name.

    `str` gives the line for log, `check` and terminal. docs/compatibility.md says how long old
    names work.

    Parameters
    ----------
    what
        Which part of the public surface the name belongs to.
    where
        The place where the old name was met; '' where the name itself says it.
    old, new
        The name as it was, and what to write instead.
    since
        The version that renamed it.

    >>> print(Deprecation(what="flag", old="--wide", new="--all", since="0.2.0"))
    flag '--wide' is deprecated since 0.2.0; write '--all'
    """

    what: NameKind
    old: str
    new: str
    since: str
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return (
            f"{place}{self.what} {self.old!r} is deprecated since {self.since}; write {self.new!r}"
        )
