"""The difficulty of the simulated task for methods that use the texture of one tile only.

Prints the share of positive tiles, the AUC of the local standard deviation (pooled and per run)
and the AUC of a random forest on texture features with whole runs held out. The simulator keeps
the first at 0.75 or below and the last at 0.95 or below.

    python benchmarks/simulator_difficulty.py --runs 7 --wells 12 --seed 1 --regime broad
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import feature as skimage_feature
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from scopewatch.core.imaging.normalise import NormaliseSpec, normalise
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_simulator.plan import (
    AREA_CUTOFF,
    FINAL_TIME_POINT,
    SIMULATOR_VERSION,
    TILE_PX,
    Regime,
)
from scopewatch_simulator.simulation import Simulation

Features = NDArray[np.float32]

feature: Any = skimage_feature  # its functions have no type hints


def texture_features(view: Features, grid: TileGrid) -> Features:
    """Return (tiles, features): moments, gradients at four scales, LBP, GLCM of each tile."""
    planes = [view, view**2]
    for sigma in (0.7, 1.5, 3.0, 6.0):
        smooth = ndimage.gaussian_filter(view, sigma)
        gy, gx = np.gradient(smooth)
        planes += [(view - smooth) ** 2, gy * gy + gx * gx, ndimage.laplace(smooth) ** 2]
        # The structure tensor gives the share of the tile's lines in one direction.
        tensor = [grid.means(p) for p in (gx * gx, gy * gy, gx * gy)]
        coherence = np.hypot(tensor[0] - tensor[1], 2 * tensor[2])
        planes.append(grid.spread(coherence / (tensor[0] + tensor[1] + 1e-6)))
    columns = [grid.means(plane).ravel() for plane in planes]
    columns.append(np.sqrt(np.maximum(columns[1] - columns[0] ** 2, 0)))
    grey = np.clip((view + 3) / 6 * 31, 0, 31).astype(np.uint8)
    tiles = [
        grey[row * TILE_PX : (row + 1) * TILE_PX, col * TILE_PX : (col + 1) * TILE_PX]
        for row in range(grid.rows)
        for col in range(grid.cols)
    ]
    rows = [np.concatenate([_lbp(tile), _glcm(tile), _quantiles(tile)]) for tile in tiles]
    return np.column_stack([*columns, np.array(rows)]).astype(np.float32)


def _lbp(tile: NDArray[np.uint8]) -> Features:
    counts = []
    for radius in (1, 3):
        codes = feature.local_binary_pattern(tile, 8, radius, "uniform")
        counts.append(np.bincount(codes.astype(int).ravel(), minlength=10) / codes.size)
    return np.concatenate(counts).astype(np.float32)


def _glcm(tile: NDArray[np.uint8]) -> Features:
    """Mean and range over four directions of three properties at four distances."""
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = feature.graycomatrix(
        tile, [1, 3, 6, 10], angles, levels=32, symmetric=True, normed=True
    )
    found = [
        feature.graycoprops(matrix, name) for name in ("contrast", "correlation", "homogeneity")
    ]
    ranges = [values.max(axis=1) - values.min(axis=1) for values in found]
    return np.concatenate([v.mean(axis=1) for v in found] + ranges).astype(np.float32)


def _quantiles(tile: NDArray[np.uint8]) -> Features:
    return np.percentile(tile, (5, 25, 50, 75, 95)).astype(np.float32)


def measure(seed: int, regime: Regime, runs: int, wells: int) -> dict[str, object]:
    """Simulate final-day frames and measure how well textures separate the classes."""
    simulation = Simulation(seed=seed, regime=regime, cached_fields=1)
    features, labels, groups = [], [], []
    for run in range(runs):
        for well in range(wells):
            frame = simulation.frame(run, well, 0, FINAL_TIME_POINT)
            grid = TileGrid(height=frame.shape[0], width=frame.shape[1], tile_px=TILE_PX)
            features.append(texture_features(normalise(frame, NormaliseSpec()), grid))
            mask = simulation.mask(run, well, 0, FINAL_TIME_POINT)
            labels.append((grid.means(mask) >= AREA_CUTOFF).ravel())
            groups.append(np.full(grid.rows * grid.cols, run))
        sys.stderr.write(f"\rrun {run + 1} of {runs} simulated")
    sys.stderr.write("\n")
    table, positive = np.concatenate(features), np.concatenate(labels)
    return _judge(table, positive, np.concatenate(groups), seed, regime)


def _judge(
    table: Features, positive: NDArray[np.bool_], run: NDArray[np.int_], seed: int, regime: Regime
) -> dict[str, object]:
    std = table[:, 18]
    score = np.zeros(len(positive))
    for held_out in np.unique(run):
        train, test = run != held_out, run == held_out
        forest = RandomForestClassifier(
            300, min_samples_leaf=3, class_weight="balanced", random_state=seed, n_jobs=2
        )
        forest.fit(table[train], positive[train])
        score[test] = forest.predict_proba(table[test])[:, 1]

    def auc(values: NDArray[np.floating]) -> dict[str, object]:
        each = [roc_auc_score(positive[run == r], values[run == r]) for r in np.unique(run)]
        return {
            "pooled": round(float(roc_auc_score(positive, values)), 4),
            "per_run": [round(float(value), 4) for value in each],
        }

    return {
        "simulator_version": SIMULATOR_VERSION,
        "regime": regime.value,
        "seed": seed,
        "tiles": len(positive),
        "prevalence": round(float(positive.mean()), 4),
        "local_std_auc": auc(std),
        "random_forest_auc_run_held_out": auc(score),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--wells", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--regime", type=Regime, choices=list(Regime), default=Regime.BROAD)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    chosen = parser.parse_args()
    figures = measure(chosen.seed, chosen.regime, chosen.runs, chosen.wells)
    text = json.dumps(figures, indent=2)
    print(text)
    if chosen.json is not None:
        chosen.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
