"""Wells of a time-lapse that have a stain already, under another name."""

import json
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.frame import Pixels
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.known_frames import KnownFrame, KnownFrames
from scopewatch_training.cli.console import ConsoleStages, open_console
from scopewatch_training.cli.main import main
from scopewatch_training.dataset.looks import MARK_VERSION, hash_pixels, mark
from scopewatch_training.suggestion.request import SuggestRequest
from scopewatch_training.suggestion.suggest import Suggestions, suggest
from scopewatch_training.suggestion.table import list_notes
from tests.unit.core.samples import make_cells
from tests.unit.inference.bundles import write_tiny
from tests.unit.training_bundle.hashed_data import teach, write_hashed
from tests.unit.training_suggestion.written_timelapse import write_timelapse

WELLS = ("A1", "A2", "A3")


def picture(number: int) -> Pixels:
    return make_cells(128, 128, seed=number)


def known(*pictures: Pixels) -> KnownFrames:
    """Return the hashes of stained pictures, which were called march."""
    frames = tuple(
        KnownFrame(
            run="march",
            frame=f"march/P1/B{number}/s0/t0020",
            phase=hash_pixels(each),
            fluorescence="",
            mark=mark(each),
        )
        for number, each in enumerate(pictures, start=1)
    )
    return KnownFrames(mark_version=MARK_VERSION, frames=frames)


def saved_again(pixels: Pixels) -> Pixels:
    low, high = np.percentile(pixels, (0.2, 99.8))
    stretched = np.clip((pixels - low) / (high - low) * 255, 0, 255)
    return np.asarray(stretched, dtype=np.uint8)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a time-lapse of three wells of run8, one frame each."""
    frames = [(("run8", "P1", well), 20, picture(number)) for number, well in enumerate(WELLS)]
    return write_timelapse(tmp_path_factory.mktemp("lapse"), frames)


def suggest_from(bundle: Path, table: Path, stained: KnownFrames | None = None) -> Suggestions:
    return suggest(
        load_bundle(bundle),
        SuggestRequest(timelapse=table, count=9, stained_frames=stained),
        threads=1,
        monotonic=lambda: 0.0,
        stages=ConsoleStages(open_console()),
    )


@pytest.mark.parametrize(
    ("stained", "words"),
    [
        (picture(0), "frames have the same pixels as frames of the stained data set: run run8"),
        (
            saved_again(picture(0)),
            "frames show the same pictures as frames of the stained data set: run run8",
        ),
    ],
    ids=["byte for byte", "in 8 bits"],
)
def test_wells_that_are_stained_under_another_name_are_left_out(
    stained: Pixels, words: str, table: Path, tmp_path: Path
) -> None:
    found = suggest_from(write_tiny(tmp_path / "b"), table, known(stained))

    assert sorted(each.candidate.place.well for each in found.chosen) == ["A2", "A3"]
    (line,) = [each for each in list_notes(found, simulated=False) if "stained data set" in each]
    assert line.startswith(words)
    assert (
        "got 1 of its 3 frames are in run march too, as run8/P1/A1/s0/t0020 is march/P1/B1/s0"
        in line
    )
    assert line.endswith("; their wells are left out")
    assert len(found.to_json()["copies_of_stained"]) == 1


def test_marks_of_another_version_find_no_picture_that_was_saved_again_and_say_so(
    table: Path, tmp_path: Path
) -> None:
    stained = known(picture(0), saved_again(picture(1)))
    older = stained.model_copy(update={"mark_version": MARK_VERSION - 1})

    found = suggest_from(write_tiny(tmp_path / "b"), table, older)

    assert sorted(each.candidate.place.well for each in found.chosen) == ["A2", "A3"]
    line = (
        "copies of stained frames that were saved again cannot be checked: --stained (expected"
        f" marks of version {MARK_VERSION}, got {MARK_VERSION - 1}); prepare that data set again"
    )
    assert line in list_notes(found, simulated=False)
    assert found.to_json()["stained_unchecked"] == [line]


def test_where_all_are_stained_nothing_is_suggested(table: Path, tmp_path: Path) -> None:
    stained = known(*(picture(number) for number in range(len(WELLS))))

    with pytest.raises(ConfigError, match=r"no frame can be judged: .*3 copies of stained frames"):
        suggest_from(write_tiny(tmp_path / "b"), table, stained)


def test_copies_of_training_frames_are_suggested_and_named(table: Path, tmp_path: Path) -> None:
    bundle = write_tiny(tmp_path / "b")
    (bundle / "report").mkdir()

    found = suggest_from(teach(bundle, known(picture(1))), table)

    assert len(found.chosen) == 3
    (line,) = [each for each in list_notes(found, simulated=False) if "training frames" in each]
    assert "as run8/P1/A2/s0/t0020 is march/P1/B1/s0/t0020" in line
    assert line.endswith("give their data set with --stained, which leaves them out")


def test_the_command_says_what_cannot_be_checked(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_tiny(tmp_path / "b")
    stained = write_hashed(tmp_path / "old", runs={"march": "a"}, mark_version=0)

    with pytest.raises(SystemExit) as stop:
        main(
            [
                *("suggest", str(bundle), str(table), "--threads", "1"),
                *("--stained", str(stained.folder), "--json", str(tmp_path / "s.json")),
            ]
        )

    assert stop.value.code == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if "cannot be checked" in line]
    assert len(printed) == 2
    assert "got a data set of an earlier version" in printed[0]
    assert "got a bundle of an earlier version" in printed[1]
    assert json.loads((tmp_path / "s.json").read_text())["copies_unchecked"] == printed[1:]
