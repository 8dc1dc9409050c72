"""`suggest`: looks at the frames of a time-lapse and chooses which to stain next."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.faults import Fault
from scopewatch.core.imaging.analyse import Scorer, analyse
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.quality import fit_tiles
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.bundle.training_copies import CopyCheck, check_frames
from scopewatch_training.forecasting.frame_scores import hash_frame, load_frame
from scopewatch_training.forecasting.timelapse import TimedFrame, read_timelapse
from scopewatch_training.network.stages import Stages
from scopewatch_training.suggestion.candidates import FrameLook, Place, gather, look_at
from scopewatch_training.suggestion.choose import Suggestion, choose
from scopewatch_training.suggestion.request import SuggestRequest, Unit, choose_frames
from scopewatch_training.suggestion.stained_copies import find_stained


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """What was chosen, from how many, and what was left out.

    Parameters
    ----------
    left_out
        Number of frames by the fault for which they cannot be judged.
    familiar
        Runs of the time-lapse that the bundle was trained on.
    stained_copies
        Frames that are copies of stained ones under other names, whose wells were left out, and
        why copies may have gone unseen.
    training_copies
        Copies of the bundle's training frames under other names.
    sizes
        Number of frames looked at, of each run.
    """

    chosen: tuple[Suggestion, ...]
    candidates: int
    left_out: dict[str, int]
    familiar: tuple[str, ...]
    stained_copies: CopyCheck
    training_copies: CopyCheck
    sizes: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the suggestions as JSON values."""
        return {
            "suggestions": [each.to_json() for each in self.chosen],
            "candidates": self.candidates,
            "left_out": self.left_out,
            "trained_on": list(self.familiar),
            "copies_of_stained": [each.to_json() for each in self.stained_copies.copies],
            "stained_unchecked": list(self.stained_copies.unchecked),
            **self.training_copies.to_json(),
        }


def suggest(
    bundle: Bundle,
    request: SuggestRequest,
    *,
    beside: Sequence[Bundle] = (),
    threads: int,
    monotonic: Callable[[], float],
    stages: Stages,
) -> Suggestions:
    """Choose which wells or frames to stain next.

    Parameters
    ----------
    beside
        Other bundles for the same frames, whose disagreement counts.

    Raises
    ------
    ConfigError
        When no frame is left to choose from, or a bundle beside takes other frames.
    ModelError
        When the bundle's list of training frames is not the one that its card names.
    """
    refuse_other_frames(bundle, beside)
    frames = choose_frames(read_timelapse(request.timelapse), request)
    looks: dict[Place, list[FrameLook]] = {}
    left_out: Counter[str] = Counter()
    hashes = []
    with ExitStack() as stack:
        scorer, *others = (
            stack.enter_context(
                closing(TFLiteScorer(each, threads=threads, memory_budget_mb=SCORER_BUDGET_MB))
            )
            for each in (bundle, *beside)
        )
        progress = stack.enter_context(stages.counting("frames"))
        for done, frame in enumerate(frames, start=1):
            loaded = load_frame(frame)
            hashes.append(hash_frame(frame, loaded))
            look = look_at_frame(loaded, scorer, others, monotonic)
            if isinstance(look, FrameLook):
                looks.setdefault(_place(frame, request.by), []).append(look)
            else:
                left_out[look] += 1
            progress(done, len(frames))
    stained = find_stained(hashes, request.stained_frames)
    copied = {each.frame for each in stained.copies}
    for frame, each in zip(frames, hashes, strict=True):
        if each.frame in copied:
            looks.pop(_place(frame, request.by), None)
    if not looks:
        raise ConfigError(
            complaint(
                "no frame can be judged",
                where=request.timelapse,
                got=", ".join(
                    [
                        *(f"{count} {fault}" for fault, count in left_out.items()),
                        *(
                            [f"{len(stained.copies)} copies of stained frames"]
                            if stained.copies
                            else []
                        ),
                    ]
                ),
                do="look at the frames, and at scale and limits on the card",
            )
        )
    candidates = gather(looks, bundle.card.quality.distance)
    runs = dict.fromkeys(frame.run for frame in frames)
    return Suggestions(
        chosen=tuple(choose(candidates, request.count)),
        candidates=len(candidates),
        left_out=dict(left_out),
        familiar=tuple(run for run in runs if run in bundle.card.trained_on),
        stained_copies=stained,
        training_copies=check_frames(
            bundle,
            [each for each in hashes if each.run not in bundle.card.trained_on],
        ),
        sizes=Counter(frame.run for frame in frames),
    )


def look_at_frame(
    frame: Frame,
    scorer: Scorer,
    others: Sequence[Scorer],
    monotonic: Callable[[], float],
) -> FrameLook | str:
    """Judge and score a frame; returns the fault where it cannot be judged.

    A frame that is unlike the training frames is scored all the same: it may teach the most.
    """
    result = analyse(frame, scorer, monotonic)
    fault, view = result.verdict.fault, result.view
    if view is None or fault not in (None, Fault.OUT_OF_DOMAIN):
        return str(fault)
    if result.scores is not None:
        probability, valid = result.scores.probability, result.scores.valid
    else:
        grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=scorer.card.tile_px)
        probability = scorer.score(view)
        valid = grid.whole() & fit_tiles(frame.pixels, grid)
    look = look_at(
        probability,
        valid,
        scorer.card.threshold,
        result.verdict.measures,
        [each.score(view) for each in others],
    )
    return Fault.BLANK.value if look is None else look


def refuse_other_frames(bundle: Bundle, beside: Sequence[Bundle]) -> None:
    """Refuse bundles beside whose tiles, scale or normalisation differ."""
    card = bundle.card
    for other in beside:
        facts = [
            f"{each.tile_px} px tiles at {each.um_per_px} um/px, {each.normalisation.spec()}"
            for each in (card, other.card)
        ]
        if facts[0] != facts[1]:
            raise ConfigError(
                complaint(
                    "bundle beside takes other frames",
                    where=other.folder,
                    expected=facts[0],
                    got=facts[1],
                    do="give bundles that were fitted on one data set",
                )
            )


def _place(frame: TimedFrame, by: Unit) -> Place:
    return Place(
        run=frame.run,
        plate=frame.plate,
        well=frame.well,
        time_point=frame.time_point,
        day=frame.day,
        site=frame.site if by == "frame" else None,
    )
