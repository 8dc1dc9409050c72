"""The hashes of training frames in a bundle: written, read, refused when they are others."""

from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError, ModelError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.known_frames import (
    FRAMES_FILE,
    KnownFrames,
    find_training_runs,
    know_frames,
    read_known_frames,
)
from scopewatch_training.dataset.looks import MARK_VERSION
from tests.unit.training_bundle.hashed_data import write_hashed, write_knowing_bundle
from tests.unit.training_comparison.two_bundles import write_bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    data = write_hashed(tmp_path / "data", runs={"a": "a", "b": "b"})
    return write_knowing_bundle(tmp_path / "bundle", data, ["a"])


def test_a_bundle_knows_its_training_frames_by_name_and_hash(bundle: Path) -> None:
    known = read_known_frames(load_bundle(bundle))

    assert known is not None
    assert known.mark_version == MARK_VERSION
    assert [each.frame for each in known.frames] == [f"a/P1/A{n}/s0/t0020" for n in range(1, 5)]
    assert len({each.phase for each in known.frames}) == 4
    assert (bundle / "report" / FRAMES_FILE).stat().st_size < 300 * len(known.frames)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema_version": 1}'])
def test_a_list_that_is_not_the_cards_is_refused_in_one_line(bundle: Path, content: bytes) -> None:
    (bundle / "report" / FRAMES_FILE).write_bytes(content)

    with pytest.raises(
        ModelError, match=r"not the one that its card names: .*expected SHA-256"
    ) as e:
        read_known_frames(load_bundle(bundle))
    assert "\n" not in str(e.value)
    assert str(e.value).endswith("copy the whole bundle folder again")


def test_a_bundle_of_an_earlier_version_holds_none(tmp_path: Path) -> None:
    assert read_known_frames(load_bundle(write_bundle(tmp_path / "old"))) is None


def test_a_bundle_without_its_report_holds_none(bundle: Path) -> None:
    (bundle / "report" / FRAMES_FILE).unlink()

    assert read_known_frames(load_bundle(bundle)) is None


def test_a_data_set_of_an_earlier_version_gives_none(tmp_path: Path) -> None:
    data = write_hashed(tmp_path / "old", runs={"a": "a"}, mark_version=0)

    assert know_frames(data, data.accepted) is None


def test_a_hash_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="pattern"):
        KnownFrames.model_validate(
            {
                "mark_version": 1,
                "frames": [
                    {"run": "a", "frame": "a/1", "phase": "x", "fluorescence": "", "mark": ""}
                ],
            }
        )


def test_the_training_runs_of_a_bundle_are_found_in_its_data_set(
    bundle: Path, tmp_path: Path
) -> None:
    more = write_hashed(tmp_path / "more", runs={"a": "a", "c": "c"})
    assert find_training_runs(load_bundle(bundle), more) == ["a"]


@pytest.mark.parametrize(
    ("runs", "got"),
    [({"b": "b", "c": "c"}, "got runs b, c"), ({"a": "x"}, "got other pictures in runs a")],
    ids=["other runs", "other pictures of that name"],
)
def test_a_data_set_that_a_bundle_was_not_trained_on_is_refused_in_one_line(
    bundle: Path, tmp_path: Path, runs: dict[str, str], got: str
) -> None:
    others = write_hashed(tmp_path / "others", runs=runs)
    with pytest.raises(ConfigError) as caught:
        find_training_runs(load_bundle(bundle), others)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("data set is not the one that the bundle was trained on")
    assert got in line


def test_data_sets_without_hashes_are_known_by_the_names_of_their_runs(
    bundle: Path, tmp_path: Path
) -> None:
    old = write_hashed(tmp_path / "old", runs={"a": "x"}, mark_version=0)
    assert find_training_runs(load_bundle(bundle), old) == ["a"]
