"""How near the finer stain of a bundle comes to the truth, beside what costs nothing.

    python -m benchmarks.trained.fine_stain BUNDLE DATA [--runs RUN ...]

For each square of each frame of runs that the bundle was not trained on: the share of its area that
is positive by the fluorescence, against the finer stain, the squares of the network alone, the
scores of tiles repeated or interpolated, and the local standard deviation (a straight line fitted
on the training runs). A square is called positive from half of its area on.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from scopewatch.core.imaging.analyse import drawn_share, finer_logits
from scopewatch.core.imaging.labels import positive_share
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch.inference.bundle import Bundle, load_bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch_training.bundle.fit_record import SCORER_BUDGET_MB
from scopewatch_training.bundle.label_rule import read_label_rule
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.network.frames import frames_of

Planes = dict[str, NDArray[np.float32]]
TRUTH, SPREAD = "truth", "local standard deviation"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", nargs="*", default=())
    call = parser.parse_args()
    bundle, dataset = load_bundle(call.bundle), open_dataset(call.data)
    seen = [run for run in dataset.runs() if run in bundle.card.trained_on]
    runs = call.runs or [run for run in dataset.runs() if run not in seen]
    found = read_squares(bundle, dataset, runs)
    known = read_squares(bundle, dataset, seen)
    found[SPREAD] = np.polyval(np.polyfit(known[SPREAD], known[TRUTH], 1), found[SPREAD])
    truth = found.pop(TRUTH)
    positive = truth >= 0.5
    print(f"{len(truth)} squares, {positive.mean():.1%} positive, runs {', '.join(runs)}")
    print(f"{'':28}  AUC    F1     r      MAE of the share, points")
    for name, share in found.items():
        called = share >= 0.5
        both = called.sum() + positive.sum()
        f1 = 2 * (called & positive).sum() / both if both else float("nan")
        r = np.corrcoef(truth, share)[0, 1]
        mae = 100 * np.abs(truth - share).mean()
        print(f"{name:28}  {roc_auc_score(positive, share):.3f}  {f1:.3f}  {r:.3f}  {mae:.1f}")


def read_squares(bundle: Bundle, dataset: Dataset, runs: list[str]) -> Planes:
    """Return the truth and each estimate for all squares of some runs whose truth is known."""
    parts = list(_score(bundle, dataset, runs))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _score(bundle: Bundle, dataset: Dataset, runs: list[str]) -> Iterator[Planes]:
    stain = bundle.card.fine_stain
    if stain is None:
        raise SystemExit(f"{bundle.folder} has no finer stain")
    times = bundle.card.tile_px // stain.side_px
    tiles_alone = stain.model_copy(update={"offset": 0.0, "of_square": 0.0, "of_tile": 1.0})
    rule = read_label_rule(bundle)
    scorer = TFLiteScorer(bundle, threads=2, memory_budget_mb=SCORER_BUDGET_MB)
    for frame in frames_of(dataset, dataset.of_runs(runs), rule.thresholds, rule.labels):
        view = np.asarray(frame.view[:, :], dtype=np.float32)
        grid = TileGrid(height=view.shape[0], width=view.shape[1], tile_px=stain.side_px)
        truth = positive_share(np.asarray(frame.signal[:, :]), frame.threshold, grid)
        tiles, squares = scorer.score_finely(view)
        if squares is None:
            raise SystemExit(f"{bundle.folder} gave no squares")
        near, around = finer_logits(squares, tiles, times)
        mean = grid.means(view)
        planes = {
            TRUTH: truth,
            "finer stain": drawn_share(stain, near, around),
            "tiles, interpolated": drawn_share(tiles_alone, near, around),
            "tiles, repeated": np.kron(tiles, np.ones((times, times)))[: grid.rows, : grid.cols],
            "squares of the network alone": squares,
            SPREAD: np.sqrt(np.maximum(grid.means(view**2) - mean**2, 0)),
        }
        known = np.isfinite(truth)
        yield {name: plane[known].astype(np.float32) for name, plane in planes.items()}


if __name__ == "__main__":
    main()
