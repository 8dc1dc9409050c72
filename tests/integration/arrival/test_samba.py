"""Frames that a client puts onto a share are read on the real Samba server's side."""

import getpass
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.soak.transfer_servers import samba
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.readers.image_file import read_plane
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import RUN, folder_config, pixels, write

FRAMES = 9
MISSING = [name for name in ("smbd", "smbclient") if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not there: {' '.join(MISSING)}; apt install samba smbclient"
)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tmp_path / "exported"
    folder.mkdir()
    return folder


@pytest.fixture
def port(tmp_path: Path, exported: Path) -> Iterator[int]:
    with samba(exported, tmp_path / "samba", getpass.getuser()) as port:
        yield port


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """Return nine frames, uncompressed and LZW TIFF and PNG, by well and time of their keys."""
    frames = {}
    for index in range(FRAMES):
        well, time = f"A{index // 3 + 1}", index % 3
        suffix = ("tif", "tif", "png")[time]
        path = tmp_path / "made" / f"plate_{well}_s0_t{time:04d}_phase.{suffix}"
        image = pixels(700, 900, seed=index)
        if suffix == "png":
            Image.fromarray(image).save(path)
        else:
            write(path, image, compression="lzw" if time == 1 else None)
        frames[f"HES7/plate/{well}/s0/t{time:04d}/phase"] = path
    return frames


def smbclient(port: int, orders: str) -> None:
    """Run commands of an SMB client."""
    address = ("//127.0.0.1/in", "--port", str(port), "--no-pass", "--user", "guest")
    done = subprocess.run(
        ["smbclient", *address, "--command", orders],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("observer", ["native", "polling"])
def test_nine_frames_put_onto_the_share_are_offered_once_each_and_whole(
    exported: Path,
    port: int,
    made: dict[str, Path],
    observer: str,
    eventually: Callable[..., None],
) -> None:
    config = folder_config(exported, settle_s=0.5, observer=observer, poll_s=0.3)
    source, inbox, ledger = (
        FolderSource(config, RUN, SystemClock()),
        FakeInbox(),
        FakeLedger(),
    )
    source.start(inbox, ledger)
    try:
        smbclient(port, f"prompt off; mkdir run; cd run; lcd {made[min(made)].parent}; mput *")
        eventually(lambda: len(inbox.tickets) >= FRAMES, within_s=30)
        source.scan()
        assert sorted(inbox.keys) == sorted(made)
        assert inbox.refusals == []
        for ticket in inbox.tickets:
            original = read_plane(made[str(ticket.key)]).pixels
            assert np.array_equal(source.load(ticket).pixels, original)
        # A file that a client renames on the share is the same frame under another key.
        ledger.settle(*inbox.tickets)
        smbclient(port, "cd run; rename plate_A1_s0_t0000_phase.tif plate_B7_s0_t0000_phase.tif")
        eventually(lambda: len(inbox.tickets) > FRAMES, within_s=30)
        assert inbox.keys[-1] == "HES7/plate/B7/s0/t0000/phase"
    finally:
        source.stop()
