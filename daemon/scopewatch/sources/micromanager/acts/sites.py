"""Further sites of a well: positions beside its first one, with labels that are read as new sites.

Each label is read as it will be read from its images, so that a further site is never taken for
one of the plan, nor for another well.
"""

import re
from collections.abc import Iterator, Mapping

from scopewatch.config import MicroManagerSourceConfig, PositionConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.base.reading import ReadingSettings
from scopewatch.sources.micromanager.events import Event
from scopewatch.sources.micromanager.images import events_of, planned_key, spot_of

Well = tuple[str, str]  # plate, well
Labels = Mapping[tuple[str, str, int], str]  # of each plate, well and site
Further = Mapping[Well, tuple[PositionConfig, ...]]


def further_sites(
    config: MicroManagerSourceConfig, settings: ReadingSettings, planned: Labels
) -> Further:
    """Return the further positions of each well; none where they are not switched on.

    Parameters
    ----------
    planned
        Labels of the positions of the plan.

    Raises
    ------
    ConfigError
        When a well's labels cannot name another site of it.
    """
    wanted = config.acts.more_sites
    if wanted is None:
        return {}
    positions = {each.label: each for each in config.positions}
    further: dict[Well, tuple[PositionConfig, ...]] = {}
    taken = set(planned)
    for well, first_label in _first_labels(planned).items():
        first = positions[first_label]
        made = []
        for dx_um, dy_um in wanted.offsets_um:
            label, spot = _label(config, settings, well, first.label, taken)
            taken.add(spot)
            moved = {"label": label, "x_um": first.x_um + dx_um, "y_um": first.y_um + dy_um}
            made.append(first.model_copy(update=moved))
        further[well] = tuple(made)
    return further


def firsts_of(planned: Labels, further: Further) -> dict[str, str]:
    """Return the label of the well's first site for that of each further one."""
    firsts = _first_labels(planned)
    return {each.label: firsts[well] for well, made in further.items() for each in made}


def further_events(
    config: MicroManagerSourceConfig, judged: str, settings: ReadingSettings, further: Further
) -> dict[str, tuple[str, Event]]:
    """Return preset and event of each further site, by its label: in the judged channel alone.

    The event has no time point yet.
    """
    positions = tuple(each for made in further.values() for each in made)
    if not positions:
        return {}
    events = events_of(config.model_copy(update={"positions": positions}), 0)
    return {
        place[1]: (place[2] or "", event)
        for place, event in events.items()
        if planned_key(place, settings).channel == judged
    }


def _first_labels(planned: Labels) -> dict[Well, str]:
    """Return the label of the first site of each well, in the order of the plan."""
    firsts: dict[Well, tuple[int, str]] = {}
    for (plate, well, site), label in planned.items():
        firsts[plate, well] = min(firsts.get((plate, well), (site, label)), (site, label))
    return {well: label for well, (_, label) in firsts.items()}


def _label(
    config: MicroManagerSourceConfig,
    settings: ReadingSettings,
    well: Well,
    first: str,
    taken: set[tuple[str, str, int]],
) -> tuple[str, tuple[str, str, int]]:
    """Return a label that is read as a site of a well that no position has."""
    channel = next((each.preset for each in config.channels), None)
    labels = {each.label for each in config.positions}
    for label in _candidates(first, well[1], len(taken)):
        try:
            spot = spot_of(planned_key((0, label, channel), settings))
        except FrameError:
            continue
        if spot[:2] == well and spot not in taken and label not in labels:
            return label, spot
    raise ConfigError(
        complaint(
            "further sites of a well cannot be named so that `position` reads them",
            where=f"acts.more_sites of the source {config.name!r}",
            expected=f"a label such as {well[1]}_s1 that is read as another site of {well[1]}",
            got=f"the position {first!r}",
            do="change `position`, or leave more_sites out",
        )
    )


def _candidates(first: str, well: str, count: int) -> Iterator[str]:
    """Yield labels: the first site's with another number at its end, or the well with one."""
    number = re.search(r"\d+$", first)
    for site in range(1, count + 2):
        if number is not None and first != well:
            yield f"{first[: number.start()]}{site:0{len(number[0])}d}"
        yield f"{first}_s{site}"
        yield f"{well}_s{site}"
