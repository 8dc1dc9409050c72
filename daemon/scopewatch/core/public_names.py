"""Names under which fields of dataclasses leave the program: in JSON, CSV and the like.

Other programs read the run of a frame, well or subject as `experiment`; in code it is `run`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, Final

_NAME: Final = "public_name"
# For `field(metadata=AS_EXPERIMENT)` of what names a run beside a plate or a well.
AS_EXPERIMENT: Final = MappingProxyType({_NAME: "experiment"})


def public_name(field: Field[Any]) -> str:
    """Return the name of a field outside the program; its own unless it has another."""
    name: str = field.metadata.get(_NAME, field.name)
    return name


def public_fields(value: object) -> Iterator[tuple[str, object]]:
    """Yield public names and values of the fields of a dataclass, in their order."""
    for field in fields(value):  # type: ignore[arg-type]
        yield public_name(field), getattr(value, field.name)


def as_plain(value: object) -> object:
    """Return dataclasses as dicts by public names, also within lists, tuples and mappings."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: as_plain(within) for name, within in public_fields(value)}
    if isinstance(value, Mapping):
        return {name: as_plain(within) for name, within in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(within) for within in value]
    return value
