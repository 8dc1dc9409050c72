"""At which time points something holds for a position. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Time points at which something holds for a position: from `since` to before `until`.

    `until` is None where it holds for good.
    """

    position: str
    since: int
    until: int | None = None

    def covers(self, index: int) -> bool:
        """Tell whether a time point is among them."""
        return self.since <= index and (self.until is None or index < self.until)

    def moved(self, index: int) -> "Span":
        """Return it with one more time point put in between, which has the number `index`.

        What begins or ends with the next time point does so with that one.
        """
        until = None if self.until is None else self.until + (self.until > index)
        return replace(self, since=self.since + (self.since > index), until=until)


def begin(spans: tuple[Span, ...], positions: Collection[str], index: int) -> tuple[Span, ...]:
    """Return spans with those of positions that begin at a time point, for good."""
    begun = tuple(Span(position=each, since=index) for each in positions)
    return (*end(spans, positions, index), *begun)


def end(spans: tuple[Span, ...], positions: Collection[str], index: int) -> tuple[Span, ...]:
    """Return spans where those of positions are over from a time point on."""
    ended = [
        each
        if each.position not in positions or (each.until is not None and each.until <= index)
        else replace(each, until=index)
        for each in spans
    ]
    return tuple(each for each in ended if each.until is None or each.since < each.until)


def covered(spans: tuple[Span, ...], index: int) -> frozenset[str]:
    """Return the positions whose spans have a time point."""
    return frozenset(each.position for each in spans if each.covers(index))
