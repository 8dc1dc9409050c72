"""Time-lapse tables, and the scores of their frames that are kept."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.core.errors import ConfigError
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch_training.forecasting.frame_scores import (
    FrameScores,
    load_frame,
    score_moments,
)
from scopewatch_training.forecasting.timelapse import TimedFrame, read_timelapse
from tests.unit.core.samples import make_card, make_cells

HEADER = "run,plate,well,site,time_point,day,phase,um_per_px\n"


class CountingScorer:
    """Calls every tile positive whose frame is bright on the left, and counts how often."""

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.calls = 0

    def score(self, view: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        tile = self.card.tile_px
        shape = -(-view.shape[0] // tile), -(-view.shape[1] // tile)
        scores = np.zeros(shape, dtype=np.float32)
        scores[:, : shape[1] // 2] = 0.9
        return scores

    def score_finely(self, view: NDArray[np.float32]) -> tuple[NDArray[np.float32], None]:
        return self.score(view), None

    def close(self) -> None:
        raise AssertionError("whoever opened a scorer closes it")


@pytest.fixture
def scorer() -> CountingScorer:
    return CountingScorer(make_card(tile_px=16))


@pytest.fixture
def frames(tmp_path: Path) -> list[TimedFrame]:
    made = []
    for site in (1, 0):
        path = tmp_path / f"s{site}.tif"
        tifffile.imwrite(path, make_cells(128, 128, seed=site))
        made.append(
            TimedFrame(
                run="run1",
                plate="P1",
                well="A1",
                site=site,
                time_point=4,
                day=2.0 + site / 100,
                phase=path,
                um_per_px=1.0,
            )
        )
    return made


def clock() -> float:
    return 0.0


def test_sites_of_one_well_and_time_point_make_one_moment(
    frames: list[TimedFrame], scorer: CountingScorer
) -> None:
    with FrameScores(scorer, clock, None) as scores:
        (moment,) = score_moments(frames, scores)

    assert (moment.place, moment.time_point, moment.day) == (("run1", "P1", "A1"), 4, 2.01)
    assert moment.raw == (0.5, 0.5)
    assert moment.faults == ()
    look = moment.look()
    assert (look.day, look.positive, look.fault) == (2.01, 0.5, "")
    focus = [each["focus"] for each in moment.measures]
    assert look.measures["focus"] == pytest.approx(sum(focus) / 2)


def test_a_frame_that_cannot_be_judged_leaves_its_fault(
    frames: list[TimedFrame], scorer: CountingScorer
) -> None:
    tifffile.imwrite(frames[0].phase, np.full((128, 128), 300, np.uint16))

    with FrameScores(scorer, clock, None) as scores:
        (moment,) = score_moments(frames, scores)

    assert (moment.raw, moment.faults) == ((0.5,), ("blank",))


def test_kept_scores_are_not_made_again_unless_the_picture_changed(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    for _ in range(2):
        with FrameScores(scorer, clock, file) as scores:
            score_moments(frames, scores)
    assert scorer.calls == 2

    tifffile.imwrite(frames[0].phase, make_cells(128, 144))
    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)
    assert len(file.read_text().splitlines()) == 4


def test_a_frame_has_the_pixel_size_of_its_table_or_else_of_its_file(
    frames: list[TimedFrame], tmp_path: Path
) -> None:
    path = tmp_path / "stated.tif"
    metadata = {"unit": "um"}
    pixels = make_cells(128, 128)
    tifffile.imwrite(path, pixels, imagej=True, resolution=(2, 2), metadata=metadata)
    stated, silent = replace(frames[0], phase=path), replace(frames[0], phase=path, um_per_px=None)

    assert load_frame(stated).pixel_size_um == 1.0
    assert load_frame(silent).pixel_size_um == 0.5


def test_kept_scores_are_made_again_where_the_pixel_size_was_corrected(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)
    with FrameScores(scorer, clock, file) as scores:
        score_moments([replace(frame, um_per_px=1.5) for frame in frames], scores)

    assert len(file.read_text().splitlines()) == 1 + 4


def test_kept_scores_hold_the_measures_that_rules_look_at(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    with FrameScores(scorer, clock, file) as scores:
        made = score_moments(frames, scores)

    with FrameScores(scorer, clock, file) as scores:
        assert score_moments(frames, scores) == made


def test_frames_whose_measures_were_not_kept_are_scored_again(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)
    head, *lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines[:1]:
        del line["measures"]
    file.write_text("".join(json.dumps(each) + "\n" for each in (head, *lines)))

    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)

    assert scorer.calls == 3


def test_a_call_that_was_cut_off_within_a_line_goes_on(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])

    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)

    assert scorer.calls == 3
    assert file.read_bytes() == whole


def test_scores_of_another_model_are_refused(
    frames: list[TimedFrame], scorer: CountingScorer, tmp_path: Path
) -> None:
    file = tmp_path / "scores.jsonl"
    with FrameScores(scorer, clock, file) as scores:
        score_moments(frames, scores)
    other = CountingScorer(scorer.card.model_copy(update={"threshold": 0.123}))

    with pytest.raises(ConfigError, match="file holds the scores of another model"):
        FrameScores(other, clock, file)


@pytest.mark.parametrize("text", ["no json\n", '{"made_by": 1}\n[]\n', "[1]\n"])
def test_a_damaged_file_of_scores_is_refused(
    scorer: CountingScorer, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text(text)

    with pytest.raises(ConfigError, match="file of frame scores is damaged"):
        FrameScores(scorer, clock, file)


def test_a_timelapse_table_is_read(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        (tmp_path / name).write_bytes(b"x")
    table = tmp_path / "t.csv"
    table.write_text(HEADER + "run1,P1,A1,0,4,2.0,a.tif,1.0\nrun1,P1,A2,1,5,2.5,b.tif,\n")

    one, two = read_timelapse(table)

    assert (one.place, one.day, one.um_per_px) == (("run1", "P1", "A1"), 2.0, 1.0)
    assert (two.site, two.time_point, two.um_per_px) == (1, 5, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run,plate\n", "incomplete: {} (expected columns run, plate, well, site, time_point, day"),
        (HEADER, "(expected columns run, plate, well, site, time_point, day, phase and a line"),
        (
            HEADER + "run1,P1,A1,0,4,two,a.tif,1\n",
            "wrong line: {} line 2 (got day 'two' is no number",
        ),
        (
            HEADER + "run1,P1,A1,0,4,2,b.tif,1\n",
            "wrong line: {} line 2 (got no file b.tif: correct the path",
        ),
        (
            HEADER + "run1,P1,A1,0,4,2,a.tif,1\nrun1,P1,A1,0,4,2,c.tif,1\n",
            "site and time point are listed more than once: {} line 3 (expected one row",
        ),
        (
            HEADER + "run1,P1,A1,0,4,2,a.tif,1\nrun1,P1,A1,0,5,3,a.tif,1\n",
            "picture is listed more than once: {} line 3 (expected one row",
        ),
        (
            HEADER + "run1,P1,A1,0,4,2,a.tif,1\nrun1,P1,A1,0,5,1.5,c.tif,1\n",
            "days fall while time points rise: {}, run1/P1/A1 (expected days since",
        ),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, words: str) -> None:
    for name in ("a.tif", "c.tif"):
        (tmp_path / name).write_bytes(b"x")
    table = tmp_path / "t.csv"
    table.write_text(text)

    with pytest.raises(ConfigError) as caught:
        read_timelapse(table)

    assert words.format(table) in str(caught.value)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="time-lapse table cannot be read: "):
        read_timelapse(tmp_path / "t.csv")
