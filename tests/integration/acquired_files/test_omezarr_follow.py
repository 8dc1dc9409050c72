"""OME-Zarr stores written by another process, with the writers that pymmcore-plus uses."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.source import OmeZarrSource
from tests.integration.service.test_folder_source import RealClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, pixels
from tests.unit.sources.zarrs import omezarr_config

BACKENDS = ("tensorstore", "zarr-python", "acquire-zarr")
TIMES, PLACES, CHANNELS = 4, ("A1/s0", "A1/s1", "B3/s0"), ("phase", "GFP")
FRAMES = TIMES * len(PLACES) * len(CHANNELS)
# Writes a plate of 3 images and prints when the writer got each frame.
WRITER = """
import json, sys, time
from pathlib import Path
from ome_writers import AcquisitionSettings, Dimension, Plate, Position, create_stream
from tests.unit.sources.images import pixels

root, backend, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
places = [("A", "1", "fov0"), ("A", "1", "fov1"), ("B", "3", "fov0")]
positions = [Position(name=n, plate_row=r, plate_column=c) for r, c, n in places]
axis = {"type": "space", "scale": 0.65, "unit": "micrometer"}
stream = create_stream(AcquisitionSettings(
    root_path=root,
    dtype="uint16",
    compression=options.get("compression"),
    format={"name": "ome-zarr", "backend": backend},
    plate=Plate(name="P7", row_names=list("ABCDEFGH"), column_names=[str(i) for i in range(1, 13)]),
    dimensions=[
        Dimension(name="t", count=options["times"], type="time", scale=2.0, unit="second",
                  chunk_size=options.get("chunk", 1), shard_size_chunks=options.get("shard")),
        Dimension(name="p", type="position", coords=positions),
        Dimension(name="c", type="channel", coords=["Phase", "GFP"]),
        Dimension(name="y", count=256, **axis),
        Dimension(name="x", count=256, **axis),
    ],
))
for index in range(options["frames"]):
    stream.append(pixels(256, 256, seed=index), frame_metadata={"delta_t": float(index)})
    print(index, time.time(), flush=True)
    time.sleep(options["pause_s"])
if options["end"] == "hang":
    time.sleep(3600)
stream.close()
"""


def writer(root: Path, backend: str, **options: object) -> "subprocess.Popen[str]":
    settings = {"times": TIMES, "frames": FRAMES, "pause_s": 0.1, "end": "close", **options}
    command = [sys.executable, "-c", WRITER, str(root), backend, json.dumps(settings)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def index_of(ticket: FrameTicket) -> int:
    """Return the index of the writer's frame that a ticket should be."""
    place = PLACES.index(f"{ticket.key.well}/s{ticket.key.site}")
    at = ticket.key.time_point * len(PLACES) + place
    return at * len(CHANNELS) + CHANNELS.index(ticket.key.channel)


def check_pixels(source: OmeZarrSource, tickets: list[FrameTicket]) -> None:
    for ticket in tickets:
        frame = source.load(ticket)
        assert np.array_equal(frame.pixels, pixels(256, 256, seed=index_of(ticket))), ticket.key
        assert frame.pixel_size_um == 0.65
        assert (ticket.key.run, ticket.key.plate) == ("HES7", "P7")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[OmeZarrSource]:
    source = OmeZarrSource(
        omezarr_config(tmp_path, poll_s=0.5),
        RUN,
        RealClock(),
        patience=Patience(quiet_s=0.6, give_up_s=60),
    )
    yield source
    source.stop()


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_plane_is_offered_once_within_two_seconds_of_being_written(
    source: OmeZarrSource, tmp_path: Path, backend: str, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    with writer(tmp_path / "HES7.ome.zarr", backend, end="hang") as process:
        eventually(lambda: len(inbox.tickets) == FRAMES, within_s=30)
        tickets = list(inbox.tickets)
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=10)
    written = {int(line.split()[0]): float(line.split()[1]) for line in output.splitlines()}
    for ticket in tickets:
        index = index_of(ticket)
        if backend == "acquire-zarr" and ticket.key.time_point == 0:
            index |= 1  # an array is described when all channels of its first time point are there
        assert ticket.seen_at.timestamp() - written[index] < 2
    assert sorted(map(index_of, tickets)) == list(range(FRAMES))
    check_pixels(source, tickets)
    assert inbox.refusals == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_store_is_read_the_same_over_its_close(
    source: OmeZarrSource, tmp_path: Path, backend: str, eventually: Callable[..., None]
) -> None:
    # acquire-zarr empties all groups at its end, and ome-writers restores them.
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    with writer(tmp_path / "HES7.ome.zarr", backend, pause_s=0.02) as process:
        while process.poll() is None:
            source.scan()
            time.sleep(0.01)
    source.scan()
    eventually(lambda: {index_of(each) for each in inbox.tickets} == set(range(FRAMES)))
    check_pixels(source, inbox.tickets)
    moments = {index_of(each): each.elapsed_s for each in inbox.tickets}
    assert moments == {index: float(index) for index in range(FRAMES)}, "delta_t, known at close"
    fingerprints = {(index_of(each), each.locator, each.fingerprint) for each in inbox.tickets}
    assert len(fingerprints) == FRAMES, "and no frame is a new one for that"
    assert source.health().ended
    assert inbox.refusals == []


OTHERS = [
    (backend, options)
    for backend in BACKENDS
    for options in (
        {"shard": 3, "compression": "blosc-zstd"},
        {"chunk": 3},
        {"chunk": 2, "shard": 2, "compression": "blosc-lz4"},
    )
]


@pytest.mark.parametrize(("backend", "options"), OTHERS)
def test_shards_and_chunks_of_several_planes_are_read_while_they_grow(
    source: OmeZarrSource,
    tmp_path: Path,
    backend: str,
    options: dict[str, object],
    eventually: Callable[..., None],
) -> None:
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    path = tmp_path / "HES7.ome.zarr"
    with writer(path, backend, times=5, frames=30, pause_s=0.02, **options) as process:
        process.communicate(timeout=30)
    source.scan()
    eventually(lambda: {index_of(each) for each in inbox.tickets} == set(range(30)))
    check_pixels(source, inbox.tickets)
    assert inbox.refusals == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_killed_acquisition_left_is_used_and_nothing_else(
    source: OmeZarrSource, tmp_path: Path, backend: str, eventually: Callable[..., None]
) -> None:
    inbox = FakeInbox()
    source.start(inbox, FakeLedger())
    options = {"times": 10, "frames": 27, "pause_s": 0.0, "end": "hang"}
    with writer(tmp_path / "HES7.ome.zarr", backend, **options) as process:
        eventually(lambda: len(inbox.tickets) == 27, within_s=30)
        process.send_signal(signal.SIGKILL)
    source.scan()
    assert sorted(map(index_of, inbox.tickets)) == list(range(27))
    check_pixels(source, inbox.tickets)
    reborn, second = OmeZarrSource(omezarr_config(tmp_path), RUN, RealClock()), FakeInbox()
    reborn.start(second, FakeLedger())
    reborn.stop()
    assert {each.locator for each in second.tickets} == {each.locator for each in inbox.tickets}
    assert (inbox.refusals, second.refusals) == ([], [])
