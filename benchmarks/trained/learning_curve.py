"""How many runs a model needs: figures on held-out runs by the number of training runs, simulated.

    nice python benchmarks/trained/learning_curve.py --work build/learning-curve [--repeats 6]
    nice python benchmarks/trained/learning_curve.py --sizes 1 3 --stem patches

In each repeat some of the simulated runs are held out for all sizes, and the training runs of one
size are among those of the next. Prints the mean over repeats with a 95 % bootstrap interval over
repeats (of fewer than five: the lowest and the highest); they draw from one pool of runs, so that
the intervals are rather too narrow. A call that was interrupted goes on. With --stem the networks
are those of `fit`: their size, steps, crops and augmentation, in float32 and without inner folds.
"""

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from small_fits import (
    LABELS,
    Record,
    SmallModel,
    add_options,
    fit_small,
    processor,
    simulated_dataset,
    small_settings,
)

from scopewatch_training.bundle.limits import learn_limits, refuses
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import assess
from scopewatch_training.network.fit_settings import FitSettings
from scopewatch_training.network.network_spec import STEMS, USUAL_SIZES, NetworkSpec

SIZES = (1, 2, 3, 5, 7)
COLUMNS = {
    "auc": ("ROC AUC", 3),
    "mae": ("MAE", 1),
    "worst_bias": ("bias of the worst run", 1),
    "refused": ("frames refused [%]", 0),
    "guess_mae": ("MAE of a constant", 1),
}


def main() -> None:
    """Fit, judge, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, repeats=6)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="training runs")
    parser.add_argument("--stem", choices=STEMS, help="networks of fit in place of small ones")
    call = parser.parse_args()
    dataset = simulated_dataset(call)
    record = Record(call.work / f"figures{f'-{call.stem}' if call.stem else ''}.jsonl")
    for repeat in range(call.repeats):
        rng = np.random.default_rng([call.seed, repeat])
        order = [str(each) for each in rng.permutation(dataset.runs())]
        held, pool = order[: call.held_out], order[call.held_out :]
        for size in call.sizes:
            if any((each["repeat"], each["size"]) == (repeat, size) for each in record.kept):
                continue
            pairs = dataset.of_runs(pool[:size])
            model = fit_small(dataset, pairs, settings_of(call, repeat))
            figures = judge(model, dataset, pairs, held)
            record.keep({"repeat": repeat, "size": size, **figures})
    print_table(record.kept, call)


def settings_of(call: argparse.Namespace, seed: int) -> FitSettings:
    """Return settings of a small network, or those of `fit` for a stem."""
    if call.stem is None:
        return small_settings(call.steps, seed)
    usual = USUAL_SIZES[call.stem]
    network = NetworkSpec(stem=call.stem, width=usual.width, depth=usual.depth)
    return FitSettings(network=network, labels=LABELS, steps=usual.steps, seed=seed)


def judge(
    model: SmallModel, dataset: Dataset, training: Sequence[Pair], held_out: Sequence[str]
) -> dict[str, float]:
    """Return the figures on held-out runs; errors and biases are in percentage points."""
    pairs = dataset.of_runs(held_out)
    found = assess(model.score(dataset, pairs), np.random.default_rng(0), repeats=0)
    known = assess(model.score(dataset, training), np.random.default_rng(0), repeats=0)
    guess = np.mean([each.truth for each in known.fields])
    limits = learn_limits(training)
    return {
        "auc": found.pooled.tile.roc_auc,
        "mae": found.pooled.image.mae,
        "worst_bias": max(abs(each.image.bias) for each in found.per_run.values()),
        "refused": 100 * float(np.mean([refuses(limits, pair.measures) for pair in pairs])),
        "guess_mae": 100 * float(np.mean([abs(each.truth - guess) for each in found.fields])),
    }


def print_table(kept: Sequence[dict[str, float]], call: argparse.Namespace) -> None:
    """Print the means with their intervals as a Markdown table."""
    print(
        f"\nsimulated: {call.wells} wells of one {call.size_px} px field each, {call.held_out} runs"
        f" held out, {call.repeats} repeats, {settings_of(call, 0).steps} steps; {processor()}\n"
    )
    names = " | ".join(name for name, _ in COLUMNS.values())
    print(f"| training runs | {names} |")
    print("|---|" + "---|" * (len(COLUMNS) + 1))
    for size in call.sizes:
        members = [each for each in kept if each["size"] == size]
        cells = [
            cell(np.array([each[name] for each in members]), digits)
            for name, (_, digits) in COLUMNS.items()
        ]
        print(f"| {size} | " + " | ".join(cells) + " |")


def cell(values: NDArray[np.float64], digits: int) -> str:
    """Return the mean and the interval over repeats; of fewer than five, lowest and highest."""
    if not len(values):
        return "-"
    low, high = values.min(), values.max()
    if len(values) >= 5:
        rng = np.random.default_rng(0)
        means = rng.choice(values, (2000, len(values))).mean(axis=1)
        low, high = np.percentile(means, (2.5, 97.5))
    return f"{values.mean():.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    main()
