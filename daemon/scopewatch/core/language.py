"""The languages of messages: gettext catalogues that come with scopewatch.

A message id is the English text itself, so that a missing translation shows English. The sources
are `languages/*/LC_MESSAGES/scopewatch.po`; `make messages` compiles them, and a test holds that
none lacks a translation and that both files agree.
"""

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "scopewatch"
CATALOGUES: Final = Path(__file__).parent / "languages"

Say = Callable[[str], str]


class Language(StrEnum):
    """A language that messages can be written in, by its code."""

    ENGLISH = "en"
    JAPANESE = "ja"


@lru_cache
def speak(language: Language) -> Say:
    """Return what turns a message id into that language."""
    if language is Language.ENGLISH:
        return _as_it_is
    found = gettext.translation(DOMAIN, CATALOGUES, languages=[language.value])
    return found.gettext


def mark(text: str) -> str:
    """Mark a text as a message id where it stands; it is translated where it is shown."""
    return text


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Phrase:
    """A message id with the values of its fields, to be said in the reader's language.

    Parameters
    ----------
    text
        A marked message id.
    values
        What stands in its fields; phrases among them are said in the same language.
    """

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def said(self, language: Language) -> str:
        """Return it in a language."""
        values = {
            name: value.said(language) if isinstance(value, Phrase) else value
            for name, value in self.values.items()
        }
        return speak(language)(self.text).format_map(values)

    def __str__(self) -> str:
        return self.said(Language.ENGLISH)
