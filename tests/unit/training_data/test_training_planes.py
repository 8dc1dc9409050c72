"""Planes on disk: crops are read when asked for, and nothing stays open."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.planes import HiddenTiles, StoredPlane
from tests.unit.training.tiny_data import write_dataset

WHOLE = (slice(None), slice(None))


@pytest.fixture
def stored(tmp_path: Path) -> StoredPlane:
    """A plane of 40 x 60 px that counts its pixels."""
    path = tmp_path / "plane.npy"
    np.save(path, np.arange(2400, dtype=np.float32).reshape(40, 60))
    return StoredPlane(path=path, shape=(40, 60))


def test_a_crop_is_the_crop_of_the_array(stored: StoredPlane) -> None:
    whole = np.load(stored.path)

    np.testing.assert_array_equal(stored[WHOLE], whole)
    np.testing.assert_array_equal(stored[3:20, 7:50], whole[3:20, 7:50])
    # Beyond the border a slice ends at it, as of an array.
    np.testing.assert_array_equal(stored[30:90, 50:90], whole[30:, 50:])


def test_a_crop_is_a_copy_that_outlives_the_file(stored: StoredPlane) -> None:
    crop = stored[:2, :2]
    stored.path.unlink()

    assert crop.flags.writeable
    assert crop.tolist() == [[0, 1], [60, 61]]


def test_no_file_stays_open_and_none_stays_mapped(stored: StoredPlane) -> None:
    descriptors = set(Path("/proc/self/fd").iterdir())

    kept = [stored[0:8, 0:8] for _ in range(100)]

    assert len(kept) == 100
    assert set(Path("/proc/self/fd").iterdir()) <= descriptors
    assert str(stored.path) not in Path("/proc/self/maps").read_text()


def test_a_file_of_another_size_is_refused(stored: StoredPlane) -> None:
    np.save(stored.path, np.zeros((40, 59), dtype=np.float32))

    with pytest.raises(ConfigError) as refused:
        stored[WHOLE]

    assert str(refused.value) == (
        f"data set is damaged: {stored.path} (expected 40 x 60 px, got 40 x 59); run prepare again"
    )


def test_a_file_that_is_gone_is_refused(stored: StoredPlane) -> None:
    stored.path.unlink()

    with pytest.raises(ConfigError, match=r"data set is damaged: .*plane\.npy .*run prepare again"):
        stored[WHOLE]


def test_hidden_tiles_read_as_unknown_in_every_crop(stored: StoredPlane) -> None:
    hidden = np.zeros((3, 4), dtype=bool)
    hidden[1, 2] = hidden[2, 3] = True
    masked = HiddenTiles(plane=stored, hidden=hidden, tile_px=16)
    expected = stored[WHOLE]
    expected[16:32, 32:48] = np.nan
    expected[32:, 48:] = np.nan

    assert masked.shape == (40, 60)
    np.testing.assert_array_equal(masked[WHOLE], expected)
    np.testing.assert_array_equal(masked[10:35, 20:60], expected[10:35, 20:60])


DRAW = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
from scopewatch_training.network.augment import Augmentation
from scopewatch_training.network.batches import BatchPlan, prefetch
from scopewatch.core.imaging.binarise import fit_thresholds
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.network.frames import frames_of
dataset = open_dataset(Path(sys.argv[1]))
cuts = fit_thresholds(dataset.accepted, dataset.binarise)
frames = frames_of(dataset, dataset.accepted, cuts, dataset.labels)
plan = BatchPlan(frames=frames, batch=8, crop_px=64, augmentation=Augmentation(), seed=0)
with prefetch(plan, 0, 20) as batches:
    print(len(frames), sum(batch.view.shape[0] for batch in batches))
"""


def test_more_frames_than_files_may_be_open_are_drawn_from(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", runs=2, wells=40)

    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(folder)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["80", "160"]
