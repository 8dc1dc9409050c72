"""Wells that `suggest` chooses against as many random ones, simulated, paired over repeats.

    nice python benchmarks/trained/suggest_or_random.py --work build/learning-curve [--repeats 12]

A model is fitted on a few runs. From the wells of other runs `suggest` chooses some, and a draw
chooses as many. Both are added to the training wells, a network of the same seed is trained on
each, and both are judged by the ROC AUC on further runs. Prints the difference with a 95 % interval
over repeats. A call that was interrupted goes on.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from scipy.stats import t
from small_fits import (
    Record,
    SmallModel,
    add_options,
    fit_small,
    processor,
    simulated_dataset,
    small_settings,
)

from scopewatch_training.bundle.limits import learn_limits
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import assess
from scopewatch_training.suggestion.candidates import FrameLook, Place, gather, look_at
from scopewatch_training.suggestion.choose import choose


def main() -> None:
    """Fit, choose, fit again, print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, repeats=12)
    parser.add_argument("--start", type=int, default=2, help="runs to begin with")
    parser.add_argument("--pool", type=int, default=6, help="runs to choose wells from")
    parser.add_argument("--count", type=int, default=6, help="wells that are chosen")
    call = parser.parse_args()
    dataset = simulated_dataset(call)
    record = Record(call.work / "suggested.jsonl")
    for repeat in range(len(record.kept), call.repeats):
        record.keep(one_repeat(dataset, call, repeat))
    print(
        f"\nsimulated: {call.start} runs to begin with, {call.count} of the wells of {call.pool}"
        f" other runs added, {call.held_out} runs held out; {processor()}\n"
    )
    columns = {name: np.array([each[name] for each in record.kept]) for name in ("start", *ARMS)}
    for name, values in columns.items():
        print(f"{name:8} ROC AUC {values.mean():.4f}")
    less = columns["suggest"] - columns["random"]
    half = t.ppf(0.975, len(less) - 1) * less.std(ddof=1) / np.sqrt(len(less))
    print(
        f"suggest less random {less.mean():+.4f}, 95 % interval {less.mean() - half:+.4f} to"
        f" {less.mean() + half:+.4f}, better in {int((less > 0).sum())} of {len(less)}"
    )


ARMS = ("suggest", "random")


def one_repeat(dataset: Dataset, call: argparse.Namespace, repeat: int) -> dict[str, float]:
    """Return the ROC AUC on held-out runs before and after wells are added."""
    rng = np.random.default_rng([call.seed, 1, repeat])
    order = [str(each) for each in rng.permutation(dataset.runs())]
    start = dataset.of_runs(order[: call.start])
    pool = dataset.of_runs(order[call.start : call.start + call.pool])
    held_out = dataset.of_runs(order[call.start + call.pool :][: call.held_out])
    settings = small_settings(call.steps, repeat)
    model = fit_small(dataset, start, settings)
    drawn = rng.permutation(len(pool))[: call.count]
    added = {
        "suggest": chosen_by_suggest(model, dataset, start, pool, call.count),
        "random": [pool[each] for each in drawn],
    }
    figures: dict[str, float] = {
        "repeat": repeat,
        "start": auc_of(model, dataset, held_out),
    }
    for name in ARMS:
        pairs = (*start, *added[name])
        figures[name] = auc_of(fit_small(dataset, pairs, settings), dataset, held_out)
    return figures


def auc_of(model: SmallModel, dataset: Dataset, pairs: Sequence[Pair]) -> float:
    """Return the ROC AUC over the tiles of pairs."""
    found = assess(model.score(dataset, pairs), np.random.default_rng(0), repeats=0)
    return found.pooled.tile.roc_auc


def chosen_by_suggest(
    model: SmallModel, dataset: Dataset, start: Sequence[Pair], pool: Sequence[Pair], count: int
) -> list[Pair]:
    """Return the pairs of the wells that `suggest` chooses, from their phase frames alone."""
    looks: dict[Place, list[FrameLook]] = {}
    pair_at: dict[Place, Pair] = {}
    for pair, field in zip(pool, model.score(dataset, pool), strict=True):
        place = Place(
            run=pair.run, plate=pair.plate, well=pair.well, time_point=pair.time_point, day=10.0
        )
        every = np.ones(field.probability.shape, dtype=bool)
        look = look_at(field.probability, every, field.threshold, pair.measures)
        if look is not None:
            looks[place], pair_at[place] = [look], pair
    found = choose(gather(looks, learn_limits(start).distance), count)
    return [pair_at[each.candidate.place] for each in found]


if __name__ == "__main__":
    main()
