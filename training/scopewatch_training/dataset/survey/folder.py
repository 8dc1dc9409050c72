"""Reads what a folder of acquired files holds: runs, channels, pairs, frames of time-lapses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from scopewatch.app.explain.survey import MOST_FILES, NAMED, list_names
from scopewatch.config import RunConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.frame import FrameKey
from scopewatch.sources.base.facts import Origin
from scopewatch.sources.base.found import Found
from scopewatch.sources.folder.walk import walk_images
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairing import find_frames, run_folders
from scopewatch_training.dataset.pictures import PictureRef
from scopewatch_training.dataset.survey.findings import (
    FolderSurvey,
    PhaseFrame,
    Place,
    RunSurvey,
)
from scopewatch_training.dataset.survey.guesses import (
    NO_CHANNEL,
    SurveyChoices,
    choose_fluorescence,
    choose_phase,
    guess_pattern,
    is_one_run,
    list_channels,
)
from scopewatch_training.dataset.survey.named_times import guess_interval, guess_start, read_names
from scopewatch_training.dataset.survey.plates import split_by_plate
from scopewatch_training.dataset.survey.run_frames import RunFrames

_DAY_H: Final = 24.0


def survey_runs(root: Path, choices: SurveyChoices) -> FolderSurvey:
    """Read the names and metadata of all files below a folder, and pair them.

    Raises
    ------
    ConfigError
        When the folder is missing, a channel cannot be chosen, two files are the same frame, or
        there is no pair: one line says what to give.
    """
    if not root.is_dir():
        raise ConfigError(complaint("folder of pictures is missing", where=root, do="correct it"))
    one_run = is_one_run(root) if choices.one_run is None else choices.one_run
    folders = [(root, True)] if one_run else run_folders(root)
    read = [_read_run(each, choices, recursive=deep) for each, deep in folders]
    read = [each for each in read if each.frames or each.unread]
    if choices.run_per_plate:
        read = split_by_plate(root, read)
    channels: Counter[str] = Counter(key.channel for run in read for key in run.frames)
    left_out = _group([line for run in read for line in run.unread])
    if not channels:
        raise ConfigError(
            complaint(
                "folder holds no picture whose place is understood",
                where=root,
                expected="names or metadata that state a well",
                got=next((f"{example}: {why}" for why, (_, example) in left_out.items()), "none"),
                do="give --pattern (a layout of docs/formats.md or a regular expression), or write"
                " the manifest yourself",
            )
        )
    phase = choose_phase(root, channels, choices)
    glow = choose_fluorescence(root, channels, phase[0], choices)
    return _pair(root, read, phase, glow, channels, left_out, one_run=one_run)


def _read_run(folder: Path, choices: SurveyChoices, *, recursive: bool) -> RunFrames:
    names = (
        list_names(folder)
        if recursive
        else [each.locator for each in walk_images(folder, recursive=False)]
    )
    pattern = choices.pattern or guess_pattern(names)
    facts = read_names(pattern, names)
    interval = choices.interval_h or guess_interval(facts)
    started_at = guess_start(facts)
    if started_at is not None and len(names) >= NAMED:
        # The sample may lack the first frame of all.
        started_at = guess_start(read_names(pattern, list_names(folder, MOST_FILES)))
    run = RunConfig(
        name=folder.name or "run",
        phase_channel=NO_CHANNEL,
        interval_h=interval,
        started_at=started_at,
    )
    frames: dict[FrameKey, tuple[Found, PictureRef]] = {}
    unread: list[tuple[str, str]] = []
    for found, ref in find_frames(folder, run, pattern, recursive=recursive, decode=False):
        if found.key is None:
            unread.append((found.reason, str(ref)))
        elif found.key in frames:
            raise ConfigError(
                complaint(
                    "two pictures are the same frame",
                    where=f"{frames[found.key][1]} and {ref}",
                    got=f"{found.key.plate}/{found.key.well}, site {found.key.site}, time point"
                    f" {found.key.time_point}, {found.key.channel}, by layout {pattern}",
                    do="take copies out of the folder, or give --pattern or --interval-h that tell"
                    " them apart",
                )
            )
        else:
            frames[found.key] = found, ref
    return RunFrames(
        folder=folder,
        layout=pattern,
        interval_h=interval,
        dated=started_at is not None,
        frames=frames,
        unread=unread,
    )


def _pair(
    root: Path,
    read: Sequence[RunFrames],
    phase: tuple[str, str],
    glow: tuple[str, str],
    channels: Mapping[str, int],
    left_out: Mapping[str, tuple[int, str]],
    *,
    one_run: bool,
) -> FolderSurvey:
    runs: list[RunSurvey] = []
    pairs: list[PairRow] = []
    phase_frames: list[PhaseFrame] = []
    unpaired: list[str] = []
    for run in read:
        by_place: dict[str, dict[Place, tuple[Found, PictureRef]]] = {}
        for key, each in run.frames.items():
            place = key.run, key.plate, key.well, key.site, key.time_point
            by_place.setdefault(key.channel, {})[place] = each
        phases, glows = by_place.get(phase[0], {}), by_place.get(glow[0], {})
        days = _days(phases, run.interval_h)
        dated = _state_days(phases)
        of_run = [
            PhaseFrame(
                place=place,
                picture=_whole(ref),
                um_per_px=_scale(found),
                day=days[place],
            )
            for place, (found, ref) in sorted(phases.items(), key=lambda item: item[0])
        ]
        paired = [each for each in of_run if each.place in glows]
        pairs += [_row(each, _whole(glows[each.place][1]), dated=dated) for each in paired]
        phase_frames += of_run
        unpaired += [str(glows[place][1]) for place in sorted(glows.keys() - phases.keys())]
        runs += _summaries(run, of_run, {each.place for each in paired}, dated=dated)
    if not pairs:
        raise ConfigError(
            complaint(
                "folder holds no pair",
                where=root,
                expected=f"{phase[0]} and {glow[0]} of the same field and time point",
                got=list_channels(channels)
                + (", as one run" if one_run else ", each folder a run"),
                do="check what `scopewatch explain` says of a file of each channel; give"
                " --pattern, --interval-h or --one-run",
            )
        )
    return FolderSurvey(
        root=root,
        one_run=one_run,
        phase=phase,
        fluorescence=glow,
        others={n: c for n, c in channels.items() if n not in (phase[0], glow[0])},
        runs=tuple(runs),
        pairs=tuple(pairs),
        phase_frames=tuple(phase_frames),
        unpaired=tuple(unpaired),
        left_out=left_out,
        dated=any(run.dated for run in read),
    )


def _whole(ref: PictureRef) -> PictureRef:
    """Return the picture with an absolute path."""
    return replace(ref, path=ref.path.resolve())


def _row(frame: PhaseFrame, fluorescence: PictureRef, *, dated: bool) -> PairRow:
    run, plate, well, site, time_point = frame.place
    return PairRow(
        run=run,
        plate=plate,
        well=well,
        site=site,
        time_point=time_point,
        phase=frame.picture,
        fluorescence=fluorescence,
        um_per_px=frame.um_per_px,
        day=frame.day if dated else None,
    )


def _summaries(
    run: RunFrames, frames: Sequence[PhaseFrame], paired: set[Place], *, dated: bool
) -> list[RunSurvey]:
    """Return a summary for each run that the files of a folder name."""
    names = sorted({key.run for key in run.frames})
    summaries = []
    for name in names:
        own = [each for each in frames if each.place[0] == name]
        keys = [key for key in run.frames if key.run == name]
        days = [each.day for each in own]
        summaries.append(
            RunSurvey(
                run=name,
                read_by=_read_by(run.layout, [run.frames[key][0] for key in keys]),
                interval_h=run.interval_h,
                frames=Counter(key.channel for key in keys),
                plates=tuple(sorted({key.plate for key in keys})),
                wells=tuple(sorted({key.well for key in keys})),
                sites=len({key.site for key in keys}),
                time_points=len({key.time_point for key in keys}),
                pairs=sum(each.place in paired for each in own),
                days=(min(days), max(days)) if days and dated else None,
                um_per_px=tuple(
                    sorted({each.um_per_px for each in own if each.um_per_px is not None})
                ),
            )
        )
    return summaries


def _days(
    phases: Mapping[Place, tuple[Found, PictureRef]], interval_h: float
) -> dict[Place, float]:
    """Return the day of each frame, by the times of the frames or by index x interval.

    Times count from the run's first frame, whose day is that of its index: where a folder holds
    the final day alone, that is not day 0.
    """
    moments = {place: found.moment for place, (found, _) in phases.items()}
    acquired = {p: m.acquired_at for p, m in moments.items() if m.acquired_at is not None}
    elapsed = {p: m.elapsed_s for p, m in moments.items() if m.elapsed_s is not None}
    if len(acquired) == len(moments) and _advance(acquired):
        if not acquired:
            return {}
        first = min(acquired, key=lambda place: acquired[place])
        before_h = first[4] * interval_h
        return {
            place: round(((at - acquired[first]).total_seconds() / 3600 + before_h) / _DAY_H, 3)
            for place, at in acquired.items()
        }
    if len(elapsed) == len(moments):
        return {place: round(seconds / 3600 / _DAY_H, 3) for place, seconds in elapsed.items()}
    return {place: round(place[4] * interval_h / _DAY_H, 3) for place in moments}


def _state_days(places: Iterable[Place]) -> bool:
    """Whether the days are known: a first time point alone may be of any day."""
    return any(place[4] for place in places)


def _advance(acquired: Mapping[Place, datetime]) -> bool:
    """Whether times differ wherever time points do; times of copied files do not."""
    points = {place[4] for place in acquired}
    return len(points) < 2 or len(set(acquired.values())) >= len(points)


def _read_by(layout: str, frames: Sequence[Found]) -> str:
    """Return in words what states the wells of a run's frames."""
    origins = {
        each.reading.accepted["well"].origin
        for each in frames
        if each.reading is not None and "well" in each.reading.accepted
    }
    words = []
    if origins & {Origin.PLANE, Origin.SET}:
        words.append("metadata")
    if Origin.NAME in origins or not words:
        words.append(f"names, layout {layout}")
    return " and ".join(words)


def _scale(found: Found) -> float | None:
    return None if found.reading is None else found.reading.pixel_size_um


def _group(unread: Sequence[tuple[str, str]]) -> dict[str, tuple[int, str]]:
    """Group files by the reason for which they are not read, without the names in it."""
    groups: dict[str, tuple[int, str]] = {}
    for reason, place in unread:
        kind = reason.split(":")[0]
        count, example = groups.get(kind, (0, place))
        groups[kind] = count + 1, example
    return groups
