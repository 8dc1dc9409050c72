"""The languages of messages: gettext catalogues that come with scopewatch.

A message id is the English text itself, so that a missing translation shows English. The sources
are `languages/*/LC_MESSAGES/scopewatch.po`; `make messages` compiles them, and a test holds that
none lacks a translation and that both files agree.
"""

import gettext
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from scopewatch.core.phrases import Language, Phrase

DOMAIN: Final = "scopewatch"
CATALOGUES: Final = Path(__file__).parent / "languages"

Say = Callable[[str], str]


@lru_cache
def translator(language: Language) -> Say:
    """Return the function that translates a message id into that language."""
    if language is Language.ENGLISH:
        return _as_it_is
    found = gettext.translation(DOMAIN, CATALOGUES, languages=[language.value])
    return found.gettext


def say_phrase(phrase: Phrase, language: Language) -> str:
    """Return a phrase in a language, with the phrases among its values in the same one."""
    values = {
        name: say_phrase(value, language) if isinstance(value, Phrase) else value
        for name, value in phrase.values.items()
    }
    return translator(language)(phrase.text).format_map(values)


def _as_it_is(text: str) -> str:
    return text
