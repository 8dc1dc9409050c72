"""Baselines on the split of the network: the figures that simpler methods reach.

`local_std` scores a tile by its standard deviation alone; `random_forest` (Breiman, Machine
Learning 45:5, 2001) by texture features of the isolated tile. Both see the normalised view that
the network sees, learn from the same training runs and take their threshold from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.labels import NOT_COUNTED, Labels
from scopewatch.core.imaging.tiling import TileGrid
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings, require
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.evaluation.in_words import RANDOM_FOREST
from scopewatch_training.evaluation.texture_features import feature_names, tile_features
from scopewatch_training.network.metrics.tiles import best_f1_threshold

LOCAL_STD: Final = "local_std"
_MOST_TILES: Final = 40_000
_MOST_BYTES_KEPT: Final = 512 * 2**20


@dataclass(kw_only=True)
class Baselines:
    """Scores runs by the baselines.

    Features are computed once for each frame, as long as those that are kept fill no more than
    half a gigabyte.

    Parameters
    ----------
    trees, jobs, seed
        Of the random forest.
    """

    dataset: Dataset
    labels: LabelSettings
    trees: int = 300
    jobs: int = 1
    seed: int = 0
    _kept: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    _bytes_kept: int = 0

    def __post_init__(self) -> None:
        # With fewer, some tiles are in the sample of every tree and have no out-of-bag score.
        require(self.trees >= 50, "trees", "50 or more", self.trees)

    def score(
        self,
        training: Sequence[Pair],
        testing: Sequence[Pair],
        thresholds: Mapping[str, float],
    ) -> dict[str, list[ScoredField]]:
        """Train on some pairs and score others.

        Parameters
        ----------
        thresholds
            Binarisation threshold of each pair of both, by its id.

        Raises
        ------
        ConfigError
            When the training pairs do not show both positive and negative tiles.
        """
        features, truth = self._sample(training, thresholds)
        deviation = features[:, [feature_names().index("std")]]
        simple = LogisticRegression().fit(np.log(deviation + 1e-3), truth)
        simple_cut = best_f1_threshold(truth, _positive(simple, np.log(deviation + 1e-3)))
        forest = RandomForestClassifier(
            n_estimators=self.trees,
            min_samples_leaf=2,
            oob_score=True,
            n_jobs=self.jobs,
            random_state=self.seed,
        ).fit(features, truth)
        forest_cut = best_f1_threshold(truth, forest.oob_decision_function_[:, 1])
        scored: dict[str, list[ScoredField]] = {LOCAL_STD: [], RANDOM_FOREST: []}
        for pair in testing:
            tiles = self._features(pair)
            flat = tiles.reshape(-1, tiles.shape[-1])
            labels = self._labels(pair, thresholds)
            spread = np.log(flat[:, [feature_names().index("std")]] + 1e-3)
            for name, probability, cut in (
                (LOCAL_STD, _positive(simple, spread), simple_cut),
                (RANDOM_FOREST, _positive(forest, flat), forest_cut),
            ):
                scored[name].append(
                    ScoredField(
                        id=pair.id,
                        run=pair.run,
                        labels=labels,
                        probability=probability.reshape(labels.shape).astype(np.float32),
                        threshold=cut,
                    )
                )
        return scored

    def _sample(
        self, pairs: Sequence[Pair], thresholds: Mapping[str, float]
    ) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
        """Features and labels of at most 40 000 counted tiles, evenly from the pairs."""
        rng = np.random.default_rng(self.seed)
        share = -(-_MOST_TILES // max(len(pairs), 1))
        features, labels = [], []
        for pair in pairs:
            given = self._labels(pair, thresholds).ravel()
            counted = np.flatnonzero(given != NOT_COUNTED)
            if counted.size > share:
                counted = np.sort(rng.choice(counted, share, replace=False))
            tiles = self._features(pair)
            features.append(tiles.reshape(-1, tiles.shape[-1])[counted])
            labels.append(given[counted])
        pooled = np.concatenate(labels) if labels else np.empty(0, dtype=np.int8)
        positive = int(np.count_nonzero(pooled == 1))
        if positive in (0, pooled.size):
            raise ConfigError(
                complaint(
                    "training runs hold no tile of one class",
                    where=", ".join(sorted({pair.run for pair in pairs})) or "no run",
                    expected="positive and negative tiles",
                    got=f"{positive} positive of {pooled.size}",
                    do="check the binarisation in the data set's report, or add runs",
                )
            )
        return np.concatenate(features), pooled

    def _features(self, pair: Pair) -> NDArray[np.float32]:
        kept = self._kept.get(pair.id)
        if kept is None:
            view = np.asarray(self.dataset.view(pair), dtype=np.float32)
            grid = TileGrid(height=pair.height, width=pair.width, tile_px=self.labels.tile_px)
            kept = tile_features(view, grid)
            if self._bytes_kept + kept.nbytes <= _MOST_BYTES_KEPT:
                self._kept[pair.id] = kept
                self._bytes_kept += kept.nbytes
        return kept

    def _labels(self, pair: Pair, thresholds: Mapping[str, float]) -> Labels:
        return self.dataset.label(pair, thresholds[pair.id], self.labels)


def _positive(
    model: LogisticRegression | RandomForestClassifier, features: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Probability of the positive class."""
    return np.asarray(model.predict_proba(features)[:, 1], dtype=np.float64)
