"""Items that were put back, until they settle: what happened to each, and who is to blame."""

from collections import Counter
from dataclasses import dataclass

from scopewatch.core.errors import NoSpaceError, SourceError
from scopewatch.runtime.pipeline.inbox import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """What happened to an item before it was put back."""

    fingerprint: str
    claimed: bool
    failures: int
    scored_then: int


class Troubles:
    """Counts the failures that items have of their own; used by the worker's thread alone.

    A full disk or a lost share fails every frame, and no frame is blamed for it. Where another was
    scored since the last failure, though, the trouble is with this one; save on a disk that is full
    now and then, where a smaller picture may have fitted meanwhile. Of a lost share only frames of
    the same source show whether it is back.
    """

    def __init__(self) -> None:
        # Bounded by the inbox: holds only items that were put back, until they settle.
        self._troubles: dict[tuple[str, str], _Trouble] = {}
        self._scored: Counter[str] = Counter()

    def claimed(self, item: Item) -> bool:
        """Return whether the attempt at an item is counted already."""
        trouble = self._troubles.get(_place(item))
        return trouble is not None and trouble.fingerprint == item.fingerprint and trouble.claimed

    def note_claimed(self, item: Item) -> None:
        """Note that the attempt at an item is counted, though none has failed here."""
        self._troubles[_place(item)] = _Trouble(
            fingerprint=item.fingerprint,
            claimed=True,
            failures=0,
            scored_then=self._scored.total(),
        )

    def note_scored(self, item: Item) -> None:
        """Note that a frame was scored: what it needs of the world is there."""
        self._scored[item.source] += 1

    def note_failed(self, item: Item, error: Exception, *, blame: bool, claimed: bool) -> int:
        """Note a failure; return how many the item has had of its own.

        Parameters
        ----------
        blame
            Whether this one is its own, whatever else goes well.
        claimed
            Whether the attempt is counted, and goes on when the item comes back.
        """
        now = self._others(item, error)
        before = self._troubles.get(_place(item))
        failures = int(blame)
        if before is not None and before.fingerprint == item.fingerprint:
            others_pass = now > before.scored_then and not isinstance(error, NoSpaceError)
            failures = before.failures + (blame or others_pass)
        self._troubles[_place(item)] = _Trouble(
            fingerprint=item.fingerprint, claimed=claimed, failures=failures, scored_then=now
        )
        return failures

    def settle(self, item: Item) -> None:
        """Forget an item: it is settled."""
        self._troubles.pop(_place(item), None)

    def _others(self, item: Item, error: Exception) -> int:
        """How many frames were scored that the same trouble would have held up."""
        lost = isinstance(error, SourceError)
        return self._scored[item.source] if lost else self._scored.total()


def _place(item: Item) -> tuple[str, str]:
    return item.source, item.locator
