"""Whether a time-lapse can be taken as it is planned: each image a place of its own, each focused.

Refused before the first image, since none of it shows in the images: two positions that are read
as one well and site are one frame, and a position without `z_um` is imaged where the one before it
left the focus.
"""

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.reading import ReadingSettings
from scopewatch.sources.micromanager.images import Place, events_of, planned_key
from scopewatch.sources.micromanager.stacks.planned import stack_problems

_MOST_NAMED = 5


def check_plan(config: MicroManagerSourceConfig, settings: ReadingSettings) -> None:
    """Refuse a plan of mode acquire that would image another place or plane than it says.

    Raises
    ------
    ConfigError
        One line for each problem.
    """
    problems = [
        *_mixed_focus(config),
        *_focus(config),
        *stack_problems(config, settings),
        *_exposures(config),
        *_flagged_channel(config, settings),
        *_days(config, settings),
        *_shared_events(config),
        *_shared_frames(config, settings),
    ]
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(map(str, problems))))


def _mixed_focus(config: MicroManagerSourceConfig) -> list[ConfigError]:
    without = [each.label for each in config.positions if each.z_um is None]
    if not without or len(without) == len(config.positions):
        return []
    return [
        ConfigError(
            complaint(
                "positions with and without z_um: those without would be imaged where the one"
                " before left the focus",
                where=f"positions of the source {config.name!r}",
                expected="z_um for all positions or for none",
                got=f"none for {_listed(without)}",
                do="give each its z_um, or none where a focus lock holds the focus",
            )
        )
    ]


def _focus(config: MicroManagerSourceConfig) -> list[ConfigError]:
    """Name what the settings of the focus ask for and positions cannot give."""
    focus, where = config.focus, f"focus of the source {config.name!r}"
    labels = {each.label for each in config.positions}
    unknown = [label for label in focus.references if label not in labels]
    offsets = [each.label for each in config.positions if each.focus_offset_um]
    problems: list[ConfigError] = []
    if unknown:
        problems.append(
            ConfigError(
                complaint(
                    "references of the focus are no positions",
                    where=where,
                    got=_listed(unknown),
                    do="write labels of `positions`",
                )
            )
        )
    if offsets and not focus.searches:
        problems.append(
            ConfigError(
                complaint(
                    "positions have a focus_offset_um, and no focus is found that it counts from",
                    where=where,
                    expected="method lock or autofocus",
                    got=f"{focus.method}; {_listed(offsets)}",
                    do="set `focus`, or leave focus_offset_um out",
                )
            )
        )
    if offsets and focus.method == "lock" and focus.every != "position":
        problems.append(
            ConfigError(
                complaint(
                    "positions have a focus_offset_um, and the lock is not set at each of them",
                    where=where,
                    expected="every: position",
                    got=f"every: {focus.every}; {_listed(offsets)}",
                    do="set `every: position`, or leave focus_offset_um out",
                )
            )
        )
    return problems


def _days(config: MicroManagerSourceConfig, settings: ReadingSettings) -> list[ConfigError]:
    """Name phases of different intervals where days are counted by time points."""
    intervals = {phase.interval_s for phase in config.timing}
    if settings.run.day_from != "time_point" or len(intervals) == 1:
        return []
    return [
        ConfigError(
            complaint(
                "days are counted by time points, which lie at different distances",
                where=f"phases of the source {config.name!r}",
                expected="experiment.day_from: acquired_at",
                got=f"time_point, and intervals of {_seconds(intervals)}",
                do="count days by the times of the images, or acquire at one interval",
            )
        )
    ]


def _seconds(intervals: set[float]) -> str:
    return ", ".join(f"{each:g} s" for each in sorted(intervals))


def _exposures(config: MicroManagerSourceConfig) -> list[ConfigError]:
    """Name exposures of a position for channels that are not acquired."""
    presets = {channel.preset for channel in config.channels}
    return [
        ConfigError(
            complaint(
                "a position has an exposure for a channel that is not acquired",
                where=f"position {position.label!r} of the source {config.name!r}",
                expected=f"one of {_listed(sorted(presets))}" if presets else "none: no channels",
                got=_listed(unknown),
                do="write the preset of a channel",
            )
        )
        for position in config.positions
        if (unknown := [each for each in position.exposures_ms if each not in presets])
    ]


