"""The vocabulary of faults: complete, stored as it always was, and spelled in one place."""

import ast
import pickle
from pathlib import Path

import pytest

import scopewatch
from scopewatch.core.faults import Fault
from scopewatch.core.phrases import Language
from scopewatch.messages.translator import translator

DAEMON = Path(scopewatch.__file__).parent
# Words that other vocabularies use as well: states of a run or an image, measures of a frame.
COMMON_WORDS = {"blank", "failed", "refused", "replaced", "saturated"}


def test_stored_names_of_faults_never_change() -> None:
    assert {fault.value for fault in Fault} == {
        "blank",
        "saturated",
        "out-of-focus",
        "wrong-scale",
        "wrong-shape",
        "out-of-domain",
        "unreadable",
        "failed",
        "refused",
        "duplicate",
        "contradiction",
        "replaced",
        "gap",
    }


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_its_stored_word(fault: Fault) -> None:
    assert Fault.of(fault.value) is fault is pickle.loads(pickle.dumps(fault))
    assert f"{fault}" == fault == fault.value


@pytest.mark.parametrize("word", ["", "moonstruck", "BLANK", "blank "])
def test_any_other_word_is_no_fault(word: str) -> None:
    assert Fault.of(word) is None


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("fault", Fault)
def test_a_fault_has_label_and_advice_in_every_language(fault: Fault, language: Language) -> None:
    say = translator(language)
    assert say(fault.label)
    assert say(fault.advice)[-1] in ".\u3002"
    if language is not Language.ENGLISH:
        assert say(fault.label) != fault.label
        assert say(fault.advice) != fault.advice


def test_no_two_faults_share_their_words() -> None:
    assert len({fault.label for fault in Fault}) == len(Fault)
    assert len({fault.advice for fault in Fault}) == len(Fault)


def test_no_other_module_spells_a_fault() -> None:
    words = {fault.value for fault in Fault} - COMMON_WORDS
    spelled = [
        f"{path.relative_to(DAEMON)}:{node.lineno}: {node.value}"
        for path in sorted(DAEMON.rglob("*.py"))
        if path != DAEMON / "core/faults.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in words
    ]
    assert spelled == []
