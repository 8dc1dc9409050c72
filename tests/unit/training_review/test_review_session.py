"""A session of review: changes are kept at once, can be undone, and overwrite no other's."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scopewatch.core.errors import ConfigError
from scopewatch_training.dataset.corrections.file import CORRECTIONS, read_corrections
from scopewatch_training.dataset.corrections.record import Decision, TileLabel
from scopewatch_training.dataset.doubts import Doubt, DoubtKind, Weight
from scopewatch_training.dataset.index import open_dataset
from scopewatch_training.review.listing import list_pairs
from scopewatch_training.review.session import ReviewSession
from tests.unit.training.tiny_data import write_dataset
from tests.unit.training_review.reviewed import AT, FIRST

OTHER = {TileLabel.POSITIVE: TileLabel.NEGATIVE, TileLabel.NEGATIVE: TileLabel.POSITIVE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data")


def begin(folder: Path, author: str = "Mika") -> ReviewSession:
    dataset = open_dataset(folder, corrected=False)
    return ReviewSession(dataset, author=author, now=lambda: AT)


def wrong_label(session: ReviewSession, row: int = 1, col: int = 2) -> TileLabel:
    """Return the label that a tile does not have by itself."""
    own = session.tiles(session.find(FIRST)).labels[row, col]
    return TileLabel.NEGATIVE if own == 1 else TileLabel.POSITIVE


def test_each_change_is_on_disk_with_author_and_time(folder: Path) -> None:
    session = begin(folder)
    label = wrong_label(session)
    session.correct(FIRST, 1, 2, label)
    session.decide(FIRST, Decision.ACCEPTED)

    found = read_corrections(folder)
    assert found == session.corrections
    assert found is not None
    (review,) = found.pairs
    (tile,) = review.tiles
    assert (tile.row, tile.col, tile.label, tile.author, tile.at) == (1, 2, label, "Mika", AT)
    assert review.decision is not None
    assert (review.decision.author, review.decision.at) == (
        "Mika",
        datetime(2026, 3, 2, 10, 30, tzinfo=UTC),
    )


def test_the_label_that_a_tile_has_by_itself_is_no_correction(folder: Path) -> None:
    session = begin(folder)
    wrong = wrong_label(session)
    session.correct(FIRST, 1, 2, OTHER[wrong])
    assert session.corrections.pairs == ()
    session.correct(FIRST, 1, 2, wrong)
    session.correct(FIRST, 1, 2, OTHER[wrong])
    assert session.corrections.pairs == ()


def test_changes_are_undone_one_by_one_in_reverse(folder: Path) -> None:
    session = begin(folder)
    states = [session.corrections]
    acts: list[Callable[[], Any]] = [
        lambda: session.correct(FIRST, 1, 2, wrong_label(session)),
        lambda: session.correct(FIRST, 1, 2, TileLabel.DROPPED),
        lambda: session.decide("run2_A3", Decision.DROPPED),
        lambda: session.correct(FIRST, 1, 2, None),
    ]
    for act in acts:
        act()
        states.append(session.corrections)
    undone = []
    for before in reversed(states[:-1]):
        undone.append(session.undo())
        assert session.corrections == before
        assert read_corrections(folder) == before
    assert undone == [FIRST, "run2_A3", FIRST, FIRST]
    assert session.undo() is None
    assert not session.undoable


def test_what_changes_nothing_is_no_step_to_undo(folder: Path) -> None:
    session = begin(folder)
    session.correct(FIRST, 1, 2, None)
    session.decide(FIRST, None)
    assert not session.undoable


def test_a_session_goes_on_from_the_file_of_an_earlier_one(folder: Path) -> None:
    first = begin(folder)
    first.correct(FIRST, 1, 2, TileLabel.DROPPED)
    second = begin(folder, author="Noor")
    second.correct(FIRST, 3, 3, TileLabel.DROPPED)
    authors = {(tile.row, tile.col): tile.author for tile in second.corrections.pairs[0].tiles}
    assert authors == {(1, 2): "Mika", (3, 3): "Noor"}
    assert second.undo() == FIRST
    assert second.corrections == first.corrections


def test_what_another_program_wrote_is_never_overwritten(folder: Path) -> None:
    first, second = begin(folder), begin(folder, author="Noor")
    second.decide(FIRST, Decision.DROPPED)
    with pytest.raises(ConfigError, match="changed by another program meanwhile"):
        first.correct(FIRST, 1, 2, TileLabel.DROPPED)
    first.refresh()
    assert first.corrections == second.corrections
    first.correct(FIRST, 1, 2, TileLabel.DROPPED)
    review = first.corrections.find(FIRST)
    assert review is not None
    assert review.dropped
    assert review.labels == {(1, 2): TileLabel.DROPPED}
    with pytest.raises(ConfigError, match="changed by another program meanwhile"):
        second.undo()
    assert second.undoable, "what could not be undone can still be"


def test_a_full_disk_keeps_all_before_and_says_what_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(folder)
    session.correct(FIRST, 1, 2, TileLabel.DROPPED)
    kept = (folder / CORRECTIONS).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scopewatch_training.dataset.corrections.file.write_whole", full)
    with pytest.raises(ConfigError) as caught:
        session.correct(FIRST, 2, 2, TileLabel.DROPPED)
    assert str(caught.value) == (
        "corrections cannot be written; the last change is lost, all before are kept:"
        f" {folder / CORRECTIONS} (got No space left on device); make room or give the right to"
        " write, and make the change again"
    )
    monkeypatch.undo()
    assert (folder / CORRECTIONS).read_bytes() == kept
    assert session.corrections == read_corrections(folder)


@pytest.mark.parametrize(("row", "col"), [(4, 0), (0, 4), (-1, 0), (99, 99)])
def test_a_tile_outside_the_frame_is_refused_by_its_place(folder: Path, row: int, col: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"rows 0 to 3, columns 0 to 3, got row {row}, column {col}"
    ):
        begin(folder).correct(FIRST, row, col, TileLabel.DROPPED)


def test_an_unknown_pair_and_a_misfit_file_are_refused(folder: Path) -> None:
    session = begin(folder)
    with pytest.raises(ConfigError, match=r"pair is not in the data set, or cannot be used.*run9"):
        session.decide("run9_A1", Decision.DROPPED)
    session.decide(FIRST, Decision.DROPPED)
    path = folder / CORRECTIONS
    path.write_text(path.read_text().replace('"tile_px": 32', '"tile_px": 64'))
    assert '"tile_px": 64' in path.read_text()
    with pytest.raises(ConfigError, match="corrections are for tiles of another size"):
        begin(folder)
    with pytest.raises(ConfigError, match="corrections are for tiles of another size"):
        session.refresh()


def doubt(weight: Weight, run: str, pair: str | None) -> Doubt:
    return Doubt(
        kind=DoubtKind.OFFSET, weight=weight, run=run, pair=pair, measured="9 px",
        expected="0 px", do="look",
    )  # fmt: skip


def test_doubtful_pairs_come_first_and_the_order_does_not_depend_on_decisions(folder: Path) -> None:
    session = begin(folder)
    object.__setattr__(
        session.dataset,
        "doubts",
        (
            doubt(Weight.NOTE, "run1", "run1_A2_phase.tif"),
            doubt(Weight.STOP, "run3", "run3_A4_phase.tif"),
            doubt(Weight.LOOK, "run2", None),
            doubt(Weight.LOOK, "run2", "run2_A3_phase.tif"),
            doubt(Weight.STOP, "run1", "run3_A1_phase.tif"),  # of another run: of no pair here
        ),
    )
    order = [line.pair.id for line in list_pairs(session.dataset, session.corrections)]
    assert order == [
        "run3_A4", "run2_A3", "run2_A1", "run2_A2", "run2_A4", "run1_A2", "run1_A1", "run1_A3",
        "run1_A4", "run3_A1", "run3_A2", "run3_A3",
    ]  # fmt: skip
    session.decide("run3_A4", Decision.DROPPED)
    again = list_pairs(session.dataset, session.corrections)
    assert [line.pair.id for line in again] == order
    assert [line.state for line in again[:2]] == ["dropped", ""]
