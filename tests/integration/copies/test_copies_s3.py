"""The real daemon copies its pictures to a bucket: over outages, kills and retention."""

import os
import signal
import socket
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.conftest import Save
from tests.integration.copies.conftest import URL, Bucket, Eventually, one_frame, pictures_of
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.timeout(300)
WITHIN_S = 60


@pytest.fixture
def small(phase: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return phase[:256, :256]


def offer(daemon: Daemon, save: Save, pixels: NDArray[np.uint16], *names: str) -> None:
    for name in names:
        save(daemon.incoming / name, pixels)


def scored(daemon: Daemon) -> int:
    return list(daemon.states().values()).count("done")


def test_pictures_are_copied_also_after_an_outage_in_which_frames_are_judged(
    daemon: Daemon, bucket: Bucket, small: NDArray[np.uint16], save: Save, eventually: Eventually
) -> None:
    daemon.settings["overlays"] = {"copy_to": URL}
    daemon.start_ready()
    offer(daemon, save, small, one_frame("A1", 0), one_frame("A1", 1))
    eventually(lambda: len(bucket.objects()) == 4, WITHIN_S)
    assert bucket.objects() == pictures_of(daemon)
    bucket.stop()
    offer(daemon, save, small, one_frame("A1", 2), one_frame("A1", 3))
    eventually(lambda: scored(daemon) == 4, WITHIN_S)
    eventually(lambda: daemon.count("pictures cannot be copied") == 1, WITHIN_S)
    bucket.start()
    eventually(lambda: len(bucket.objects()) == 8, WITHIN_S)
    assert bucket.objects() == pictures_of(daemon)
    eventually(lambda: daemon.count("pictures are copied again") == 1, WITHIN_S)
    assert daemon.count("pictures cannot be copied") == 1, "one line for each outage"
    assert "secret-of-the-test" not in daemon.log.read_text(encoding="utf-8")
    assert daemon.end() == 0


def test_a_server_that_accepts_and_says_nothing_delays_no_end(
    daemon: Daemon, bucket: Bucket, small: NDArray[np.uint16], save: Save, eventually: Eventually
) -> None:
    daemon.settings["overlays"] = {"copy_to": URL}
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        daemon.start_ready({"AWS_ENDPOINT_URL": silent_url})
        offer(daemon, save, small, one_frame("A1", 0))
        eventually(lambda: scored(daemon) == 1, WITHIN_S)
        silent.settimeout(WITHIN_S)
        silent.accept()[0].close()
        began_s = time.monotonic()
        assert daemon.end() == 0
        assert time.monotonic() - began_s < 5
    daemon.start_ready()
    eventually(lambda: len(bucket.objects()) == 2, WITHIN_S)
    assert bucket.objects() == pictures_of(daemon)


def test_a_kill_loses_no_copy_and_pictures_of_before_are_copied_too(
    daemon: Daemon, bucket: Bucket, small: NDArray[np.uint16], save: Save, eventually: Eventually
) -> None:
    daemon.start_ready()
    offer(daemon, save, small, *(one_frame("A1", each) for each in range(12)))
    eventually(lambda: scored(daemon) == 12, WITHIN_S)
    assert daemon.end() == 0
    assert not bucket.objects()
    daemon.settings["overlays"] = {"copy_to": URL}
    for kill_after in (1, 9):
        daemon.start_ready()
        eventually(lambda least=kill_after: len(bucket.objects()) >= least, WITHIN_S)
        daemon.end(signal.SIGKILL)
    offer(daemon, save, small, one_frame("B1", 0))
    daemon.start_ready()
    eventually(lambda: len(bucket.objects()) == 26, WITHIN_S)
    assert bucket.objects() == pictures_of(daemon)
    assert daemon.end() == 0


def test_retention_removes_copies_too(
    daemon: Daemon, bucket: Bucket, small: NDArray[np.uint16], save: Save, eventually: Eventually
) -> None:
    daemon.settings["overlays"] = {"copy_to": URL, "keep_days": 30}
    daemon.start_ready()
    offer(daemon, save, small, one_frame("A1", 0), one_frame("A1", 1))
    eventually(lambda: len(bucket.objects()) == 4, WITHIN_S)
    assert daemon.end() == 0
    old = sorted((daemon.state / "overlays").rglob("*_t0000_*"))
    long_ago_s = time.time() - 31 * 86400
    for each in old:
        os.utime(each, (long_ago_s, long_ago_s))
    bucket.stop()
    daemon.start_ready()
    eventually(lambda: daemon.count("pictures removed by retention") == 1, WITHIN_S)
    assert daemon.end() == 0
    bucket.start()
    assert len(bucket.objects()) == 4, "it was away"
    daemon.start_ready()
    eventually(lambda: len(bucket.objects()) == 2, WITHIN_S)
    assert bucket.objects() == pictures_of(daemon)
    assert len(old) == 2
    assert daemon.end() == 0


def test_check_names_a_missing_bucket_and_says_when_a_place_can_be_used(
    daemon: Daemon, bucket: Bucket, tmp_path: Path
) -> None:
    daemon.settings["overlays"] = {"copy_to": URL}
    daemon.start_ready()
    assert daemon.end() == 0
    assert "s3://pictures/lab can be written to and read" in daemon.ask("check").stdout
    assert not bucket.objects(), "check leaves nothing"
    daemon.settings["overlays"] = {"copy_to": "s3://absent/lab"}
    daemon.start_ready()
    found = daemon.ask("check")
    assert found.returncode == 1
    assert "no such bucket, share or folder" in found.stdout + found.stderr
    assert daemon.end() == 0
