"""Files rewritten with the same pixels, and files whose names are read under other settings."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scopewatch.sources.folder import reread_names
from scopewatch.sources.readers import image_file
from scopewatch.sources.readers.content import content_of
from tests.unit.sources.folder_scene import Make, Scene
from tests.unit.sources.images import pixels, write

NAMES = tuple(f"plate_A1_s0_t{index:04d}_phase.tif" for index in range(5))


def write_again(path: Path) -> None:
    """Set the time of a file, as copying it back would."""
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 10_000_000_000))


def settled_scene(make: Make, folder: Path, names: tuple[str, ...] = NAMES) -> Scene:
    """A source that is started over files that were scored before."""
    for index, name in enumerate(names):
        write(folder / name, pixels(seed=index))
    before = make().start()
    before.ledger.settle(*before.inbox.tickets)
    scene = make()
    scene.ledger.done, scene.ledger.moments = before.ledger.done, before.ledger.moments
    return scene


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_ticket_names_its_pixels_whenever_they_were_written(
    tmp_path: Path, make: Make, suffix: str
) -> None:
    first = f"plate_A1_s0_t0000_phase{suffix}"
    if suffix == ".tif":
        write(tmp_path / first)
    else:
        Image.fromarray(pixels()).save(tmp_path / first)
    scene = make().start()
    (ticket,) = scene.inbox.tickets
    assert ticket.content == content_of(pixels())
    scene.ledger.settle(ticket)
    write_again(tmp_path / first)
    scene.later(1)
    again = scene.inbox.tickets[-1]
    assert again.fingerprint != ticket.fingerprint
    assert again.content == ticket.content


def test_contents_differ_by_shape_type_and_one_pixel() -> None:
    image = pixels(6, 8)
    other = image.copy()
    other[3, 4] += 1
    reported = {
        content_of(image),
        content_of(other),
        content_of(image.reshape(8, 6)),
        content_of(image.view(np.uint8)),
    }
    assert len(reported) == 4
    assert content_of(np.asfortranarray(image)) == content_of(image)
    assert content_of(image.astype(">u2")) == content_of(image)


def test_files_that_did_not_change_are_not_opened(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = settled_scene(make, tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(image_file, "inspect_tiff", never)
    monkeypatch.setattr(image_file, "read_tiff", never)
    scene.start()
    for _ in range(3):
        scene.later(10)
    assert scene.inbox.tickets == []
    assert scene.ledger.asked == [5], "and the ledger is asked once"


def test_scored_files_that_were_named_otherwise_are_offered_again_undecoded(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = {NAMES[1], NAMES[3]}
    monkeypatch.setattr(image_file, "read_tiff", None)
    with caplog.at_level("INFO"):
        scene.start()
        scene.later(1)
    assert sorted(ticket.locator for ticket in scene.inbox.tickets) == [NAMES[1], NAMES[3]]
    assert [ticket.content for ticket in scene.inbox.tickets] == ["", ""]
    assert caplog.text.count("names of scored files are read again") == 1
    scene.ledger.renamed.clear()
    scene.later(700)
    assert len(scene.inbox.tickets) == 2


def test_names_are_read_a_few_at_a_time_and_new_files_come_first(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reread_names, "PER_STEP", 2)
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = set(NAMES)
    new = write(tmp_path / "plate_B2_s0_t0000_phase.tif")
    scene.start()
    assert scene.inbox.tickets[0].locator == new.name
    scene.later(0.25)
    scene.later(0.25)
    assert sorted(ticket.locator for ticket in scene.inbox.tickets[1:]) == sorted(NAMES)


def test_a_full_inbox_loses_no_name(tmp_path: Path, make: Make) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = set(NAMES)
    scene.inbox.room = 3
    scene.start()
    assert len(scene.inbox.tickets) == 3
    scene.inbox.room = 10
    for _ in range(3):
        scene.later(2)
    assert sorted(ticket.locator for ticket in scene.inbox.tickets) == sorted(NAMES)


def test_a_scored_file_that_is_gone_or_broken_now_is_passed_over(
    tmp_path: Path, make: Make
) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = set(NAMES)
    state = (tmp_path / NAMES[0]).stat()
    (tmp_path / NAMES[0]).write_bytes(b"\0" * state.st_size)
    os.utime(tmp_path / NAMES[0], ns=(state.st_atime_ns, state.st_mtime_ns))
    scene.start()
    scene.later(1)
    assert sorted(ticket.locator for ticket in scene.inbox.tickets) == list(NAMES[1:])
    assert scene.source.health().alive


def test_where_nothing_changed_nothing_is_asked(tmp_path: Path, make: Make) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["another"] = set(NAMES)
    scene.start()
    scene.later(1)
    assert scene.inbox.tickets == []
    assert scene.ledger.asked == [5]


def test_a_database_that_is_away_meanwhile_loses_no_name(tmp_path: Path, make: Make) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = set(NAMES)
    scene.ledger.broken = True
    scene.start()
    scene.later(2)
    assert scene.inbox.tickets == []
    scene.ledger.broken = False
    for _ in range(3):
        scene.later(2)
    assert sorted(ticket.locator for ticket in scene.inbox.tickets) == sorted(NAMES)


def test_names_are_read_again_once_for_each_start(tmp_path: Path, make: Make) -> None:
    scene = settled_scene(make, tmp_path)
    scene.ledger.renamed["folder"] = set(NAMES)
    scene.start()
    scene.later(1)
    assert len(scene.inbox.tickets) == 5
    scene.later(1000)
    assert len(scene.inbox.tickets) == 5
    scene.source.stop()
    scene.start()
    scene.later(1)
    assert len(scene.inbox.tickets) == 10


def test_a_file_that_is_not_settled_yet_is_read_whole_and_not_by_its_name(
    tmp_path: Path, make: Make
) -> None:
    scene = settled_scene(make, tmp_path)
    new = write(tmp_path / "plate_B2_s0_t0000_phase.tif")
    scene.ledger.renamed["folder"] = {*NAMES, new.name}
    scene.start()
    scene.later(1)
    (ticket,) = [each for each in scene.inbox.tickets if each.locator == new.name]
    assert ticket.content == content_of(pixels())
