"""Loading bundles, and the messages of refusals."""

from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import ModelError
from scopewatch.inference.bundle import load_bundle
from tests.unit.inference.bundles import tiny_bundle, write_tiny


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_whole_bundle_is_loaded(tmp_path: Path) -> None:
    bundle = load_bundle(write_tiny(tmp_path / "bundle"))

    assert bundle.card == tiny_bundle().card
    assert bundle.model == tiny_bundle().model


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")

    assert message.startswith(f"model bundle does not exist: {tmp_path / 'nowhere'}")
    assert "correct model.bundle in the configuration" in message


@pytest.mark.parametrize("name", ["model.tflite", "card.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / name).unlink()

    message = refusal(folder)

    assert message.startswith(f"model bundle is incomplete: {folder / name}")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / "model.tflite").unlink()
    (folder / "model.tflite").mkdir()

    assert refusal(folder).startswith("model bundle cannot be read: ")


def test_a_changed_model_is_refused(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    content = bytearray((folder / "model.tflite").read_bytes())
    content[-1] ^= 1
    (folder / "model.tflite").write_bytes(content)

    message = refusal(folder)

    assert "model is not the one its card describes" in message
    assert f"expected SHA-256 {tiny_bundle().card.model_sha256[:12]}" in message


def test_a_text_file_named_tflite_is_refused(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / "model.tflite").write_text("version https://git-lfs.github.com/spec/v1")

    message = refusal(folder)

    assert message.startswith(f"model is not a TFLite file: {folder / 'model.tflite'}")
    assert "got 42 bytes that begin b'version '" in message


def test_an_empty_model_file_is_refused(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / "model.tflite").write_bytes(b"")

    assert "model is not a TFLite file" in refusal(folder)


def test_a_file_too_large_for_a_card_is_not_read_whole(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    with (folder / "card.yaml").open("wb") as file:
        file.truncate(1 << 31)

    assert "file of the model bundle is too large" in refusal(folder)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "model card is empty or no mapping"),
        ("- a\n- b\n", "model card is empty or no mapping"),
        ("a: [1", "model card is not YAML"),
        ("a: !!python/object/apply:os.system ['true']", "model card is not YAML"),
        ("\x00", "model card is not YAML"),
    ],
)
def test_text_that_is_no_card_is_refused(tmp_path: Path, text: str, what: str) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / "card.yaml").write_text(text)

    assert refusal(folder).startswith(f"{what}: {folder / 'card.yaml'}")


def test_a_card_in_another_encoding_is_refused(tmp_path: Path) -> None:
    folder = write_tiny(tmp_path / "bundle")
    (folder / "card.yaml").write_bytes(b"name: caf\xe9\n")

    assert refusal(folder).startswith("model card is not YAML: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema_version": 2}, "model card has another schema"),
        ({"schema_version": None}, "model card has another schema"),
        ({"threshold": None}, "card.yaml: threshold (expected Field required"),
        ({"threshold": 1.5}, "card.yaml: threshold (expected Input should be less than 1"),
        ({"treshold": 0.5}, "card.yaml: treshold (expected Extra inputs are not permitted"),
        ({"tile_px": 4}, "card.yaml: tile_px (expected Input should be greater than"),
        ({"tile_px": 4, "name": ""}, "model card is not valid (1 more problems)"),
    ],
)
def test_a_card_with_a_wrong_field_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(write_tiny(tmp_path / "bundle", **changes))
