"""Frames by which a runtime is compared with LiteRT: the bundle's own, or made ones.

`report/check.npz` of a bundle has a few frames as the int8 codes that the network is given, with
the codes that LiteRT gave their tiles.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from scopewatch.core.errors import ModelError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.codes import Quantisation

CHECK_NAME: Final = "check.npz"
CHECK_FILE: Final = f"report/{CHECK_NAME}"
MADE_FRAMES: Final = 4
LEAST_DOUBT: Final = 0.005
"""Mean of p (1 - p) below which a network is sure of all tiles."""
_MOST_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckFrames:
    """Normalised frames, and the tile probabilities that LiteRT gave them.

    Parameters
    ----------
    views
        (H, W) float32 each.
    probabilities
        (rows, cols) float32 each.
    """

    views: tuple[NDArray[np.float32], ...]
    probabilities: tuple[NDArray[np.float32], ...]


def encode_check(
    model_sha256: str,
    frames: Sequence[tuple[NDArray[np.int8], NDArray[np.int8]]],
    entry: Quantisation,
    answer: Quantisation,
) -> bytes:
    """Return the contents of `report/check.npz`.

    Parameters
    ----------
    frames
        Codes of frames (H, W) and of their tiles (rows, cols), all of one size.
    entry, answer
        What the codes of frames and of tiles mean.
    """
    arrays: dict[str, Any] = {
        "model_sha256": np.array(model_sha256),
        "frames": np.stack([codes for codes, _ in frames]),
        "tiles": np.stack([codes for _, codes in frames]),
        "codes": np.array([(each.scale, each.zero_point) for each in (entry, answer)]),
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def load_check(bundle: Bundle) -> CheckFrames | None:
    """Return a bundle's own check frames; None where it has none.

    Raises
    ------
    ModelError
        When the file is damaged, or of another model.
    """
    path = bundle.folder / CHECK_FILE
    if not path.is_file():
        return None
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise ValueError(f"{size} bytes")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            model = str(stored["model_sha256"])
            frames, tiles, codes = (stored[name] for name in ("frames", "tiles", "codes"))
        entry, answer = (Quantisation(scale=float(s), zero_point=int(z)) for s, z in codes)
        count, *sides = frames.shape
        fitting = (count, *(-(-side // bundle.card.tile_px) for side in sides))
        found = f"frames {frames.shape} {frames.dtype}, tiles {tiles.shape} {tiles.dtype}"
        if not frames.dtype == tiles.dtype == np.int8 or len(sides) != 2:
            raise ValueError(found)
        if not frames.size or tiles.shape != fitting:
            raise ValueError(found)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise _unusable(path, "frames and tiles as int8 codes", str(error)) from error
    if model != bundle.card.model_sha256:
        raise _unusable(path, f"those of model {bundle.card.model_id}", model[:12])
    return CheckFrames(
        views=tuple(entry.decode(each) for each in frames),
        probabilities=tuple(answer.decode(each) for each in tiles),
    )


def make_frames(
    bundle: Bundle, score: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> CheckFrames:
    """Choose frames of made textures on which a network without its own frames is undecided.

    A network that is sure of all tiles gives the same scores whatever its products are.

    Parameters
    ----------
    score
        Gives the probabilities of a view under LiteRT.

    Raises
    ------
    ModelError
        When the network is sure of all tiles of all textures.
    """
    found = []
    for view in _textures(16 * bundle.card.tile_px):
        probability = score(view)
        doubt = float(np.mean(probability * (1 - probability)))
        found.append((doubt, view, probability))
    found.sort(key=lambda each: -each[0])
    if found[0][0] < LEAST_DOUBT:
        raise ModelError(
            complaint(
                "runtime cannot be compared with LiteRT",
                where=bundle.folder,
                expected=f"{CHECK_FILE}, or a network that is unsure of some made texture",
                got="neither",
                do="set model.runtime: litert, or write the bundle again with scopewatch-train"
                " quantise",
            )
        )
    chosen = found[:MADE_FRAMES]
    return CheckFrames(
        views=tuple(view for _, view, _ in chosen),
        probabilities=tuple(probability for _, _, probability in chosen),
    )


def _textures(side_px: int) -> Iterator[NDArray[np.float32]]:
    """Yield normalised views: noise of several scales, cells with dark and with bright borders."""
    # SciPy is slow to load, and these are made for few bundles.
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415

    rng = np.random.default_rng(0)
    for scale_px in (1.0, 1.5, 2.5, 4.0, 7.0):
        noise = gaussian_filter(rng.normal(size=(side_px, side_px)), scale_px)
        noise /= noise.std()
        ridges = np.abs(noise)
        for view in (noise, ridges - ridges.mean(), ridges.mean() - ridges):
            yield np.clip(view / view.std(), -6, 6).astype(np.float32)


def _unusable(path: Path, expected: str, got: str) -> ModelError:
    return ModelError(
        complaint(
            "check frames of the bundle cannot be used",
            where=path,
            expected=expected,
            got=got,
            do="copy the whole bundle folder again",
        )
    )
