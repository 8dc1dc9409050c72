"""The statements about one plane, in their order of trust, and what was taken from whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scopewatch.sources.base.facts import Origin, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedValue:
    """A fact of a frame as text, and who said so."""

    value: str
    origin: Origin
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A fact on which two witnesses differ: what is taken, and what the other says."""

    fact: str
    taken: StatedValue
    other: StatedValue

    def __str__(self) -> str:
        mine, theirs = self.taken, self.other
        return (
            f"{self.fact}: {mine.by} says {mine.value}, {theirs.by} says {theirs.value};"
            f" {mine.value} is taken"
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A value, and the statement that holds it."""

    value: Any
    statement: Statement


def stated_value(value: object, statement: Statement) -> StatedValue:
    """Note a fact and its witness."""
    return StatedValue(value=str(value), origin=statement.origin, by=statement.by)


class Evidence:
    """What is said of one plane; collects what was taken and where two witnesses differ.

    Attributes
    ----------
    ordered
        The statements, the most trusted first; within one origin in the order they were given.
    accepted
        Who said what was taken, by fact.
    contradictions
        On which facts two witnesses differ.
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.ordered = sorted(statements, key=lambda statement: statement.origin)
        self.accepted: dict[str, StatedValue] = {}
        self.contradictions: list[Contradiction] = []

    def claims(self, name: str) -> list[Claim]:
        """Return every value of a fact, the most trusted first."""
        return [
            Claim(value, statement)
            for statement in self.ordered
            if (value := getattr(statement.facts, name)) is not None
        ]

    def take(self, name: str) -> Any:
        """Return the most trusted value of a fact and note who said so; None where nobody does."""
        first = next(iter(self.claims(name)), None)
        if first is None:
            return None
        self.accepted[name] = stated_value(first.value, first.statement)
        return first.value

    def contradict(
        self, name: str, taken: tuple[object, Statement], other: tuple[object, Statement]
    ) -> None:
        """Note that two witnesses differ, and which one is believed."""
        self.contradictions.append(
            Contradiction(fact=name, taken=stated_value(*taken), other=stated_value(*other))
        )
