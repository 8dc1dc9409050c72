"""The plugin in a real napari: its manifest, its reader, corrections of a real layer."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scopewatch_training.dataset.corrections.file import read_corrections
from scopewatch_training.dataset.corrections.record import TileLabel
from tests.unit.training.tiny_data import write_dataset

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.skipif(
        "SCOPEWATCH_NAPARI_PYTHON" not in os.environ,
        reason="SCOPEWATCH_NAPARI_PYTHON names no Python with napari (make .venv-napari/.ready)",
    ),
    pytest.mark.timeout(180),
]

# Without a window: napari's model of a viewer, its layers and its plugin manager.
SESSION = """
import json, sys
from npe2 import PluginManager
from napari.components import ViewerModel
from scopewatch_training.viewer.widgets import save_corrections

manager = PluginManager.instance()
manager.discover()
manifest = manager.get_manifest("scopewatch")
manifest.validate_imports()
viewer = ViewerModel()
viewer.open(sys.argv[1], plugin="scopewatch")
viewer.dims.set_current_step(0, 5)
labels = viewer.layers.selection.active
labels.brush_size = 1
labels.paint((5, 0, 1), 0)
print(json.dumps({
    "kinds": [type(layer).__name__ for layer in viewer.layers],
    "shapes": [list(layer.data.shape) for layer in viewer.layers],
    "world": [float(each) for each in labels.data_to_world((5, 0, 1))],
    "widgets": [each.display_name for each in manifest.contributions.widgets],
    "saved": save_corrections(labels, "Mika"),
}))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(str(ROOT / part) for part in ("daemon", "training", "simulator"))
    return subprocess.run(
        [os.environ["SCOPEWATCH_NAPARI_PYTHON"], "-W", "ignore", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
        env={**os.environ, "PYTHONPATH": paths},
    )


def test_the_manifest_is_valid() -> None:
    path = ROOT / "training" / "scopewatch_training" / "napari.yaml"
    done = run("-m", "npe2", "validate", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_napari_finds_the_plugin_opens_a_data_set_and_saves_paint(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    done = run("-c", SESSION, str(folder))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "kinds": ["Image", "Image", "Points", "Labels"],
        "shapes": [[12, 128, 128], [12, 128, 128], [12, 3], [12, 4, 4]],
        "world": [5, 15.5, 47.5],
        "widgets": ["Save corrections", "Scores of a bundle"],
        "saved": f"{folder}: corrected tiles 1, dropped pairs 0",
    }
    corrections = read_corrections(folder)
    assert corrections is not None
    (pair,) = corrections.pairs
    assert (pair.id, pair.labels) == ("run2_A2", {(0, 1): TileLabel.DROPPED})
