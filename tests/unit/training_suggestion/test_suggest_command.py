"""Suggestions from frames on disk: which frames are looked at, refusals, the command."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.errors import ConfigError
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.cli.console import ConsoleStages, open_console
from scopewatch_training.cli.main import main
from scopewatch_training.dataset.corrections.record import Decision
from scopewatch_training.suggestion.request import SuggestRequest
from scopewatch_training.suggestion.suggest import Suggestions, suggest
from tests.unit.core.samples import make_cells
from tests.unit.inference.bundles import write_tiny
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_review.reviewed import write_review
from tests.unit.training_suggestion.written_timelapse import write_timelapse

WELLS = ("A1", "A2", "A3", "A4")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a time-lapse: four wells of run1, two time points; the last frame of A4 is blank."""
    frames = []
    for number, well in enumerate(WELLS):
        for time_point in (0, 1):
            pixels = make_cells(128, 128, seed=10 * number + time_point)
            if (well, time_point) == ("A4", 1):
                pixels = np.full_like(pixels, 4000)
            frames.append((("run1", "P1", well), time_point, pixels))
    return write_timelapse(tmp_path_factory.mktemp("lapse"), frames)


def suggest_from(bundle: Path, request: SuggestRequest, beside: Sequence[Path] = ()) -> Suggestions:
    return suggest(
        load_bundle(bundle),
        request,
        beside=[load_bundle(each) for each in beside],
        threads=1,
        monotonic=lambda: 0.0,
        stages=ConsoleStages(open_console()),
    )


def test_wells_are_judged_at_their_last_time_point_and_blank_ones_are_counted(
    table: Path, tmp_path: Path
) -> None:
    found = suggest_from(write_tiny(tmp_path / "b"), SuggestRequest(timelapse=table, count=9))

    assert sorted(each.candidate.place.well for each in found.chosen) == ["A1", "A2", "A3"]
    assert {each.candidate.place.time_point for each in found.chosen} == {1}
    assert found.left_out == {"blank": 1}


def test_frames_of_all_time_points_are_suggested_by_frame(table: Path, tmp_path: Path) -> None:
    request = SuggestRequest(timelapse=table, count=3, by="frame")

    found = suggest_from(write_tiny(tmp_path / "b"), request)

    assert found.candidates == 7
    assert len(found.chosen) == 3
    assert str(found.chosen[0].candidate.place).startswith("run1/P1/A")
    assert "/s0/t000" in str(found.chosen[0].candidate.place)


def test_frames_that_the_card_calls_unlike_are_suggested_all_the_same(
    table: Path, tmp_path: Path
) -> None:
    strict = {"domain": {"entropy": [0.0, 0.1]}}
    bundle = write_tiny(tmp_path / "b", quality=strict)

    found = suggest_from(bundle, SuggestRequest(timelapse=table, count=9, time_point=0))

    assert len(found.chosen) == 4
    assert found.left_out == {}


def test_a_bundle_beside_that_agrees_adds_no_disagreement(table: Path, tmp_path: Path) -> None:
    bundle = write_tiny(tmp_path / "b")

    found = suggest_from(bundle, SuggestRequest(timelapse=table, count=9), beside=[bundle])

    assert {each.candidate.disagreement for each in found.chosen} == {0.0}


def test_a_bundle_beside_of_another_scale_is_refused(table: Path, tmp_path: Path) -> None:
    other = write_tiny(tmp_path / "other", um_per_px=0.5)

    with pytest.raises(ConfigError, match=r"bundle beside takes other frames: .*0\.5 um/px"):
        suggest_from(
            write_tiny(tmp_path / "b"), SuggestRequest(timelapse=table, count=2), beside=[other]
        )


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"time_point": 7}, r"expected time points 0 to 1, got time point 7\); give another"),
        (
            {"stained": frozenset(("run1", "P1", well) for well in WELLS)},
            r"got every well is stained\); give wells that have no stain yet",
        ),
    ],
)
def test_nothing_to_choose_from_is_one_line(
    table: Path, tmp_path: Path, request_: dict[str, object], words: str
) -> None:
    request = SuggestRequest(timelapse=table, count=2, **request_)  # type: ignore[arg-type]

    with pytest.raises(ConfigError, match=words):
        suggest_from(write_tiny(tmp_path / "b"), request)


@pytest.mark.parametrize("dropped", [False, True], ids=["all used", "one dropped in review"])
def test_the_command_leaves_stained_wells_out_and_writes_figures(
    dropped: bool, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_tiny(tmp_path / "b", trained_on=["run1"])
    stained = write_dataset(tmp_path / "data", runs=1, wells=2)
    if dropped:
        write_review(stained, decision=Decision.DROPPED)

    with pytest.raises(SystemExit) as stop:
        main(
            [
                *("suggest", str(bundle), str(table), "--count", "1", "--threads", "1"),
                *("--stained", str(stained), "--json", str(tmp_path / "s.json")),
            ]
        )

    assert stop.value.code == 0
    written = json.loads((tmp_path / "s.json").read_text())
    assert [each["well"] for each in written["suggestions"]] == ["A3"]
    assert written["left_out"] == {"blank": 1}
    out = " ".join(capsys.readouterr().out.split())
    assert "left out, since no model could learn from them: 1 blank" in out
    assert "the bundle was trained on run1; --stained DATASET" in out

    assert "it ranks wells and promises nothing" in out
