"""Guesses how a folder of files is read: runs, layout of names, channels.

What a person gives is taken; every guess has its reason, which is shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scopewatch.app.setup.guess import guess_phase_channel
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.folder.walk import walk_images
from scopewatch.sources.layouts.guess import guess_layout
from scopewatch_training.dataset.pairing import run_folders

NO_CHANNEL: Final = "channel without a name"
_DEFAULT_PATTERN: Final = "scopewatch"
_MARKER: Final = re.compile(
    r"(?i)gfp|yfp|cfp|rfp|fitc|tritc|cy[357]|green|red|orange|cherry|tomato|fluo|alexa"
    r"|4[5-9]\d|5[0-9]\d|6[0-4]\d|troponin|tnnt|nkx|actinin|map2|antibody"
)
_NUCLEI: Final = re.compile(r"(?i)dapi|hoechst|405|nuclei|blue")
_PART_OF_RUN: Final = re.compile(
    r"(?i)(?:1-)?(?:pos|position|xy|well|site|field|fov|series|scan|plate|time[ _-]?point|time|t|z"
    r"|zstep|ch|channel|w|day|d)(?:[ _-]?\d+)(?:[_ -].*)?|[A-H]0?\d{1,2}|default|phase.*|ph"
    r"|bright[ _-]?field|bf|gfp|yfp|rfp|fitc|green.*|red.*|dapi|fluo.*|images?|raw|tiffs?"
)
"""Names of folders that hold a part of a run: a position, a well, a channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyChoices:
    """What a person gave; None: to be guessed.

    Parameters
    ----------
    one_run
        Whether the folder is one run; False: each folder right under it is one.
    run_per_plate
        Whether each plate of these runs is a run of its own.
    """

    phase: str | None = None
    fluorescence: str | None = None
    pattern: str | None = None
    interval_h: float | None = None
    one_run: bool | None = None
    run_per_plate: bool = False


def is_one_run(root: Path) -> bool:
    """Return whether the folders below are parts of one run: positions, wells, channels."""
    below = [each for each, _ in run_folders(root) if each != root]
    if not below or next(walk_images(root, recursive=False), None) is not None:
        return True
    return all(_PART_OF_RUN.fullmatch(each.name) for each in below)


def guess_pattern(names: Sequence[str]) -> str:
    """Return the layout that reads most of the names."""
    best = next(iter(guess_layout(names)), None)
    return _DEFAULT_PATTERN if best is None else best.layout.name


def choose_phase(
    root: Path, channels: Mapping[str, int], choices: SurveyChoices
) -> tuple[str, str]:
    """Return the phase channel and the reason of the choice.

    Raises
    ------
    ConfigError
        When it is not given and no name tells it.
    """
    if choices.phase is not None:
        return _given(root, channels, choices.phase, "--phase-channel")
    rest = {
        name: count
        for name, count in channels.items()
        if name.casefold() != (choices.fluorescence or "").casefold()
    }
    guess = guess_phase_channel({name: n for name, n in rest.items() if name != NO_CHANNEL})
    if guess.value is not None and not _MARKER.search(str(guess.value)):
        return str(guess.value), guess.why
    if NO_CHANNEL in rest and all(_MARKER.search(n) for n in rest if n != NO_CHANNEL):
        return NO_CHANNEL, "the pictures without a channel's name"
    raise _which(root, channels, "phase", "--phase-channel")


def choose_fluorescence(
    root: Path, channels: Mapping[str, int], phase: str, choices: SurveyChoices
) -> tuple[str, str]:
    """Return the fluorescence channel and the reason of the choice.

    Raises
    ------
    ConfigError
        When it is not given and no name tells it.
    """
    if choices.fluorescence is not None:
        return _given(root, channels, choices.fluorescence, "--fluorescence-channel")
    rest = [name for name in channels if name != phase]
    if not rest:
        raise ConfigError(
            complaint(
                "folder holds no fluorescence channel",
                where=root,
                expected="two channels of the same fields",
                got=list_channels(channels),
                do="add the fluorescence frames; where --phase-channel means another, name it",
            )
        )
    likely = [name for name in rest if _MARKER.search(name) and not _NUCLEI.search(name)]
    if len(rest) == 1:
        return rest[0], "the only other channel"
    if len(likely) == 1:
        return likely[0], "by its name"
    raise _which(root, channels, "fluorescence", "--fluorescence-channel")


def _given(root: Path, channels: Mapping[str, int], name: str, option: str) -> tuple[str, str]:
    same = [each for each in channels if each.casefold() == name.casefold()]
    if not same:
        raise ConfigError(
            complaint(
                f"no picture is of channel {name}",
                where=root,
                expected=list_channels(channels),
                do=f"give one of these with {option}",
            )
        )
    return same[0], f"given by {option}"


def _which(root: Path, channels: Mapping[str, int], what: str, option: str) -> ConfigError:
    return ConfigError(
        complaint(
            f"{what} channel cannot be chosen by its name",
            where=root,
            got=list_channels(channels),
            do=f"name it with {option}",
        )
    )


def list_channels(channels: Mapping[str, int]) -> str:
    """Return the channels of a folder in words."""
    return ", ".join(f"{name} ({count} pictures)" for name, count in channels.items())
