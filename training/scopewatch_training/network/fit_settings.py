"""Settings of a fit, recorded with the bundle."""

import json
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, require
from scopewatch_training.network.network_spec import USUAL_SIZES, NetworkSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Settings of one fit.

    Parameters
    ----------
    steps, batch, crop_px
        Optimiser steps, crops in a step, side of a crop.
    learning_rate, weight_decay
        Of AdamW (Loshchilov and Hutter, ICLR 2019); the rate rises over the first steps, then
        falls along a cosine to 0.
    augmentation
        Strength of `augment.Augmentation`; 0 leaves flips and quarter turns.
    positive_weight
        Weight of positive tiles in the loss, against 1 for negative ones. The scores are
        calibrated afterwards, so that it moves only what the network attends to.
    focal_gamma
        Exponent of the focal loss (Lin et al., ICCV 2017); 0 is plain cross-entropy.
    area_weight
        Weight of the area head beside the tile head.
    averaging
        Momentum of the running average of the weights, which is what is kept.
    checks, patience
        How often a network with a held-out run is checked on it, evenly over the steps, and
        after how many checks without a better loss it stops.
    inner_folds
        Into how many groups of whole runs the training runs are dealt: each is held out once,
        for early stopping, calibration, threshold and error rates.
    members
        How many networks are trained, from seeds of their own; the mean of their logits is scored.
    seed
        Of everything random.
    """

    network: NetworkSpec = field(default_factory=NetworkSpec)
    labels: LabelSettings = field(default_factory=LabelSettings)
    binarise: BinariseSettings = field(default_factory=BinariseSettings)
    steps: int = USUAL_SIZES["patches"].steps
    batch: int = 8
    crop_px: int = 256
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    augmentation: float = 0.5
    positive_weight: float = 1.0
    focal_gamma: float = 0.0
    area_weight: float = 1.0
    averaging: float = 0.98
    checks: int = 5
    patience: int = 3
    inner_folds: int = 3
    members: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        require(
            self.network.tile_px == self.labels.tile_px,
            "tile_px",
            f"one for network and labels, {self.labels.tile_px}",
            self.network.tile_px,
        )
        tile = self.labels.tile_px
        require(self.steps >= 1, "steps", "1 or more", self.steps)
        require(self.batch >= 1, "batch", "1 or more", self.batch)
        require(
            self.crop_px % tile == 0 and self.crop_px >= 2 * tile,
            "crop_px",
            f"a multiple of {tile}, two tiles or more",
            self.crop_px,
        )
        require(0 < self.learning_rate < 1, "learning_rate", "0 to 1", self.learning_rate)
        require(0 <= self.weight_decay < 1, "weight_decay", "0 to 1", self.weight_decay)
        require(0 <= self.augmentation <= 3, "augmentation", "0 to 3", self.augmentation)
        require(
            0.1 <= self.positive_weight <= 50, "positive_weight", "0.1 to 50", self.positive_weight
        )
        require(0 <= self.focal_gamma <= 5, "focal_gamma", "0 to 5", self.focal_gamma)
        require(0 <= self.area_weight <= 10, "area_weight", "0 to 10", self.area_weight)
        require(0 <= self.averaging < 1, "averaging", "0 up to 1", self.averaging)
        require(1 <= self.checks <= self.steps, "checks", "1 to steps", self.checks)
        require(self.patience >= 1, "patience", "1 or more", self.patience)
        require(self.inner_folds >= 2, "inner_folds", "2 or more", self.inner_folds)
        require(
            self.network.learns == "labels" or (self.positive_weight, self.focal_gamma) == (1, 0),
            "positive_weight, focal_gamma",
            "1 and 0 where brightness is learnt, which has no classes",
            f"{self.positive_weight}, {self.focal_gamma}",
        )
        require(1 <= self.members <= 8, "members", "1 to 8", self.members)
        require(self.seed >= 0, "seed", "0 or more", self.seed)

    @property
    def joins(self) -> bool:
        """Whether trained networks are joined: several of them, or means over squares."""
        return self.members > 1 or self.network.learns == "brightness"

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self) | {"binarise": self.binarise.to_json()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "FitSettings":
        """Read what `to_json` wrote; earlier versions wrote no stem, which means halvings.

        Width, depth and steps that are missing are those of the stem.
        """
        network = {"stem": "halvings"} | values["network"]
        usual = USUAL_SIZES.get(network["stem"])
        if usual is not None:
            network = {"width": usual.width, "depth": usual.depth} | network
            values = {"steps": usual.steps} | values
        return cls(
            **{
                **values,
                "network": NetworkSpec(**network),
                "labels": LabelSettings(**values["labels"]),
                "binarise": BinariseSettings.from_json(values["binarise"]),
            }
        )

    def fingerprint(self) -> str:
        """Sixteen hex digits that differ for other settings."""
        return sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]
