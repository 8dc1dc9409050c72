"""NDTiff data sets written by another process, with the storage pycro-manager uses."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from scopewatch.sources.ndtiff.source import NDTiffSource
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, pixels
from tests.unit.sources.ndtiffs import ndtiff_config

WRITER = """
import sys, time
from pathlib import Path
from tests.unit.sources.images import pixels
from tests.unit.sources.ndtiffs import Writer

writer = Writer(Path(sys.argv[1]))
for index in range(int(sys.argv[2])):
    writer.add(index, image=pixels(256, 256, seed=index), tags={"written_at": time.time()})
    print(index, time.time(), flush=True)
    time.sleep(float(sys.argv[3]))
if sys.argv[4] == "hang":
    time.sleep(3600)
writer.finish()
"""


def writer(folder: Path, images: int, pause_s: float, end: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(images), str(pause_s), end],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def source(tmp_path: Path) -> Iterator[NDTiffSource]:
    config = ndtiff_config(tmp_path / "data", poll_s=1)
    (tmp_path / "data").mkdir()
    source = NDTiffSource(config, RUN, RealClock())
    yield source
    source.stop()


def test_each_image_is_offered_within_two_seconds_of_being_written(
    source: NDTiffSource, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    with writer(tmp_path / "data", 8, 0.3, "end") as process:
        output, _ = process.communicate(timeout=30)
    eventually(lambda: len(inbox.tickets) == 8)
    written = dict(line.split() for line in output.splitlines())
    for ticket in inbox.tickets:
        delay_s = ticket.seen_at.timestamp() - float(written[str(ticket.key.time_point)])
        assert delay_s < 2
        image = pixels(256, 256, seed=ticket.key.time_point)
        assert np.array_equal(source.load(ticket).pixels, image)


def test_what_a_killed_acquisition_left_is_used_and_nothing_else(
    source: NDTiffSource, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    with writer(tmp_path / "data", 5, 0.0, "hang") as process:
        eventually(lambda: len(inbox.tickets) == 5)
        process.send_signal(signal.SIGKILL)
    source.scan()
    assert [ticket.key.time_point for ticket in inbox.tickets] == [0, 1, 2, 3, 4]
    assert inbox.refusals == []
    assert (tmp_path / "data/HES7_1/NDTiff.index").stat().st_size == 0
    reborn, again = NDTiffSource(ndtiff_config(tmp_path / "data"), RUN, RealClock()), 5
    second = FakeInbox()
    reborn.start(second, FakeLedger())
    reborn.stop()
    assert len(second.tickets) == again
