"""Random trials of the checks of `prepare`: how many faults are found, how many false warnings.

    SCOPEWATCH_DATA=... python benchmarks/doubts_trials.py [--trials N] [--seed S] [--simulated DIR]

Each trial draws five to ten fields of each run, makes one fault and runs all checks: a run whose
columns are swapped, one pair whose fluorescence is shifted by 5 to 12 px or warped smoothly by up
to 1/64 of its side (8 px of 512), a run that is there again under another name (byte for byte, in
8 bits, or scaled), a run stained for all nuclei in place of the marker, a run with stray light
from one side that reaches six of its thresholds, a run whose light falls to a tenth at one side. A
swapped run is found where each of its pairs is named or refused, a shifted or warped pair likewise,
a copied run where all of its pairs are counted as copies, a stained, lit or darkened run where it
alone is named. `clean` makes no fault and counts warnings.
DIR is what `scopewatch simulate` wrote, with the pictures of `nuclear_stain.py` for nuclei; real
pairs are those of E. coli, which have none.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path

import numpy as np
import tifffile
from nuclear_stain import stained_path
from PIL import Image
from scipy import ndimage

from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch.core.imaging.frame import Pixels
from scopewatch_training.dataset.checks.falling import measure_fall
from scopewatch_training.dataset.checks.find import find_doubts
from scopewatch_training.dataset.checks.light import find_merged
from scopewatch_training.dataset.checks.uneven import find_uneven_background
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.looks import look_at
from scopewatch_training.dataset.manifest import PairRow, read_manifest
from scopewatch_training.dataset.pairs.process import process_row
from scopewatch_training.dataset.pairs.record import Pair, group_by_run
from scopewatch_training.dataset.pictures import PictureRef, read_picture
from scopewatch_training.dataset.settings import BinariseSettings, PrepareSettings

SETTINGS = PrepareSettings()
BINARISE = BinariseSettings()
Rows = dict[str, PairRow]
Trial = Callable[[list[Pair], np.random.Generator], bool]


class Trials:
    """Trials on the pairs of one manifest, which are processed once."""

    def __init__(self, manifest: Path, work: Path) -> None:
        for name in ("views", "signals", "pairs"):
            (work / name).mkdir(parents=True, exist_ok=True)
        self._work = work
        self._rows = {row.pair_id: row for row in read_manifest(manifest)}
        self._pairs = [self._process(row) for row in self._rows.values()]
        self._swapped: dict[str, Pair] = {}
        self._stained: dict[str, Pair] = {}
        self._lit: dict[tuple[str, int], Pair] = {}
        self._dark: dict[tuple[str, int], Pair] = {}
        cuts = fit_thresholds(self._pairs, BINARISE).per_pair(self._pairs)
        self._cuts = {pair.run: cuts[pair.id] for pair in self._pairs if isfinite(cuts[pair.id])}

    def run(self, trials: int, rng: np.random.Generator) -> dict[str, int]:
        """Return how often each fault was found, and how many clean draws had a warning."""
        kinds: dict[str, Trial] = {
            "swapped column": self._swap,
            "outlier pair": self._shift,
            "warped pair": self._warp,
            "copied run": self._copy,
            "run with stray light": self._light,
            "run with falling light": self._fall,
            "run with falling light, not judged": self._fall_unjudged,
            "clean, with a warning": lambda pairs, _: any(map(_warns, _doubts(pairs))),
        }
        if all(stained_path(row.fluorescence.path).is_file() for row in self._rows.values()):
            kinds["nuclear stain"] = self._stain
        return {
            name: sum(trial(self._draw(rng), rng) for _ in range(trials))
            for name, trial in kinds.items()
        }

    def _process(self, row: PairRow) -> Pair:
        outcome = process_row(row, self._work, SETTINGS)
        return outcome.pair

    def _draw(self, rng: np.random.Generator) -> list[Pair]:
        drawn = []
        for members in group_by_run(self._pairs).values():
            count = min(int(rng.integers(5, 11)), len(members))
            drawn += [members[int(at)] for at in rng.permutation(len(members))[:count]]
        return drawn

    def _swap(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run = _any_run(pairs, rng)
        changed = [self._swap_pair(pair) if pair.run == run else pair for pair in pairs]
        used = [pair for pair in changed if pair.run == run and pair.refused is None]
        named = {each.pair for each in find_doubts(changed) if each.kind is DoubtKind.SWAPPED}
        return all(pair.phase in named for pair in used)

    def _swap_pair(self, pair: Pair) -> Pair:
        if pair.id not in self._swapped:
            row = self._rows[pair.id]
            turned = replace(row, phase=row.fluorescence, fluorescence=row.phase)
            self._swapped[pair.id] = self._process(turned)
        return self._swapped[pair.id]

    def _stain(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run = _any_run(pairs, rng)
        changed = [self._stain_pair(pair) if pair.run == run else pair for pair in pairs]
        named = {each.run for each in find_doubts(changed) if each.kind is DoubtKind.STAIN}
        return named == {run}

    def _stain_pair(self, pair: Pair) -> Pair:
        if pair.id not in self._stained:
            row = self._rows[pair.id]
            nuclei = PictureRef(path=stained_path(row.fluorescence.path))
            self._stained[pair.id] = self._process(replace(row, fluorescence=nuclei))
        return self._stained[pair.id]

    def _light(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run, side = sorted(self._cuts)[int(rng.integers(len(self._cuts)))], int(rng.integers(4))
        changed = [self._light_pair(pair, side) if pair.run == run else pair for pair in pairs]
        return {each.run for each in _doubts(changed) if each.kind is DoubtKind.UNEVEN} == {run}

    def _light_pair(self, pair: Pair, side: int) -> Pair:
        if (pair.id, side) not in self._lit:
            row = self._rows[pair.id]
            pixels = np.rot90(read_picture(row.fluorescence).pixels, side)
            light = np.linspace(0, 6 * self._cuts[pair.run], pixels.shape[1], dtype=np.float32)
            plane = pixels + np.random.default_rng(side).poisson(light, pixels.shape)
            path = self._work / "lit.tif"
            tifffile.imwrite(path, np.clip(np.rot90(plane, -side), 0, 65535).astype(np.uint16))
            odd = self._process(replace(row, fluorescence=PictureRef(path=path)))
            self._lit[pair.id, side] = odd
        return self._lit[pair.id, side]

    def _fall(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run, changed = self._darken(pairs, rng)
        return {each.run for each in _doubts(changed) if each.kind is DoubtKind.FALLING} == {run}

    def _fall_unjudged(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run, changed = self._darken(pairs, rng)
        return measure_fall([pair for pair in changed if pair.run == run]) is None

    def _darken(self, pairs: list[Pair], rng: np.random.Generator) -> tuple[str, list[Pair]]:
        run, side = sorted(self._cuts)[int(rng.integers(len(self._cuts)))], int(rng.integers(4))
        return run, [self._darken_pair(pair, side) if pair.run == run else pair for pair in pairs]

    def _darken_pair(self, pair: Pair, side: int) -> Pair:
        if (pair.id, side) not in self._dark:
            row = self._rows[pair.id]
            pixels = np.rot90(read_picture(row.fluorescence).pixels, side)
            offset = 0.9 * float(np.percentile(pixels, 0.5))
            plane = offset + (pixels - offset) * np.linspace(1, 0.1, pixels.shape[1])
            path = self._work / "dark.tif"
            tifffile.imwrite(path, np.clip(np.rot90(plane, -side), 0, 65535).astype(np.uint16))
            odd = self._process(replace(row, fluorescence=PictureRef(path=path)))
            self._dark[pair.id, side] = odd
        return self._dark[pair.id, side]

    def _shift(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(5, 12)
        moved = (round(length * np.sin(angle)), round(length * np.cos(angle)))
        changed, odd = self._change(pairs, rng, lambda pixels: np.roll(pixels, moved, (0, 1)))
        return odd.refused is not None or _names(changed, odd, DoubtKind.OFFSET)

    def _warp(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        changed, odd = self._change(pairs, rng, partial(_warp, rng=rng))
        return odd.refused is not None or _names(changed, odd, DoubtKind.MOVED)

    def _change(
        self,
        pairs: list[Pair],
        rng: np.random.Generator,
        change: Callable[[Pixels], Pixels],
    ) -> tuple[list[Pair], Pair]:
        """Process one registered pair with another fluorescence: all pairs, and that one."""
        registered = [pair for pair in pairs if pair.registered]
        chosen = registered[int(rng.integers(len(registered)))]
        row = self._rows[chosen.id]
        path = self._work / "changed.tif"
        tifffile.imwrite(path, change(read_picture(row.fluorescence).pixels))
        odd = self._process(replace(row, fluorescence=PictureRef(path=path)))
        return [odd if pair is chosen else pair for pair in pairs], odd

    def _copy(self, pairs: list[Pair], rng: np.random.Generator) -> bool:
        run = _any_run(pairs, rng)
        change = [_same, _eight_bits, partial(_scale, factor=float(rng.uniform(0.5, 1.5)))][
            int(rng.integers(3))
        ]
        copies = []
        for pair in (each for each in pairs if each.run == run):
            pixels = change(read_picture(self._rows[pair.id].phase).pixels)
            look = replace(pair.fluorescence_look, sha256=f"changed {pair.id}")
            copies.append(
                replace(pair, run="again", phase_look=look_at(pixels), fluorescence_look=look)
            )
        return any(
            each.kind in (DoubtKind.COPY, DoubtKind.NEAR_COPY)
            and each.run == "again"
            and each.measured.startswith(f"{len(copies)} ")
            for each in find_doubts([*pairs, *copies])
        )


def _any_run(pairs: Sequence[Pair], rng: np.random.Generator) -> str:
    runs = list(group_by_run(pairs))
    return runs[int(rng.integers(len(runs)))]


def _names(pairs: list[Pair], odd: Pair, kind: DoubtKind) -> bool:
    return any(each.kind is kind and each.pair == odd.phase for each in find_doubts(pairs))


def _warp(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Move everything smoothly, nothing farther than 1/64 of the side."""
    side = max(pixels.shape)
    moves = [ndimage.gaussian_filter(rng.normal(size=pixels.shape), side / 6) for _ in range(2)]
    factor = side / 64 / np.hypot(*moves).max()
    places = [at + factor * by for at, by in zip(np.indices(pixels.shape), moves, strict=True)]
    return np.asarray(ndimage.map_coordinates(pixels, places, order=1, mode="nearest"))


