"""Losses: of tile labels and of the positive area, or of brightness."""

from typing import Any

import tensorflow as tf

from scopewatch_training.network.architecture import AREA_HEAD, TILE_HEAD
from scopewatch_training.network.fit_settings import FitSettings


def losses_of(
    outputs: dict[str, Any], marker: Any, known: Any, settings: FitSettings
) -> tuple[Any, Any]:
    """Return the loss that is shown and the one that is trained for, each a scalar tensor.

    Parameters
    ----------
    outputs
        Logits of both heads: (N, H/t, W/t, 1) and (N, H/a, W/a, 1).
    marker, known
        (N, H, W, 1) float32: where the marker is or how bright, and where it is known.

    Returns
    -------
    Of labels the mean loss of the tile head, and its sum with the weighted one of the area head;
    of brightness the mean loss of the area head, twice.
    """
    area_logits = tf.cast(outputs[AREA_HEAD], tf.float32)
    side_px = tf.shape(marker)[1] // tf.shape(area_logits)[1]
    area, area_known = _pool(marker, known, side_px)
    area_losses = tf.nn.sigmoid_cross_entropy_with_logits(area, area_logits)
    area_loss = _mean(area_losses, area_known)
    if settings.network.learns == "brightness":
        return area_loss, area_loss
    tile_loss = _tile_loss(outputs, marker, known, settings)
    return tile_loss, tile_loss + settings.area_weight * area_loss


def _tile_loss(outputs: dict[str, Any], positive: Any, known: Any, settings: FitSettings) -> Any:
    labels = settings.labels
    share, certain = _pool(positive, known, labels.tile_px)
    counted = tf.cast(certain >= 1 - labels.max_unknown, tf.float32)
    if labels.ambiguous_band > 0:
        clear = tf.abs(share - labels.area_cutoff) >= labels.ambiguous_band
        counted *= tf.cast(clear, tf.float32)
    truth = tf.cast(share >= labels.area_cutoff, tf.float32)
    logits = tf.cast(outputs[TILE_HEAD], tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(truth, logits)
    if settings.focal_gamma > 0:
        wrong = tf.abs(truth - tf.sigmoid(logits))
        losses *= wrong**settings.focal_gamma
    if settings.positive_weight != 1:
        counted *= 1 + (settings.positive_weight - 1) * truth
    return _mean(losses, counted)


def _pool(positive: Any, known: Any, side_px: Any) -> tuple[Any, Any]:
    """Return the positive share of the known area, and the known share, of squares."""
    known_share = _means(known, side_px)
    share = tf.math.divide_no_nan(_means(positive * known, side_px), known_share)
    return tf.minimum(share, 1.0), known_share


def _means(plane: Any, side_px: Any) -> Any:
    shape = tf.shape(plane)
    rows, cols = shape[1] // side_px, shape[2] // side_px
    squares = tf.reshape(plane, (shape[0], rows, side_px, cols, side_px))
    return tf.reduce_mean(squares, axis=(2, 4))[..., None]


def _mean(losses: Any, weights: Any) -> Any:
    return tf.reduce_sum(losses * weights) / tf.maximum(tf.reduce_sum(weights), 1.0)
