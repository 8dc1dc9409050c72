"""The napari plugin without napari: layers as plain tuples, and paint as corrections."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.corrections.file import read_corrections
from scopewatch_training.dataset.corrections.record import Decision, TileLabel
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.viewer.reader import get_reader
from scopewatch_training.viewer.stack import PairStack
from scopewatch_training.viewer.widgets import add_scores, save_corrections
from tests.unit.inference.bundles import TILE_PX
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_comparison.two_bundles import write_bundle
from tests.unit.training_review.reviewed import AT, FIRST, correct, write_review


@dataclass
class Layer:
    """What the plugin reads of a layer of napari."""

    data: Any
    name: str = "layer"
    metadata: dict[str, Any] = field(default_factory=dict)
    scale: tuple[float, ...] = ()
    translate: tuple[float, ...] = ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data")


def open_layers(folder: Path) -> dict[str, tuple[Any, dict[str, Any], str]]:
    reader = get_reader(str(folder))
    assert reader is not None
    return {
        attributes["name"]: (data, attributes, kind)
        for data, attributes, kind in reader(str(folder))
    }


def labels_layer(folder: Path) -> Layer:
    data, attributes, _ = open_layers(folder)["tile labels"]
    return Layer(
        data=data,
        metadata=attributes["metadata"],
        scale=attributes["scale"],
        translate=attributes["translate"],
    )


def test_a_data_set_becomes_four_layers_of_all_pairs(folder: Path) -> None:
    dataset = open_dataset(folder)
    layers = open_layers(folder)
    assert {name: kind for name, (_, _, kind) in layers.items()} == {
        "phase": "image", "GFP": "image", "tile labels": "labels", "pairs": "points",
    }  # fmt: skip
    pair = dataset.accepted[5]
    for name, plane in (("phase", dataset.view(pair)), ("GFP", dataset.signal(pair))):
        data = layers[name][0]
        assert data.shape == (12, 128, 128)
        assert np.array_equal(data[5], np.asarray(plane, dtype=np.float32))
        assert np.array_equal(np.asarray(data[5, 10:20, 7]), np.asarray(plane)[10:20, 7])
    labels, attributes, _ = layers["tile labels"]
    assert labels.shape == (12, 4, 4)
    assert set(np.unique(labels)) == {1, 2}
    assert attributes["scale"] == (1, 32, 32)
    assert attributes["translate"] == (0, 15.5, 15.5), "tile (0, 0) covers pixels 0 to 31"
    points, attributes, _ = layers["pairs"]
    assert points[:, 0].tolist() == list(range(12))
    assert attributes["features"]["pair"][5] == "run2/P1/A2/s0/t0020"


def test_corrections_and_decisions_are_shown(folder: Path) -> None:
    plain = open_layers(folder)["tile labels"][0]
    write_review(folder, correct(1, 2, TileLabel.DROPPED), decision=Decision.ACCEPTED)
    layers = open_layers(folder)
    painted = layers["tile labels"][0]
    assert painted[0, 1, 2] == 0
    assert np.count_nonzero(painted != plain) == 1
    assert layers["pairs"][1]["features"]["pair"][0] == "run1/P1/A1/s0/t0020  accepted"


def test_what_is_painted_is_saved_and_applied(folder: Path) -> None:
    layer = labels_layer(folder)
    own = int(layer.data[3, 0, 1])
    layer.data[3, 0, 1] = 3 - own
    layer.data[0, 2, 2] = 0
    assert save_corrections(layer, "Noor") == f"{folder}: corrected tiles 2, dropped pairs 0"
    found = read_corrections(folder)
    assert found is not None
    assert {pair.id: pair.labels for pair in found.pairs} == {
        FIRST: {(2, 2): TileLabel.DROPPED},
        "run1_A4": {(0, 1): TileLabel.NEGATIVE if own == 2 else TileLabel.POSITIVE},
    }
    assert found.pairs[0].tiles[0].author == "Noor"
    dataset = open_dataset(folder)
    assert dataset.label(dataset.accepted[0], 50.0, dataset.labels)[2, 2] == -1

    layer.data[3, 0, 1] = own
    save_corrections(layer, "Mika")
    again = read_corrections(folder)
    assert again is not None
    assert [(pair.id, pair.tiles[0].author) for pair in again.pairs] == [(FIRST, "Noor")]


def test_corrections_of_others_keep_author_time_and_decisions(folder: Path) -> None:
    write_review(folder, correct(1, 2, TileLabel.DROPPED), decision=Decision.DROPPED)
    layer = labels_layer(folder)
    layer.data[0, 0, 0] = 0
    save_corrections(layer, "Noor")
    found = read_corrections(folder)
    assert found is not None
    (review,) = found.pairs
    assert [(tile.row, tile.author) for tile in review.tiles] == [(0, "Noor"), (1, "Mika")]
    assert review.tiles[1].at == AT
    assert review.dropped


def test_a_layer_without_changes_writes_nothing(folder: Path) -> None:
    assert save_corrections(labels_layer(folder)).endswith("corrected tiles 0, dropped pairs 0")
    assert read_corrections(folder) is None


def test_without_a_user_name_the_author_is_asked_for_in_the_layer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("scopewatch_training.dataset.corrections.author.getuser", nobody)
    layer = labels_layer(folder)
    layer.data[0, 0, 0] = 0
    line = r"nobody knows who reviews: layer \(.*\); write your name into `author`"
    with pytest.raises(ConfigError, match=line):
        save_corrections(layer)
    assert read_corrections(folder) is None


def test_a_name_that_is_no_name_is_refused_in_one_line(folder: Path) -> None:
    layer = labels_layer(folder)
    layer.data[0, 0, 0] = 0
    line = r"name of the author cannot be kept: layer \(expected one line of at most 100 letters"
    for name in ("M" * 101, "Mika\nand Kim"):
        with pytest.raises(ConfigError, match=line):
            save_corrections(layer, author=name)
    assert read_corrections(folder) is None


def test_paint_never_overwrites_what_another_program_wrote(folder: Path) -> None:
    layer = labels_layer(folder)
    write_review(folder, correct(1, 2, TileLabel.DROPPED))
    before = read_corrections(folder)
    layer.data[0, 0, 0] = 0
    with pytest.raises(ConfigError, match="changed by another program meanwhile"):
        save_corrections(layer)
    assert read_corrections(folder) == before


def test_paint_that_means_no_label_is_refused(folder: Path) -> None:
    layer = labels_layer(folder)
    layer.data[0, 0, 0] = 7
    with pytest.raises(ConfigError, match=r"values \(expected 0, 1 and 2, got 0?,? ?1, 2, 7\)"):
        save_corrections(layer)
    other = Layer(data=layer.data[:, :2], metadata=layer.metadata)
    with pytest.raises(ConfigError, match=r"shape \(expected \(12, 4, 4\), got \(12, 2, 4\)\)"):
        save_corrections(other)
    with pytest.raises(ConfigError, match="layer is not of a prepared data set: phase"):
        save_corrections(Layer(data=layer.data, name="phase"))


def test_paint_beyond_a_smaller_pair_is_refused_by_its_name(folder: Path) -> None:
    path = folder / "dataset.json"
    values = json.loads(path.read_text())
    values["pairs"][1] |= {"height": 96}
    path.write_text(json.dumps(values))
    for kind in ("views", "signals"):
        file = folder / kind / "run1_A2.npy"
        np.save(file, np.load(file)[:96])
    layer = labels_layer(folder)
    assert layer.data.shape == (12, 4, 4)
    assert (layer.data[1, 3] == 0).all()
    assert np.isnan(open_layers(folder)["phase"][0][1, 96:]).all()
    layer.data[1, 3, 0] = 2
    with pytest.raises(ConfigError, match=r"paint on run1/P1/A2/s0/t0020.*expected 3 x 4 whole"):
        save_corrections(layer)


def test_scores_of_a_bundle_lie_on_the_tiles(folder: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle")
    with pytest.raises(ConfigError, match=r"tiles of another size.*expected 32 px.*got 16 px"):
        add_scores(labels_layer(folder), bundle)
    path = folder / "dataset.json"
    values = json.loads(path.read_text())
    values["labels"]["tile_px"] = TILE_PX
    path.write_text(json.dumps(values))
    layer = labels_layer(folder)
    scores, attributes, kind = add_scores(layer, bundle)
    assert kind == "image"
    assert scores.shape == layer.data.shape == (12, 8, 8)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (attributes["scale"], attributes["translate"]) == (layer.scale, layer.translate)


@pytest.mark.parametrize("name", ["nothing", "data/views", "picture.tif"])
def test_other_paths_are_left_to_other_readers(folder: Path, name: str) -> None:
    (folder.parent / "picture.tif").touch()
    assert get_reader(str(folder.parent / name)) is None
    assert get_reader([str(folder)]) is None
    assert get_reader(str(folder / "dataset.json")) is not None


def test_a_stack_reads_one_pair_at_a_time() -> None:
    planes = [np.full((4, 6), 1.0), np.full((3, 5), 2.0), np.full((4, 6), 3.0)]
    asked: list[int] = []

    def read(number: int) -> np.ndarray[Any, Any]:
        asked.append(number)
        return planes[number]

    stack = PairStack(shapes=[(4, 6), (3, 5), (4, 6)], read=read)
    assert (stack.shape, stack.ndim, stack.size, len(stack)) == ((3, 4, 6), 3, 72, 3)
    assert stack[1, :3, :5].tolist() == [[2.0] * 5] * 3
    assert np.isnan(stack[1, 3]).all()
    assert asked == [1, 1]
    assert stack[-1, 0, 0] == 3
    assert stack[0:2, 0, 0].tolist() == [1, 2]
    assert stack[5:].shape == (0, 4, 6)
    assert np.asarray(stack).shape == (3, 4, 6)
    with pytest.raises(IndexError, match="pair 3 of 3"):
        stack[3]


def test_the_reader_imports_neither_napari_nor_tensorflow() -> None:
    code = (
        "import sys, scopewatch_training.viewer.reader, scopewatch_training.viewer.widgets\n"
        "print(sorted({'napari', 'tensorflow', 'keras', 'sklearn', 'matplotlib', 'skimage'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