def _doubts(pairs: Sequence[Pair]) -> list[Doubt]:
    used = [pair for pair in pairs if pair.refused is None]
    return [*find_doubts(pairs), *find_merged(used), *find_uneven_background(used, BINARISE)]


def _warns(doubt: Doubt) -> bool:
    return doubt.weight > Weight.NOTE


def _same(pixels: Pixels) -> Pixels:
    return pixels


def _eight_bits(pixels: Pixels) -> Pixels:
    low, high = np.percentile(pixels, (0.2, 99.8))
    return np.clip((pixels - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def _scale(pixels: Pixels, factor: float) -> Pixels:
    height, width = (round(side * factor) for side in pixels.shape)
    image = Image.fromarray(pixels.astype(np.float32))
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(resized), 0, 65535).astype(np.uint16)


def main() -> None:
    """Run the trials and print the counts."""
    parser = argparse.ArgumentParser(description="Random trials of the checks of prepare.")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--simulated", type=Path)
    chosen = parser.parse_args()
    sets = {"E. coli": Path(os.environ["SCOPEWATCH_DATA"]).resolve() / "ecoli-yfp"}
    if chosen.simulated is not None:
        sets["simulated"] = chosen.simulated.resolve()
    for name, folder in sets.items():
        with tempfile.TemporaryDirectory() as work:
            trials = Trials(folder / "manifest.csv", Path(work))
            counts = trials.run(chosen.trials, np.random.default_rng(chosen.seed))
        for fault, count in counts.items():
            print(f"{name}: {fault}: {count} of {chosen.trials}")


if __name__ == "__main__":
    main()
