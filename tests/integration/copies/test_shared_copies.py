"""Two daemons with one bucket, and one dashboard on a machine that has none of their pictures."""

import re
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest
import requests
from numpy.typing import NDArray

from scopewatch.app.shared.serving import serve_shared
from scopewatch.cli.main import run
from scopewatch.core.errors import ConfigError
from scopewatch.store.schema.place import Server
from tests.integration.conftest import Save
from tests.integration.copies.conftest import (
    BUCKET,
    PREFIX,
    URL,
    Bucket,
    Eventually,
    one_frame,
    pictures_of,
)
from tests.integration.daemon import Daemon

pytestmark = pytest.mark.timeout(300)
WITHIN_S = 90
NAMES = ("scope-1", "scope-2")
PICTURE = "run%201/A1/P1_t0000_s0.jpg"


def test_daemons_share_a_bucket_and_a_dashboard_elsewhere_shows_their_pictures(
    tmp_path: Path,
    bundle: Path,
    bucket: Bucket,
    phase: NDArray[np.uint16],
    save: Save,
    server_place: Server,
    eventually: Eventually,
) -> None:
    daemons = {}
    with ExitStack() as held:
        for number, name in enumerate(NAMES):
            (tmp_path / name).mkdir()
            daemons[name] = daemon = Daemon(tmp_path / name, bundle, eventually)
            daemon.share(Server(url=server_place.url, daemon=name))
            daemon.settings["overlays"] = {"copy_to": URL}
            daemon.start_ready(within_s=WITHIN_S)
            assert daemon.process is not None
            held.callback(daemon.process.kill)
            # Runs, wells and files have the same names, and other cells.
            pixels = np.roll(phase[:256, :256], 64 * number, axis=1)
            save(daemon.incoming / one_frame("A1", 0), pixels)
        eventually(lambda: len(bucket.objects()) == 4, WITHIN_S)
        ours = {name: pictures_of(daemons[name], f"{PREFIX}/{name}") for name in NAMES}
        assert bucket.objects() == ours["scope-1"] | ours["scope-2"]
        for daemon in daemons.values():
            assert daemon.end(within_s=20) == 0
            (daemon.state / "overlays").rename(daemon.state / "elsewhere")
    settings = {"host": "127.0.0.1", "port": 0}
    environ = {"URL": server_place.url}
    with serve_shared("env:URL", settings, URL, environ) as web, httpx.Client(timeout=30) as client:
        for name in NAMES:
            pages = f"{web.url.rstrip('/')}/daemons/{name}"
            page = client.get(f"{pages}/wells/run%201/P1/A1")
            assert f'src="/daemons/{name}/overlays/{PICTURE}"' in page.text
            found = client.get(f"{pages}/overlays/{PICTURE}")
            key = f"{PREFIX}/{name}/run 1/A1/P1_t0000_s0.jpg"
            assert found.content == ours[name][key]
            away = client.get(f"{pages}/overlays/..%2F{NAMES[0]}%2F{PICTURE}")
            assert away.status_code == 404
        bucket.client.delete_object(Bucket=BUCKET, Key=key)
        assert client.get(f"{pages}/overlays/{PICTURE}").status_code == 404
        page = client.get(f"{pages}/wells/run%201/P1/A1")
        assert "The picture cannot be had at the moment: picture is not there" in page.text
        bucket.stop()
        found = client.get(f"{web.url.rstrip('/')}/daemons/scope-1/overlays/{PICTURE}")
        assert found.status_code == 503
        line = "place of copies cannot be used: s3://pictures/lab"
        assert line in found.text
        page = client.get(f"{web.url.rstrip('/')}/daemons/scope-1/wells/run%201/P1/A1")
        assert line in page.text
        assert not re.search("(key|secret)-of-the-test", found.text + page.text)
        bucket.start()
    with serve_shared("env:URL", settings, None, environ) as web:
        page = httpx.get(f"{web.url.rstrip('/')}/daemons/scope-1/wells/run%201/P1/A1", timeout=30)
        assert "start scopewatch web with --pictures and its URL" in page.text
        assert "s3://pictures/lab/scope-1" in page.text


def test_a_second_daemon_at_the_same_place_is_refused_by_a_complaint(
    tmp_path: Path,
    bundle: Path,
    bucket: Bucket,
    phase: NDArray[np.uint16],
    save: Save,
    eventually: Eventually,
) -> None:
    with ExitStack() as held:
        for name in NAMES:
            (tmp_path / name).mkdir()
            daemon = Daemon(tmp_path / name, bundle, eventually)
            daemon.settings["overlays"] = {"copy_to": URL}
            daemon.start_ready(within_s=WITHIN_S)
            assert daemon.process is not None
            held.callback(daemon.process.kill)
            save(daemon.incoming / one_frame("A1", 0), phase[:256, :256])
            if name == NAMES[0]:
                eventually(lambda: len(bucket.objects()) == 2, WITHIN_S)
                first = bucket.objects()
                assert daemon.end(within_s=20) == 0
        eventually(lambda: daemon.count("pictures cannot be copied") == 1, WITHIN_S)
        (line,) = (e for e in daemon.log_lines() if e["message"] == "pictures cannot be copied")
        assert "another scopewatch copies its pictures there" in line["event.why"]
        assert bucket.objects() == first
        found = daemon.ask("check")
        assert "another scopewatch copies its pictures there" in found.stdout + found.stderr
        assert daemon.end(within_s=20) == 0


@pytest.fixture
def refusing(bucket: Bucket) -> Bucket:
    """A server that knows none of the keys from now on."""
    address = f"{bucket.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    requests.post(address, data=b"0", timeout=10)
    return bucket


def test_wrong_keys_are_one_line_and_frames_are_judged(
    daemon: Daemon,
    refusing: Bucket,
    phase: NDArray[np.uint16],
    save: Save,
    eventually: Eventually,
) -> None:
    daemon.settings["overlays"] = {"copy_to": URL}
    daemon.start_ready(within_s=WITHIN_S)
    save(daemon.incoming / one_frame("A1", 0), phase[:256, :256])
    eventually(lambda: daemon.count("pictures cannot be copied") == 1, WITHIN_S)
    eventually(lambda: list(daemon.states().values()) == ["done"], WITHIN_S)
    (line,) = (e for e in daemon.log_lines() if e["message"] == "pictures cannot be copied")
    assert line["event.why"].startswith("place of copies cannot be used: s3://pictures/lab")
    assert "key-of-the-test" not in daemon.log.read_text(encoding="utf-8")
    found = daemon.ask("check")
    assert found.returncode == 1
    assert "place of copies cannot be used" in found.stdout + found.stderr
    address = f"{refusing.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    requests.post(address, data=b"Infinity", timeout=10)
    eventually(lambda: len(refusing.objects()) == 2, WITHIN_S)
    assert daemon.end() == 0


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("s3://key:hunter2@bucket/lab", "the URL may hold no credentials"),
        ("http://server/lab", "the place for copies of pictures is a URL"),
        ("s3://bucket/../lab", "the URL may hold neither ? nor #, nor .. in its path"),
    ],
)
def test_a_url_that_is_none_for_copies_is_refused_and_not_repeated(
    url: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(ConfigError, match=re.escape(line)),
        serve_shared("postgresql+psycopg://lab@127.0.0.1:1/x", {}, url, {}),
    ):
        pass
    call = ["web", "--database", "postgresql+psycopg://lab@127.0.0.1:1/x", "--pictures", url]
    assert run(call) == 2
    found = capsys.readouterr().err
    assert line in found
    assert "hunter2" not in found
