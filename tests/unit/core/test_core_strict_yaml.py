"""YAML that would make objects, or fill the memory, is refused with a reason."""

from pathlib import Path

import pytest

from scopewatch.config import load_config
from scopewatch.core import strict_yaml
from scopewatch.core.errors import ConfigError, ModelError
from scopewatch.core.strict_yaml import parse_yaml
from scopewatch.inference.bundle import parse_card

LEVELS = range(1, 30)
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in LEVELS)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in LEVELS
)


def test_plain_values_lists_and_a_few_aliases_are_read() -> None:
    assert parse_yaml("a: &x [1, 2.5, yes]\nb: *x\n") == {"a": [1, 2.5, True], "b": [1, 2.5, True]}


@pytest.fixture(params=["C", "Python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by the library in C, and as where PyYAML was built without it."""
    if request.param == "Python":
        monkeypatch.setattr(strict_yaml, "_FastLoader", None)
    elif strict_yaml._FastLoader is None:
        pytest.skip("PyYAML was built without libyaml")


def test_a_complaint_shows_the_line_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"line 2, column 5:\n    b: c: d\n        \^"):
        parse_yaml("a: 1\nb: c: d\n")


@pytest.mark.parametrize("text", ["[" * 50 + "]" * 50, "a: &a x\nb: [" + "*a, " * 100 + "]"])
def test_the_bounds_are_inclusive(text: str) -> None:
    assert parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
        (MERGES, "merge keys"),
        ("a: &a x\nb: [" + "*a, " * 101 + "]", "more than 100 aliases"),
        ("[" * 51 + "]" * 51, "nested more than 50 deep"),
        ("[" * 50 + "x" + "]" * 50, "nested more than 50 deep"),
        ("[" * 100_000, "deep"),
        ("{a: 1, a: 2}", "key 'a' is used twice"),
        ("a: 2026-99-99", "a value is not of its type"),
        ("!!timestamp x", "a value is not of its type"),
        ("!!int x", "a value is not of its type"),
        ("a: " + "9" * 5000, "a value is not of its type"),
    ],
)
def test_what_is_not_plain_yaml_of_bounded_depth_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_yaml(text)


def test_a_card_of_aliases_is_not_written_out_in_its_complaint() -> None:
    with pytest.raises(ModelError) as caught:
        parse_card(f"{LAUGHS}schema_version: *a29\n".encode(), Path("card.yaml"))
    assert len(str(caught.value)) < 1000


def test_many_keys_are_compared_in_one_pass() -> None:
    assert len(parse_yaml("".join(f"k{n}: 0\n" for n in range(5000)))) == 5000


def test_the_first_hundred_problems_of_a_configuration_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("".join(f"k{n}: 0\n" for n in range(300)), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "and 203 problems more"
