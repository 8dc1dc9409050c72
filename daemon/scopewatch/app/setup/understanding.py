"""Collects what `scopewatch init` finds out of a folder for the configuration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from scopewatch.app.explain.explanation import Explanation
from scopewatch.app.explain.options import ReadingOptions
from scopewatch.app.explain.places import GUESSED, explain_kind
from scopewatch.app.explain.survey import list_names
from scopewatch.app.setup.guess import (
    Guess,
    guess_interval_h,
    guess_phase_channel,
    guess_plate_wells,
    guess_sites,
    usual_h,
)
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.base.moments import to_utc
from scopewatch.sources.layouts.guess import guess_layout
from scopewatch.sources.layouts.naming import NamePattern

_DEFAULT_INTERVAL_H = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What was understood of a folder.

    Parameters
    ----------
    kind
        Kind of source.
    pattern, interval_h, phase_channel, plate_wells
        Guesses; an option that was given is one whose reason is that.
    started_at
        The first moment in names that hold dates, with its zone; None elsewhere.
    explanation
        How the files are read with these.
    """

    kind: str
    options: ReadingOptions
    pattern: Guess
    interval_h: Guess
    phase_channel: Guess
    plate_wells: Guess
    started_at: datetime | None
    sites: int
    explanation: Explanation

    @property
    def open_questions(self) -> Iterator[str]:
        """Yield what has to be asked: nothing gives a guess."""
        if self.phase_channel.value is None and self.explanation.channels:
            yield "phase_channel"
        if self.interval_h.value is None:
            yield "interval_h"

    def lines(self) -> Iterator[str]:
        """Yield what was understood, one line each, with its reason."""
        yield f"kind of source    {self.kind}"
        for label, guess in (
            ("names", self.pattern),
            ("interval", self.interval_h),
            ("phase channel", self.phase_channel),
            ("plate", self.plate_wells),
        ):
            value = "not known" if guess.value is None else guess.value
            unit = {"interval": " h", "plate": " wells"}.get(label, "") if guess.value else ""
            yield f"{label:<17} {value}{unit} ({guess.why})"
        yield f"fields of view    {self.sites} per well"
        if self.started_at is not None:
            yield f"day 0             {self.started_at.isoformat()} (the first date in the names)"


def understand(folder: Path, options: ReadingOptions) -> Understanding:
    """Look at a folder and guess how it is to be read; an option that is given is not guessed.

    Raises
    ------
    ConfigError
        When the folder is not there, holds no image, or an option is wrong.
    """
    if not folder.is_dir():
        raise ConfigError(complaint("folder does not exist", where=folder, do="correct the path"))
    names = list_names(folder)
    pattern = _pattern(names, options)
    facts = list(_read_names(names, str(pattern.value)))
    interval = _given(options.interval_h, "--interval-h") or guess_interval_h(facts)
    started = _first_date(facts, options)
    options = replace(
        options,
        pattern=str(pattern.value),
        interval_h=float(str(interval.value or _DEFAULT_INTERVAL_H)),
    )
    run = options.run(folder.resolve().name or "run")
    run = run.model_copy(update={"started_at": started})
    kind, explanation = explain_kind(folder, run, options)
    if explanation is None or not explanation.listed:
        raise ConfigError(
            complaint(
                "folder holds no image yet",
                where=folder,
                expected="TIFF, PNG or JPEG files, NDTiff data sets or OME-Zarr stores",
                do="begin with a few files of the instrument, or write config.yaml yourself",
            )
        )
    if interval.value is None and explanation.measured_interval_h is not None:
        hours = usual_h(explanation.measured_interval_h)
        interval = Guess(value=hours, why="median gap between the times in the files")
        options = replace(options, interval_h=hours)
    phase = _given(options.channel, "--channel") or guess_phase_channel(explanation.channels)
    if phase.value is not None:
        options = replace(options, channel=str(phase.value))
    final = options.run(run.name).model_copy(update={"started_at": started})
    kind, read = explain_kind(folder, final, options)
    wells = {well for case in explanation.cases for well in case.values["well"]}
    return Understanding(
        kind=kind,
        options=options,
        pattern=pattern,
        interval_h=interval,
        phase_channel=phase,
        plate_wells=_given(options.plate_wells, "--plate-wells") or guess_plate_wells(wells),
        started_at=started,
        sites=guess_sites([read or explanation]),
        explanation=read or explanation,
    )


def _pattern(names: Sequence[str], options: ReadingOptions) -> Guess:
    given = _given(options.pattern, "--pattern")
    if given is not None:
        return given
    guesses = guess_layout(names[:: max(1, len(names) // GUESSED)])
    if not guesses:
        return Guess(value="scopewatch", why="no layout fits; metadata in the files may")
    best = guesses[0]
    why = f"{best.layout.program}: fits {best.fits} of {best.names} names"
    return Guess(value=best.layout.name, why=why)


def _given(value: object, option: str) -> Guess | None:
    return None if value is None else Guess(value=value, why=option)


def _read_names(names: Sequence[str], pattern: str) -> Iterator[PlaneFacts]:
    reader = NamePattern(pattern)
    for name in names:
        try:
            facts = reader.read(name)
        except FrameError:
            continue
        if facts is not None:
            yield facts


def _first_date(facts: Sequence[PlaneFacts], options: ReadingOptions) -> datetime | None:
    dates = [each.wall_time for each in facts if each.wall_time is not None]
    if not dates:
        return None
    zone = options.zone
    return to_utc(min(dates), zone).astimezone(zone)
