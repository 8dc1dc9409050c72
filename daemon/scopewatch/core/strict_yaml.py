"""Bounded YAML of files that people write: no tags that make objects, no unbounded expansion.

PyYAML's safe loader makes no objects, but a few hundred bytes of aliases or merge keys can stand
for gigabytes, its errors are of a dozen types, and a duplicate key passes unnoticed.
"""

from collections.abc import Hashable
from contextlib import suppress
from typing import Any, Final

import yaml

MOST_DEPTH: Final = 50
MOST_ALIASES: Final = 100
# What PyYAML raises on `!!int x`, `2026-99-99`, and numbers of thousands of digits.
_MISFITS: Final = (ValueError, AttributeError, TypeError, LookupError, ArithmeticError)


def parse_yaml(text: str | bytes) -> Any:
    """Parse one document.

    Raises
    ------
    ValueError
        With what is wrong and where, for anything but plain YAML of bounded depth.
    """
    # The C library reads a card in a twentieth of the time. What it does not read, the loader in
    # Python refuses with the line it concerns.
    if _FastLoader is not None:
        with suppress(yaml.YAMLError, RecursionError, *_MISFITS):
            _check_bounds(text)
            return yaml.load(text, Loader=_FastLoader)  # noqa: S506 - safe, made stricter
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, made stricter
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("too deeply nested") from error
    except _MISFITS as error:
        raise ValueError(f"a value is not of its type: {error}") from error


def _check_bounds(text: str | bytes) -> None:
    """Raise ValueError where `_Loader` would count too many aliases or levels."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            aliases += isinstance(event, yaml.AliasEvent)
            if aliases > MOST_ALIASES or depth >= MOST_DEPTH:
                raise ValueError("out of bounds")
            depth += isinstance(event, yaml.CollectionStartEvent)


class _Strict(yaml.constructor.SafeConstructor):
    """Refuses merge keys and keys that are used twice."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        # Each level of merges can double what the one below holds.
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not understood", key.start_mark
                )
        super().flatten_mapping(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} is used twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Loader(_Strict, yaml.SafeLoader):
    def __init__(self, stream: str | bytes) -> None:
        super().__init__(stream)
        self._depth = 0
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML
        if isinstance(event, yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MOST_ALIASES:
                raise yaml.composer.ComposerError(
                    None, None, f"more than {MOST_ALIASES} aliases", self.get_mark()
                )
        self._depth += 1
        try:
            if self._depth > MOST_DEPTH:
                raise yaml.composer.ComposerError(
                    None, None, f"nested more than {MOST_DEPTH} deep", self.get_mark()
                )
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _make_fast_loader() -> "type[yaml.CSafeLoader] | None":
    """Return the loader in C; None where PyYAML was built without it."""
    if not yaml.__with_libyaml__:
        return None

    class FastLoader(_Strict, yaml.CSafeLoader):
        pass

    return FastLoader


_FastLoader: Final = _make_fast_loader()