def _flagged_channel(
    config: MicroManagerSourceConfig, settings: ReadingSettings
) -> list[ConfigError]:
    """Name a channel of flagged wells whose images would be those of another channel."""
    wanted = config.acts.fluorescence_of_flagged
    if wanted is None:
        return []
    where = f"acts.fluorescence_of_flagged of the source {config.name!r}"
    taken = next((each for each in config.channels if each.preset == wanted.preset), None)
    place = (0, config.positions[0].label, wanted.preset)
    try:
        is_judged = planned_key(place, settings).channel == settings.run.phase_channel
    except FrameError:
        is_judged = False  # the position is refused where frames are named
    if is_judged:
        got = f"{wanted.preset!r}, which is the phase_channel"
    elif taken is not None and (taken.every == 1 or taken.group != wanted.group):
        got = f"{wanted.preset!r}, which is a channel of the plan"
        got += " at every time point" if taken.group == wanted.group else " in another group"
    else:
        return []
    return [
        ConfigError(
            complaint(
                "flagged wells would be taken in a channel that is taken in any case",
                where=where,
                expected="a preset of fluorescence that is not taken at every time point",
                got=got,
                do="name another preset, or leave it out",
            )
        )
    ]


def _shared_events(config: MicroManagerSourceConfig) -> list[ConfigError]:
    """Name exact duplicates: on disk two such images cannot be distinguished."""
    problems: list[ConfigError] = []
    seen: dict[str, int] = {}
    for number, position in enumerate(config.positions, 1):
        first = seen.setdefault(position.label, number)
        if first != number:
            problems.append(
                ConfigError(
                    complaint(
                        "two positions have one label",
                        where=f"positions of the source {config.name!r}",
                        got=f"{position.label!r} as position {first} and as position {number}",
                        do="give each its own label, or leave one out",
                    )
                )
            )
    groups: dict[str, str] = {}
    for channel in config.channels:
        group = groups.get(channel.preset)
        groups.setdefault(channel.preset, channel.group)
        if group is not None:
            problems.append(
                ConfigError(
                    complaint(
                        "two channels have one preset name, which names their images",
                        where=f"channels of the source {config.name!r}",
                        got=f"{channel.preset!r} of group {group!r} and of group {channel.group!r}",
                        do="rename one of the presets in Micro-Manager, or leave one out",
                    )
                )
            )
    return problems


def _shared_frames(
    config: MicroManagerSourceConfig, settings: ReadingSettings
) -> list[ConfigError]:
    """Name images of different labels or presets that are read as one and the same frame."""
    problems: list[ConfigError] = []
    seen: dict[FrameKey, Place] = {}
    reported: set[tuple[object, object]] = set()
    for place in events_of(config, 0):
        _, label, channel = place
        try:
            key = planned_key(place, settings)
        except FrameError as error:
            problems.append(ConfigError(str(error)))
            continue
        _, first_label, first_channel = seen.setdefault(key, place)
        if label != first_label:
            pair: tuple[object, object] = (first_label, label)
            what, of = "two positions are read as one well and site", "label"
            two = f"{first_label!r} and {label!r}, both well {key.well} site {key.site}"
            two += f" of {key.plate!r}"
            do = "give each its own well or site, or correct `position` or `wells` of the source"
        elif channel != first_channel:
            pair = (first_channel, channel)
            what, of = "two channels are read as one", "preset"
            two = f"{first_channel!r} and {channel!r}, both channel {key.channel!r}"
            do = (
                "rename one of the presets, correct `channel_names` of the source, or leave one out"
            )
        else:
            continue
        if (of, pair) not in reported:
            reported.add((of, pair))
            where = f"{'positions' if of == 'label' else 'channels'} of the source {config.name!r}"
            problems.append(ConfigError(complaint(what, where=where, got=two, do=do)))
    return problems


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
