"""Fills in the model card."""

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from math import isfinite

import numpy as np

import scopewatch
from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.core.imaging.efficiency import correct
from scopewatch.core.imaging.model_card.card import FineStain, ModelCard, Normalisation, Versions
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.core.imaging.model_card.labels import LabelCorrections, LabelRecipe, Labels
from scopewatch.core.imaging.model_card.limits import QualityCard
from scopewatch_training.bundle.card_limits import describe_limits
from scopewatch_training.bundle.known_frames import KnownFrames
from scopewatch_training.dataset.corrections.record import count_corrections
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings, PrepareSettings
from scopewatch_training.network.calibrate import ScoredFrame, pool_tiles
from scopewatch_training.network.device import tensorflow_version
from scopewatch_training.network.metrics.images import image_metrics
from scopewatch_training.network.metrics.tiles import tile_metrics
from scopewatch_training.network.network_spec import NetworkSpec, receptive_field_px


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """Facts of a fit that are known before its network is trained.

    Parameters
    ----------
    known_frames
        Hashes of the training frames; None where the data set has none.
    notes
        What limits the figures, as far as it is known before training.
    """

    name: str
    description: str
    network: NetworkSpec
    labels: LabelSettings
    thresholds: Thresholds
    trained_on: tuple[str, ...]
    held_out: tuple[str, ...]
    created_at: datetime
    known_frames: KnownFrames | None
    notes: tuple[str, ...]


def make_card(
    dataset: Dataset,
    facts: CardFacts,
    model: bytes,
    *,
    threshold: float,
    fine_stain: FineStain | None,
    errors: HeldOutErrors | None,
    quality: QualityCard,
    metrics: dict[str, float],
) -> ModelCard:
    """Make the card of a model, with what limits its figures."""
    card = ModelCard(
        schema_version=1,
        name=facts.name,
        description=facts.description,
        simulated=dataset.simulated,
        model_sha256=sha256(model).hexdigest(),
        tile_px=facts.labels.tile_px,
        context=facts.network.context,
        receptive_field_px=receptive_field_px(facts.network),
        um_per_px=dataset.um_per_px,
        normalisation=Normalisation(**asdict(dataset.normalisation)),
        labels=Labels(
            marker=dataset.marker,
            binarisation=facts.thresholds.describe(),
            area_cutoff=facts.labels.area_cutoff,
            recipe=label_recipe(facts.thresholds, facts.labels, dataset.settings),
            corrections=label_corrections(dataset, facts.trained_on),
        ),
        threshold=threshold,
        fine_stain=fine_stain,
        errors=errors,
        quality=quality,
        trained_on=facts.trained_on,
        held_out=facts.held_out,
        metrics=metrics,
        data_sha256=dataset.data_sha256,
        training_frames_sha256=(
            None if facts.known_frames is None else sha256(facts.known_frames.content).hexdigest()
        ),
        created_at=facts.created_at,
        versions=Versions(
            scopewatch=scopewatch.__version__,
            tensorflow=tensorflow_version(),
            python=".".join(str(part) for part in sys.version_info[:3]),
        ),
    )
    return card.model_copy(update={"notes": (*facts.notes, *describe_limits(card))})


def label_corrections(dataset: Dataset, runs: Sequence[str]) -> LabelCorrections | None:
    """Return how much people corrected in some runs; None where nothing changes a label."""
    corrections = dataset.corrections
    if corrections is None:
        return None
    run_of = {pair.id: pair.run for pair in dataset.pairs}
    tiles, dropped = count_corrections(
        each for each in corrections.pairs if run_of[each.id] in runs
    )
    if not tiles and not dropped:
        return None
    return LabelCorrections(sha256=corrections.digest, tiles=tiles, pairs_dropped=dropped)


def label_recipe(
    thresholds: Thresholds, labels: LabelSettings, prepared: PrepareSettings
) -> LabelRecipe:
    """Return the numbers by which the daemon labels fluorescence as the training did."""
    settings = thresholds.settings
    return LabelRecipe(
        method=settings.method,
        scope=settings.effective_scope,
        knee_sigmas=settings.knee_sigmas,
        mad_k=settings.mad_k,
        fixed_counts=settings.fixed_counts,
        controls=settings.controls,
        control_quantile=settings.control_quantile,
        floor_sigmas=settings.floor_sigmas,
        min_snr=settings.min_snr,
        pooled_counts=thresholds.pooled,
        ambiguous_band=labels.ambiguous_band,
        max_unknown=labels.max_unknown,
        smooth_px=prepared.smooth_px,
        glow_px=prepared.glow_px,
        glow_share=prepared.glow_share,
    )


def held_out_figures(
    scored: Sequence[ScoredFrame], threshold: float, errors: HeldOutErrors
) -> dict[str, float]:
    """Return the figures of the card's `metrics`: over frames whose runs were held out.

    `bias_points` and `mae_points` are of the corrected efficiency, in percentage points;
    `raw_` before them, of the uncorrected one.
    """
    labels, scores = pool_tiles(scored)
    tiles = tile_metrics(labels, scores, threshold).to_json()
    counted = [frame.counted for frame in scored]
    counted = [(truth, found) for truth, found in counted if truth.size]
    truths = [float(np.mean(truth == 1)) for truth, _ in counted]
    raw = [float(np.mean(found >= threshold)) for _, found in counted]
    corrected = [correct(share, errors.rates()).value for share in raw]
    images = image_metrics(corrected, truths).to_json()
    plain = image_metrics(raw, truths).to_json()
    figures: dict[str, float | int | None] = {
        name: tiles[name]
        for name in ("roc_auc", "pr_auc", "f1", "precision", "recall", "mcc", "brier", "prevalence")
    }
    figures |= {"r": images["r"], "bias_points": images["bias"], "mae_points": images["mae"]}
    figures |= {"raw_bias_points": plain["bias"], "raw_mae_points": plain["mae"]}
    figures |= {"tiles": tiles["tiles"], "images": images["images"]}
    return {
        name: round(float(value), 5)
        for name, value in figures.items()
        if value is not None and isfinite(value)
    }
