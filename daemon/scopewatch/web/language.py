"""The language of the pages: chosen by a link, set in the configuration, or the browser's wish."""

from collections.abc import Iterator
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from scopewatch.core.phrases import Language

COOKIE: Final = "scopewatch_language"
# Names of the languages, each in itself.
NAMES: Final = {Language.ENGLISH: "English", Language.JAPANESE: "日本語"}


def page_language(headers: Headers, configured: Language | None) -> Language:
    """Return the language of a page: a person's choice, then the setting, then the browser's."""
    chosen = language_of(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
    return (
        chosen
        or configured
        or accepted_language(headers.get("accept-language", ""))
        or Language.ENGLISH
    )


def language_of(code: str) -> Language | None:
    """Return the language of a code such as `ja` or `ja-JP`; None where there is none of it."""
    primary = code.strip().lower().partition("-")[0]
    return next((language for language in Language if language.value == primary), None)


def accepted_language(header: str) -> Language | None:
    """Return the language that an `Accept-Language` header likes best, of those there are.

    >>> accepted_language("fr, ja;q=0.8, en;q=0.5")
    <Language.JAPANESE: 'ja'>
    """
    liked = sorted(_wishes(header), key=lambda wish: -wish[0])
    return next((language for quality, language in liked if quality > 0), None)


def _wishes(header: str) -> Iterator[tuple[float, Language]]:
    for part in header.split(",")[:32]:
        code, _, quality = part.partition(";")
        language = language_of(code)
        if language is None:
            continue
        try:
            yield float(quality.strip().removeprefix("q=") or 1), language
        except ValueError:
            yield 0.0, language
