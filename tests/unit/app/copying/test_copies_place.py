"""Places for copies: folders, and real servers of sftp and smb, are written to alike."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from scopewatch.app.checking.copies import check_library
from scopewatch.app.copying.place import OWNER, CopiesPlace, RemotePictures
from scopewatch.app.copying.queue import PictureQueue
from scopewatch.app.copying.shown import REST_S, CopiedPictures, DaemonPictures, UnreadCopies
from scopewatch.core.errors import ConfigError, StoreError
from scopewatch.runtime.copying.copier import PictureCopier
from scopewatch.sources.remote.connections import require_library
from tests.conftest import FakeClock
from tests.servers import served_folder
from tests.unit.store.scene import Scene, files_of, key, open_store

NAME = "run 7/A1/P1_t0007_s0.jpg"


@dataclass(frozen=True)
class Served:
    """A folder, and the URL by which it is written to."""

    folder: Path
    url: str

    def names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)


@pytest.fixture(params=["file", "sftp", "smb"])
def served(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Served]:
    folder = tmp_path / "there"
    folder.mkdir()
    if request.param == "file":
        yield Served(folder, f"file://{folder}")
        return
    with served_folder(request.param, folder, tmp_path / "server", monkeypatch) as url:
        yield Served(folder, url)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "overlays"
    (folder / NAME).parent.mkdir(parents=True)
    (folder / NAME).write_bytes(b"first")
    return folder


def place_of(url: str, pictures: Path, owner: str = "ours") -> CopiesPlace:
    return CopiesPlace(RemotePictures(url), pictures, lambda: owner)


def test_a_picture_is_copied_replaced_read_and_removed(served: Served, pictures: Path) -> None:
    place, remote = place_of(served.url, pictures), RemotePictures(served.url)
    place.claim()
    assert place.copy(NAME)
    assert (remote.read(NAME), remote.is_there(NAME)) == (b"first", True)
    (pictures / NAME).write_bytes(b"second, and longer")
    assert place.copy(NAME)
    assert remote.read(NAME) == b"second, and longer"
    assert served.names() == sorted([NAME, OWNER]), "nothing half written is left"
    for _ in range(2):
        place.remove(NAME)
    assert not remote.is_there(NAME)
    with pytest.raises(FileNotFoundError):
        remote.read(NAME)
    place.try_out()
    assert served.names() == [OWNER]


def test_a_place_of_other_results_is_refused_in_one_line(served: Served, pictures: Path) -> None:
    place_of(served.url, pictures).claim()
    place_of(served.url, pictures).claim()
    with pytest.raises(StoreError, match="another scopewatch copies its pictures there") as found:
        place_of(served.url, pictures, owner="theirs").claim()
    assert str(found.value).count("\n") == 0
    assert f"delete {OWNER}" in str(found.value)


def test_what_is_gone_here_is_no_error_but_a_folder_that_is_away_is(
    tmp_path: Path, pictures: Path
) -> None:
    place = place_of(f"file://{tmp_path}/there", pictures)
    assert not place.copy("run 7/A1/P1_t0008_s0.jpg")
    with pytest.raises(StoreError, match=r"picture cannot be read.*its folder is away"):
        place_of(f"file://{tmp_path}/there", tmp_path / "away").copy(NAME)
    (pictures / "folder.jpg").mkdir()
    with pytest.raises(StoreError, match="picture cannot be read"):
        place.copy("folder.jpg")


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(bytes(101))
    remote = RemotePictures(f"file://{tmp_path}")
    assert len(remote.read("large.jpg", 101)) == 101
    with pytest.raises(StoreError, match="file is larger than any picture"):
        remote.read("large.jpg", 100)


@pytest.mark.parametrize(
    ("url", "library"), [("s3://b/p", "s3fs"), ("sftp://h/p", "paramiko"), ("file:///p", "fsspec")]
)
def test_a_library_that_is_not_installed_is_named_with_what_installs_it(
    url: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "scopewatch.sources.remote.connections.find_spec",
        lambda name: None if name == library else object(),
    )
    with pytest.raises(ConfigError, match=r"pip install 'scopewatch\[remote\]'") as found:
        require_library(url)
    assert f"no {library}" in str(found.value)


def test_nothing_of_the_libraries_is_loaded_by_what_the_daemon_imports() -> None:
    code = (
        "import sys, scopewatch.app.daemon, scopewatch.app.shared.serving\n"
        "found = {'fsspec', 's3fs', 'botocore', 'aiobotocore', 'paramiko', 'smbclient'}\n"
        "sys.exit(str(found & set(sys.modules)) if found & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


class Slow(RemotePictures):
    """A place whose answers a test decides on."""

    def __init__(self) -> None:
        super().__init__("s3://bucket/lab")
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.hangs = False

    def read(self, path: str, most_bytes: int = 0) -> bytes:
        self.asked.append(path)
        if self.hangs:
            threading.Event().wait(2)
        if self.error is not None:
            raise self.error
        return b"JPEG"

    def is_there(self, path: str) -> bool:
        return bool(self.read(path))


def test_pictures_of_a_daemon_are_read_below_its_name(clock: FakeClock) -> None:
    remote = Slow()
    shown = DaemonPictures(CopiedPictures(remote, clock), "scope-1")
    assert (shown.read(NAME), shown.trouble(NAME)) == (b"JPEG", "")
    assert set(remote.asked) == {f"scope-1/{NAME}"}
    remote.error = FileNotFoundError()
    assert shown.read(NAME) is None


def test_a_place_that_is_away_is_asked_again_after_a_rest(clock: FakeClock) -> None:
    remote = Slow()
    shown = DaemonPictures(CopiedPictures(remote, clock), "scope-1")
    remote.error = StoreError("place of copies cannot be used: why")
    with pytest.raises(StoreError, match="place of copies cannot be used: why"):
        shown.read(NAME)
    remote.error = None
    asked = len(remote.asked)
    assert shown.trouble(NAME) == "place of copies cannot be used: why"
    assert len(remote.asked) == asked, "the first failure is enough"
    clock.advance(REST_S + 1)
    assert shown.read(NAME) == b"JPEG"


def test_a_place_that_gives_no_answer_holds_up_nobody(clock: FakeClock) -> None:
    remote = Slow()
    remote.hangs = True
    shown = DaemonPictures(CopiedPictures(remote, clock, answer_s=0.05), "scope-1")
    with pytest.raises(StoreError, match=r"no answer within 0\.05 s"):
        shown.read(NAME)
    assert "no answer within" in shown.trouble(NAME)


def test_words_of_a_library_are_not_repeated(clock: FakeClock) -> None:
    remote = Slow()
    remote.error = RuntimeError("https://bucket/?X-Amz-Signature=secret")
    shown = DaemonPictures(CopiedPictures(remote, clock), "scope-1")
    assert "RuntimeError" in shown.trouble(NAME)
    assert "secret" not in shown.trouble(NAME)


def test_a_dashboard_that_was_given_no_place_names_it_and_asks_for_nothing() -> None:
    shown = UnreadCopies("s3://bucket/lab/scope-1")
    assert "start scopewatch web with --pictures" in shown.trouble(NAME)
    with pytest.raises(StoreError, match="s3://bucket/lab/scope-1"):
        shown.read(NAME)


class Killed(BaseException):
    """The process ends here."""


class KilledBeforeTheMark(PictureQueue):
    """A queue of a process that is killed after it has copied, and before it marks it."""

    def done(self, numbers: Sequence[int]) -> None:
        raise Killed


def test_a_kill_between_a_copy_and_its_mark_loses_and_doubles_nothing(
    tmp_path: Path, pictures: Path, clock: FakeClock
) -> None:
    url = f"file://{tmp_path}/there"
    with closing(open_store(tmp_path / "state", clock, copies=True)) as store:
        files = files_of(key("A1", 0))
        for number, name in enumerate((files.overlay, files.stain)):
            assert name is not None
            (pictures / name).write_bytes(bytes([number]) * 1000)
        first = KilledBeforeTheMark(store, url, clock)
        first.owner()
        Scene(store=store).score(key("A1", 0), 0.1)
        place = CopiesPlace(RemotePictures(url), pictures, first.owner)
        with pytest.raises(Killed):
            PictureCopier(first, place, where=url, clock=clock).round()
        written = {path: path.read_bytes() for path in (tmp_path / "there").rglob("*_s0*")}
        assert len(written) == 2
        second = PictureQueue(store, url, clock)
        assert second.counts() == (2, 0), "they are due as before"
        copier = PictureCopier(second, place, where=url, clock=clock)
        copier.round()
        assert (copier.counts.copied, second.counts()) == (2, (0, 0))
        found = {path: path.read_bytes() for path in (tmp_path / "there").rglob("*_s0*")}
        assert found == written
        copier.round()
        assert copier.counts.copied == 2


def test_check_says_that_a_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "its library is installed" in check_library("s3://bucket/lab")
    monkeypatch.setattr("scopewatch.sources.remote.connections.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'scopewatch\[remote\]'"):
        check_library("s3://bucket/lab")


def test_an_upload_to_a_server_that_takes_nothing_has_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "of-the-test")
    monkeypatch.setattr("scopewatch.app.copying.place._UPLOAD_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        remote = RemotePictures("s3://bucket/lab")
        with pytest.raises(StoreError, match=r"place of copies cannot be used.*Timeout"):
            # More than the system's buffers hold.
            remote.write("large.jpg", bytes(20_000_000))
