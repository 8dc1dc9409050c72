"""Scores of the frames of a time-lapse, kept in a file.

Scoring takes most of the time. The file has one line for each frame, so that an interrupted call
goes on and a study can be replayed in seconds.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.analyse import Scorer, analyse
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch_training.bundle.known_frames import KnownFrame
from scopewatch_training.dataset.looks import hash_pixels, mark
from scopewatch_training.dataset.pictures import read_picture
from scopewatch_training.forecasting.timelapse import Moment, TimedFrame, Well

Print = list[int | float | None]
"""Size and time of a picture's file, and its pixel size in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScore:
    """The raw positive fraction of a frame and its quality measures, or why it was not judged."""

    raw: float | None
    fault: str | None
    measures: Mapping[str, float] = field(default_factory=dict)


class FrameScores:
    """Scores frames as the daemon does, and keeps the scores in a file where one is given.

    Parameters
    ----------
    file
        JSON lines; made where it is missing, gone on with where it is there. None keeps nothing.

    Raises
    ------
    ConfigError
        When the file holds scores of another model, or no scores.
    """

    def __init__(self, scorer: Scorer, monotonic: Callable[[], float], file: Path | None) -> None:
        self._scorer = scorer
        self._monotonic = monotonic
        self._made_by = digest_of(scorer.card)
        self._kept: dict[str, tuple[Print, FrameScore]] = {}
        self._file: TextIO | None = None
        if file is None:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            self._kept = _read_scores(file, self._made_by)
        self._file = file.open("a", encoding="utf-8")
        if not file.stat().st_size:
            self._write({"made_by": self._made_by})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def score(self, frame: TimedFrame) -> FrameScore:
        """Return the score of a frame, from the file where the picture is the same as then."""
        name = str(replace(frame.picture, path=frame.phase.resolve()))
        stat = frame.phase.stat()
        print_ = [stat.st_size, stat.st_mtime_ns, frame.um_per_px]
        kept = self._kept.get(name)
        if kept is not None and kept[0] == print_:
            return kept[1]
        result = analyse(load_frame(frame), self._scorer, self._monotonic)
        verdict = result.verdict
        score = FrameScore(
            raw=result.positive_fraction, fault=verdict.fault, measures=dict(verdict.measures)
        )
        self._kept[name] = print_, score
        self._write(
            {
                "phase": name,
                "file": print_,
                "raw": score.raw,
                "fault": score.fault,
                "measures": score.measures,
            }
        )
        return score

    def _write(self, values: Mapping[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(values) + "\n")
            self._file.flush()


def digest_of(card: ModelCard) -> str:
    """Return the name of everything on a card that a frame's raw positive fraction depends on."""
    fields = {"model_sha256", "tile_px", "um_per_px", "normalisation", "threshold", "quality"}
    values = json.dumps(card.model_dump(mode="json", include=fields), sort_keys=True)
    return sha256(values.encode()).hexdigest()


def score_moments(
    frames: Sequence[TimedFrame],
    scores: FrameScores,
    progress: Callable[[int, int], None] | None = None,
) -> list[Moment]:
    """Score frames and gather them by well and time point, in the order of time."""
    sites: dict[tuple[Well, int], list[tuple[TimedFrame, FrameScore]]] = {}
    for done, frame in enumerate(frames, start=1):
        sites.setdefault((frame.place, frame.time_point), []).append((frame, scores.score(frame)))
        if progress is not None:
            progress(done, len(frames))
    moments = []
    for (place, time_point), members in sorted(sites.items(), key=lambda each: each[0]):
        members.sort(key=lambda each: each[0].site)
        moments.append(
            Moment(
                place=place,
                time_point=time_point,
                day=max(frame.day for frame, _ in members),
                raw=tuple(score.raw for _, score in members if score.raw is not None),
                faults=tuple(score.fault for _, score in members if score.fault is not None),
                measures=tuple(score.measures for _, score in members if score.raw is not None),
            )
        )
    return moments


def _read_scores(file: Path, made_by: str) -> dict[str, tuple[Print, FrameScore]]:
    kept: dict[str, tuple[Print, FrameScore]] = {}
    try:
        text = file.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:
            # The call before was cut off within a line: that frame is scored again.
            with file.open("r+b") as cut:
                cut.truncate(len(whole))
        lines = whole.decode().splitlines()
        found = json.loads(lines[0])["made_by"] if lines else made_by
        for line in lines[1:]:
            values = json.loads(line)
            measures = dict(values.get("measures") or {})
            score = FrameScore(raw=values["raw"], fault=values["fault"], measures=measures)
            # Of a frame that was judged there are measures, but not in files of earlier versions:
            # it is scored again.
            if measures or score.raw is None:
                kept[values["phase"]] = values["file"], score
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            complaint(
                "file of frame scores is damaged",
                where=file,
                got=error,
                do="delete it, or give another name",
            )
        ) from error
    if found != made_by:
        raise ConfigError(
            complaint(
                "file holds the scores of another model",
                where=file,
                expected=made_by[:12],
                got=found[:12],
                do="give another file for this bundle",
            )
        )
    return kept


def load_frame(frame: TimedFrame) -> Frame:
    """Read the picture of a frame, with its pixel size in the table, or else in the file.

    Raises
    ------
    FrameError
        When it cannot be read.
    """
    plane = read_picture(frame.picture)
    return Frame(
        key=FrameKey(
            run=frame.run,
            plate=frame.plate,
            well=frame.well,
            site=frame.site,
            time_point=frame.time_point,
            channel="phase",
        ),
        pixels=plane.pixels,
        pixel_size_um=plane.um_per_px if frame.um_per_px is None else frame.um_per_px,
        acquired_at=None,
    )


def hash_frame(frame: TimedFrame, loaded: Frame) -> KnownFrame:
    """Return the hashes of a frame of a time-lapse."""
    return KnownFrame(
        run=frame.run,
        frame=f"{'/'.join(frame.place)}/s{frame.site}/t{frame.time_point:04d}",
        phase=hash_pixels(loaded.pixels),
        fluorescence="",
        mark=mark(loaded.pixels),
    )
