"""A tiny prepared data set: blobs, of which the striped ones carry the marker."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.imaging.histogram import count_signal
from scopewatch_training.dataset.index import index_json, open_dataset
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import PrepareSettings
from scopewatch_training.evaluation.evaluate import write_figures
from scopewatch_training.network.batches import TrainingFrame

SIDE_PX = 128
THRESHOLD = 50.0


def make_field(seed: int, share: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return view and signal, (128, 128): `share` of the 16 px squares are striped and glow."""
    rng = np.random.default_rng(seed)
    glowing = rng.random((SIDE_PX // 16, SIDE_PX // 16)) < share
    pixels = glowing.repeat(16, axis=0).repeat(16, axis=1)
    stripes = np.where(np.arange(SIDE_PX) % 4 < 2, 2.0, -2.0)[:, None]
    view = rng.normal(0, 0.5, (SIDE_PX, SIDE_PX)) + np.where(pixels, stripes, 0)
    signal = rng.normal(0, 5, (SIDE_PX, SIDE_PX)) + np.where(pixels, 200.0, 0)
    return view.astype(np.float32), signal.astype(np.float32)


def make_frames(count: int = 4, share: float = 0.4, run: str = "run1") -> list[TrainingFrame]:
    """Return frames of one run that are not on disk."""
    fields = [make_field(seed, share) for seed in range(count)]
    return [
        TrainingFrame(id=f"{run}-{i}", run=run, view=view, signal=signal, threshold=THRESHOLD)
        for i, (view, signal) in enumerate(fields)
    ]


def write_dataset(folder: Path, runs: int = 3, wells: int = 4) -> Path:
    """Write a data set as `prepare` does: run1.., wells with 10 to 70 % of tiles positive."""
    for name in ("views", "signals"):
        (folder / name).mkdir(parents=True)
    pairs = []
    for run in range(1, runs + 1):
        for well in range(wells):
            name = f"run{run}_A{well + 1}"
            share = 0.1 + 0.6 * well / max(wells - 1, 1)
            view, signal = make_field(100 * run + well, share)
            np.save(folder / "views" / f"{name}.npy", view.astype(np.float16))
            np.save(folder / "signals" / f"{name}.npy", signal)
            pairs.append(
                Pair(
                    id=name,
                    run=f"run{run}",
                    plate="P1",
                    well=f"A{well + 1}",
                    site=0,
                    time_point=20,
                    day=10.0,
                    phase=f"{name}_phase.tif",
                    fluorescence=f"{name}_gfp.tif",
                    height=SIDE_PX,
                    width=SIDE_PX,
                    um_per_px=1.0,
                    view=f"views/{name}.npy",
                    signal=f"signals/{name}.npy",
                    noise=5.0,
                    histogram=count_signal(signal),
                    measures=make_measures(contrast=0.1 + 0.01 * well),
                )
            )
    dataset = Dataset(
        folder=folder,
        created_at="2026-03-01T09:00:00+00:00",
        um_per_px=1.0,
        marker="GFP",
        settings=PrepareSettings(),
        data_sha256="a" * 64,
        simulated=True,
        pairs=tuple(pairs),
    )
    write_figures(folder / "dataset.json", index_json(dataset))
    open_dataset(folder)
    return folder


def make_measures(**changes: float) -> dict[str, float]:
    """Return measures as of `core.imaging.quality.measure`; `changes` replace values."""
    return {
        "contrast": 0.1,
        "saturated": 0.0,
        "blank": 0.0,
        "focus": 0.4,
        "structure": 0.9,
        "correlation_px": 4.0,
        "band_coarse": 0.1,
        "band_32px": 0.3,
        "band_16px": 0.4,
        "band_8px": 0.1,
        "band_4px": 0.02,
        "skewness": -1.0,
        "tails": 0.01,
        "entropy": 4.6,
    } | changes
