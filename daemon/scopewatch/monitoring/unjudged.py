"""The wells of a run of which no frame was judged recently, by why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from scopewatch.core.alerts.scope import well_order
from scopewatch.core.phrases import Phrase
from scopewatch.monitoring import run_state_words as words
from scopewatch.monitoring.policy import STALE_TIME_POINTS
from scopewatch.monitoring.run_facts import RunFacts, WellSeen

# The scored channel may be saved after others: so long after the first of them it is missing.
BEGINNING: Final = timedelta(minutes=2)


class Missing(Enum):
    """Why nothing of a well was judged recently; the gravest first."""

    OTHER_CHANNEL = auto()
    UNFIT = auto()
    SILENT = auto()
    BEHIND = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unjudged:
    """Wells that lack a judged frame for the same reason."""

    why: Missing
    wells: tuple[WellSeen, ...]

    @property
    def advice(self) -> str:
        """What to do about it: a message id."""
        return _ADVICE[self.why]


_ADVICE = {
    Missing.OTHER_CHANNEL: words.SET_CHANNEL,
    Missing.UNFIT: words.OTHER_REMEDY,
    Missing.SILENT: words.LOOK_AT_POSITIONS,
    Missing.BEHIND: words.LOOK_AT_POSITIONS,
    Missing.NEVER: words.LOOK_AT_POSITIONS,
}


def group_wells(facts: RunFacts) -> list[Unjudged]:
    """Return the wells without a recent judged frame: the largest group first."""
    newest = newest_time_points(facts.run.wells)
    groups: dict[Missing, list[WellSeen]] = {}
    for well in facts.run.alive:
        why = _why_missing(well, facts, newest.get(well.plate, 0))
        if why is not None and not (newest and _has_just_begun(well, facts)):
            groups.setdefault(why, []).append(well)
    found = [Unjudged(why=why, wells=tuple(wells)) for why, wells in groups.items()]
    return sorted(found, key=lambda group: (-len(group.wells), group.why.value))


def newest_time_points(wells: Sequence[WellSeen]) -> Mapping[str, int]:
    """Return the newest judged time point of each plate."""
    newest: dict[str, int] = {}
    for well in wells:
        if well.time_point is not None:
            newest[well.plate] = max(newest.get(well.plate, 0), well.time_point)
    return newest


def name_wells(group: Unjudged, facts: RunFacts) -> Phrase:
    """Return which wells lack a judged frame, and why."""
    values: dict[str, object] = {
        "count": len(group.wells),
        "wells": len(facts.run.wells),
        "names": words.in_a_row(names_of(group.wells, facts.run.wells)),
    }
    match group.why:
        case Missing.OTHER_CHANNEL:
            channels = words.in_a_row(sorted(facts.run.frames.other_channels) or ["?"])
            values |= {"channels": channels, "phase": facts.policy.phase_channel}
            return Phrase(words.OTHER_CHANNEL_WELLS, values)
        case Missing.UNFIT:
            return Phrase(words.UNFIT_WELLS, values)
        case Missing.BEHIND:
            return Phrase(words.BEHIND_WELLS, values)
        case Missing.SILENT:
            since = max(well.judged_at for well in group.wells if well.judged_at is not None)
            values["time"] = words.lasting(facts.now - since)
            return Phrase(words.SILENT_WELLS, values)
        case Missing.NEVER:
            return Phrase(words.NEVER_JUDGED, values)


def names_of(wells: Sequence[WellSeen], among: Sequence[WellSeen]) -> list[str]:
    """Return the names of wells in the order of the plate, with it where there are several."""
    several = len({well.plate for well in among}) > 1
    ordered = sorted(wells, key=lambda well: (well.plate, well_order(well.well)))
    return [f"{well.plate}/{well.well}" if several else well.well for well in ordered]


def _why_missing(well: WellSeen, facts: RunFacts, newest: int) -> Missing | None:
    """Return why a well was not judged recently; None where it was."""
    recent = facts.policy.recent
    judged_at, time_point = well.judged_at, well.time_point
    if judged_at is not None and time_point is not None:
        behind = newest - time_point >= STALE_TIME_POINTS
        if facts.now - judged_at <= recent and not behind:
            return None
        # Of a well that was judged before, only its latest frames are the reason why it is not now.
        why = _what_came(well, since=max(judged_at, facts.now - recent))
        return why or (Missing.SILENT if facts.now - judged_at > recent else Missing.BEHIND)
    return _what_came(well, since=None) or Missing.NEVER


def _has_just_begun(well: WellSeen, facts: RunFacts) -> bool:
    """Return whether a well has its first frames just now, and none of the scored channel yet."""
    if well.last_at is None or well.last_at != well.other_at:
        return False
    return well.judged_at is None and facts.now - well.last_at < BEGINNING


def _what_came(well: WellSeen, since: datetime | None) -> Missing | None:
    """Return what the newest frame was that could not be scored, after `since`."""
    came = [
        (at, why)
        for at, why in ((well.unfit_at, Missing.UNFIT), (well.other_at, Missing.OTHER_CHANNEL))
        if at is not None and (since is None or at > since)
    ]
    # Other channels are skipped beside frames that cannot be judged, as they are beside good ones.
    unfit = [each for each in came if each[1] is Missing.UNFIT]
    return max(unfit or came, key=lambda each: each[0])[1] if came else None
