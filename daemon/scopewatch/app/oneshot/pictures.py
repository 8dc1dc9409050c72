"""The pictures of `scopewatch score`, as the daemon draws them."""

from dataclasses import dataclass
from pathlib import Path

from scopewatch.app.oneshot.frame_scoring import Pictures
from scopewatch.app.run_policy import policy_of
from scopewatch.config import OverlayConfig, RunConfig
from scopewatch.core.imaging.model_card.card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSettings:
    """How pictures are drawn.

    Parameters
    ----------
    grid
        Whether the tile grid is drawn.
    """

    run: RunConfig
    card: ModelCard
    grid: bool


def open_pictures(out: Path, settings: PictureSettings) -> Pictures:
    """Return what writes pictures into a folder."""
    from scopewatch.store.files.overlays import OverlayFolder  # noqa: PLC0415 - only where wanted

    return OverlayFolder(
        out,
        options=OverlayConfig(grid=settings.grid),
        policy=policy_of(settings.run),
        threshold=settings.card.threshold,
        marker=settings.card.labels.marker,
    )
