"""Translatable texts: message ids with the values of their fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Language(StrEnum):
    """A language that messages can be written in, by its code."""

    ENGLISH = "en"
    JAPANESE = "ja"


def mark(text: str) -> str:
    """Mark a text as a message id; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Phrase:
    """A message id with the values of its fields; `str` gives the English text.

    Parameters
    ----------
    text
        A marked message id.
    values
        Values of its fields; phrases among them are translated into the same language.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format_map(self.values)
