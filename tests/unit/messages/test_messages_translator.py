"""Every message id has a translation, and nothing is translated that nobody says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

from scopewatch.core.phrases import Language
from scopewatch.messages.translator import CATALOGUES, DOMAIN, translator

DAEMON = Path(__file__).parents[3] / "daemon/scopewatch"
OTHERS = [language for language in Language if language is not Language.ENGLISH]


def shown_in_the_code() -> Iterator[str]:
    for path in DAEMON.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in {"say", "mark"} and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value


def shown_on_the_pages() -> Iterator[str]:
    parser = Environment(trim_blocks=True, lstrip_blocks=True)
    for path in (DAEMON / "web/templates").glob("*.html"):
        for call in parser.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "say":
                first = call.args[0]
                if isinstance(first, nodes.Const):
                    yield first.value


def read_source(language: Language) -> dict[str, str]:
    """Read a .po file as we write it: one line for each text."""
    path = CATALOGUES / language.value / "LC_MESSAGES" / f"{DOMAIN}.po"
    text = path.read_text(encoding="utf-8")
    pairs = re.findall(r'^msgid (".+")\nmsgstr (".*")$', text, re.MULTILINE)
    return {
        ast.literal_eval(message_id): ast.literal_eval(translation)
        for message_id, translation in pairs
        if message_id != '""'
    }


IDS = sorted({*shown_in_the_code(), *shown_on_the_pages()})


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_there_is_something_to_translate() -> None:
    assert len(IDS) > 80


@pytest.mark.parametrize("language", OTHERS)
def test_no_message_id_lacks_a_translation_and_none_is_left_over(language: Language) -> None:
    source = read_source(language)
    assert sorted(message_id for message_id, translation in source.items() if translation) == IDS


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_says_what_its_source_says(language: Language) -> None:
    say = translator(language)
    source = read_source(language)
    assert {message_id: say(message_id) for message_id in source} == source, "run `make messages`"


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_no_other_fields_than_its_id(language: Language) -> None:
    for message_id, translation in read_source(language).items():
        assert fields(translation) == fields(message_id), message_id


def test_japanese_sentences_are_whole_and_polite() -> None:
    for message_id, translation in read_source(Language.JAPANESE).items():
        if message_id.endswith("."):
            assert re.search(
                r"(です|ます|ました|ません|ませんでした|ください|などです)。$", translation
            ), translation


def test_english_is_shown_as_it_is_written() -> None:
    assert translator(Language.ENGLISH)("Nothing to do.") == "Nothing to do."
