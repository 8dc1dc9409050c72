"""Reports missing images of a time-lapse to the inbox, each once, over restarts too."""

from collections.abc import Iterator, Sequence

from scopewatch.config import MicroManagerSourceConfig, RunConfig
from scopewatch.core.errors import StoreError
from scopewatch.event_log import get_logger
from scopewatch.sources.base.found import Found
from scopewatch.sources.base.offering import Offering
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.acquiring import Acquiring
from scopewatch.sources.micromanager.images import missed

log = get_logger(__name__)

_MOST_CAUSES = 3


class Missing:
    """Tells of the images that never came of time points that are over.

    Raises
    ------
    ConfigError
        When the position pattern is wrong.
    """

    def __init__(
        self,
        config: MicroManagerSourceConfig,
        run: RunConfig,
        acquiring: Acquiring,
    ) -> None:
        self._name = config.name
        self._settings = reading_settings(config, run)
        self._acquiring = acquiring
        self._pending: list[Found] = []
        self._up_to = -1

    def tell(self, offering: Offering) -> None:
        """Offer missing images of past time points to the inbox until the ledger knows them."""
        fresh: list[Found] = []
        over = self._acquiring.over
        for index in range(self._up_to + 1, over + 1):
            fresh += self._of(index)
        self._up_to = over
        self._pending += fresh
        if not self._pending:
            return
        try:
            wanted = offering.unsettled(self._pending)
        except StoreError as error:
            # They stay pending, and the ledger is asked again.
            log.info(
                "missed time points wait for the database", source=self._name, reason=str(error)
            )
            return
        unknown = set(wanted) & set(fresh)
        if unknown:
            moments = sorted({each.key.time_point for each in unknown if each.key is not None})
            event = {"source": self._name, "time_points": moments, "images": len(unknown)}
            log.warning("time points were missed", **event)
            for line in _sum_up([each for each in fresh if each in unknown]):
                self._acquiring.steering.note(line)
        offering.offer(wanted)
        known = set(wanted)
        self._pending = [
            each for each in self._pending if each in known or offering.on_its_way(each)
        ]

    def _of(self, index: int) -> list[Found]:
        """Return the images of a time point that never came, of channels that are worked on."""
        found = [
            missed(place, self._settings, self._acquiring.account.why(place))
            for place in self._acquiring.account.missing(index)
        ]
        channels = self._settings.run.channels
        return [each for each in found if each.key is None or each.key.channel in channels]


def _sum_up(gaps: Sequence[Found]) -> Iterator[str]:
    """Yield a line for each cause of images that never came, in the order of time."""
    causes: dict[str, list[Found]] = {}
    for each in gaps:
        causes.setdefault(each.reason, []).append(each)
    for reason, found in list(causes.items())[:_MOST_CAUSES]:
        indices = sorted({each.key.time_point for each in found if each.key is not None})
        span = f"{indices[0]}" if len(indices) == 1 else f"{indices[0]} to {indices[-1]}"
        images = "one image" if len(found) == 1 else f"{len(found)} images"
        yield f"{images} of time point{'s' * (len(indices) > 1)} {span} {reason}"
    more = len(causes) - _MOST_CAUSES
    if more > 0:
        yield f"images were missed for {more} more causes: see the quarantine"
