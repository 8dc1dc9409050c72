"""The folder source with real threads, real events and another process that writes."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.readers.image_file import read_plane
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, folder_config, pixels, write


class RealClock:
    """The system clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

    def steady(self) -> float:
        return monotonic()


WRITER = """
import sys, time
from pathlib import Path

frames = sorted(Path(sys.argv[1]).glob("*.tif"))
target = Path(sys.argv[2])
for index, frame in enumerate(frames):
    content = frame.read_bytes()
    if index % 3 == 0:
        (target / frame.name).write_bytes(content)
    elif index % 3 == 1:
        part = target / (frame.name + ".part")
        part.write_bytes(content)
        part.rename(target / frame.name)
    else:
        with (target / frame.name).open("wb", buffering=0) as file:
            for start in range(0, len(content), len(content) // 6):
                file.write(content[start : start + len(content) // 6])
                time.sleep(0.1)
"""


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


@pytest.fixture(params=["native", "polling"])
def source(request: pytest.FixtureRequest, watched: Path) -> Iterator[FolderSource]:
    config = folder_config(watched, settle_s=0.5, observer=request.param, poll_s=0.3)
    source = FolderSource(config, RUN, RealClock())
    yield source
    source.stop()


def test_every_frame_another_process_writes_is_offered_once_and_whole(
    source: FolderSource, tmp_path: Path, watched: Path, eventually: Callable[..., None]
) -> None:
    made = [
        write(tmp_path / "made" / f"plate_A1_s0_t{time:04d}_phase.tif", pixels(300, 300, seed=time))
        for time in range(12)
    ]
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "made"), str(watched)], check=True, timeout=30
    )
    eventually(lambda: len(inbox.tickets) >= 12, within_s=20)
    source.scan()
    assert sorted(inbox.keys) == [f"HES7/plate/A1/s0/t{time:04d}/phase" for time in range(12)]
    for ticket in inbox.tickets:
        frame = source.load(ticket)
        assert np.array_equal(frame.pixels, read_plane(made[ticket.key.time_point]).pixels)
    assert inbox.refusals == []
    assert source.health().alive


def test_a_folder_moved_in_with_its_files_is_noticed(
    source: FolderSource, tmp_path: Path, watched: Path, eventually: Callable[..., None]
) -> None:
    for time in range(3):
        write(tmp_path / "run" / "deep" / f"plate_A1_s0_t{time:04d}_phase.tif")
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    (tmp_path / "run").rename(watched / "run")
    eventually(lambda: len(inbox.tickets) == 3, within_s=20)


def test_thousands_of_known_files_cost_little_at_the_start(watched: Path) -> None:
    content = write(watched / "plate_A1_s0_t0000_phase.tif", pixels(4, 4)).read_bytes()
    for time in range(1, 3000):
        (watched / f"plate_A1_s0_t{time:04d}_phase.tif").write_bytes(content)
    config = folder_config(watched)
    first, inbox, ledger = FolderSource(config, RUN, RealClock()), FakeInbox(), FakeLedger()
    first.start(inbox, ledger)
    first.stop()
    assert len(inbox.tickets) == 3000
    ledger.settle(*inbox.tickets)
    ledger.asked.clear()
    again, silent = FolderSource(config, RUN, RealClock()), FakeInbox()
    began = monotonic()
    again.start(silent, ledger)
    again.scan()
    elapsed_s = monotonic() - began
    again.stop()
    assert silent.tickets == []
    assert ledger.asked == [500] * 6
    assert elapsed_s < 3
