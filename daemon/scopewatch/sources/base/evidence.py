"""Statements about one plane in their order of trust, and which value was accepted from whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scopewatch.sources.base.facts import Origin, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedValue:
    """Value of a fact as text, with the origin and the name of its witness."""

    value: str
    origin: Origin
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A fact on which two statements differ: the accepted value, and the other one."""

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
    """A value of one fact, and the statement that holds it."""

    value: Any
    statement: Statement


def stated_value(value: object, statement: Statement) -> StatedValue:
    """Return a value with the origin and witness of its statement."""
    return StatedValue(value=str(value), origin=statement.origin, by=statement.by)


class Evidence:
    """Statements about one plane; collects accepted values and contradictions.

    Attributes
    ----------
    ordered
        The statements, the most trusted first; statements of one origin in the given order.
    accepted
        The accepted values, by fact.
    contradictions
        Facts on which two statements differ.
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.ordered = sorted(statements, key=lambda statement: statement.origin)
        self.accepted: dict[str, StatedValue] = {}
        self.contradictions: list[Contradiction] = []

    def claims(self, name: str) -> list[Claim]:
        """Return all values of a fact, the most trusted first."""
        return [
            Claim(value, statement)
            for statement in self.ordered
            if (value := getattr(statement.facts, name)) is not None
        ]

    def take(self, name: str) -> Any:
        """Return the most trusted value of a fact and record it as accepted; None without any."""
        first = next(iter(self.claims(name)), None)
        if first is None:
            return None
        self.accepted[name] = stated_value(first.value, first.statement)
        return first.value

    def contradict(
        self, name: str, taken: tuple[object, Statement], other: tuple[object, Statement]
    ) -> None:
        """Record that two statements differ, and which value is accepted."""
        self.contradictions.append(
            Contradiction(fact=name, taken=stated_value(*taken), other=stated_value(*other))
        )
