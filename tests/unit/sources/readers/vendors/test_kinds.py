import struct
import subprocess
import sys
from pathlib import Path

import pytest

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import is_image_name, list_planes, read_plane
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.vendors import kinds
from scopewatch.sources.readers.vendors.places import number_sites
from tests.unit.sources.readers.vendors.czis import Block, grey, write_czi
from tests.unit.sources.readers.vendors.lifs import Image, write_lif
from tests.unit.sources.readers.vendors.nd2s import Acquisition, write_nd2


def write_file(folder: Path, suffix: str) -> Path:
    """Write a file of two planes."""
    path = folder / f"run{suffix}"
    if suffix == ".nd2":
        return write_nd2(path, Acquisition(times=2))
    if suffix == ".lif":
        return write_lif(path, [Image(path="Scan/A1", sizes={"T": 2})])
    return write_czi(path, [Block(at={"T": time}, pixels=grey(time)) for time in range(2)])


def test_no_library_of_the_extra_is_imported_before_such_a_file_is_opened() -> None:
    code = (
        "import sys, scopewatch.cli, scopewatch.sources.folder.source;"
        "print([each for each in ('czifile', 'liffile', 'nd2', 'dask') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("suffix", sorted(kinds.KINDS))
def test_a_file_is_known_by_its_suffix_in_any_case(suffix: str, tmp_path: Path) -> None:
    assert is_image_name(f"a{suffix.upper()}")
    path = write_file(tmp_path, suffix)
    shouting = path.rename(path.with_suffix(suffix.upper()))
    assert len(list_planes(shouting).planes) == 2
    assert read_plane(shouting, 1).pixels.shape == (24, 32)


@pytest.mark.parametrize("suffix", sorted(kinds.KINDS))
def test_a_file_that_is_gone_or_has_no_such_plane_is_a_complaint(
    suffix: str, tmp_path: Path
) -> None:
    path = write_file(tmp_path, suffix)
    with pytest.raises(FrameError, match=r"image cannot be decoded: .*no plane 2 of 2"):
        read_plane(path, 2)
    path.unlink()
    for look in (list_planes, read_plane):
        with pytest.raises(FrameError, match=r"image file cannot be read: .*No such file"):
            look(path)


@pytest.mark.parametrize("suffix", sorted(kinds.KINDS))
def test_limits_hold(suffix: str, tmp_path: Path) -> None:
    path = write_file(tmp_path, suffix)
    with pytest.raises(FrameError, match="image file has too many planes"):
        list_planes(path, ReadLimits(max_planes=1))
    with pytest.raises(FrameError, match="image declares too many pixels"):
        read_plane(path, 0, ReadLimits(max_pixels=100))
    if suffix != ".nd2":
        with pytest.raises(FrameError, match="image cannot be decoded"):
            list_planes(path, ReadLimits(max_text_bytes=100))


def test_numbers_of_a_damaged_file_fill_no_memory(tmp_path: Path) -> None:
    many = 2_000_000_000
    nd2 = write_nd2(tmp_path / "a.nd2", Acquisition(times=many, acquired=1))
    lif = write_lif(tmp_path / "a.lif", [Image(path="Scan/A1", sizes={"M": 2})])
    text = lif.read_bytes()
    old, new = (
        'NumberOfElements="2"'.encode("utf-16-le"),
        'NumberOfElements="9"'.encode("utf-16-le"),
    )
    lif.write_bytes(text.replace(old, new))
    for path in (nd2, lif):
        with pytest.raises(FrameError, match="image file has too many planes"):
            list_planes(path, ReadLimits(max_planes=5))
    czi = write_czi(tmp_path / "a.czi", [Block(at={"C": 0, "Q": 0}, pixels=grey(0))])
    entry = struct.pack("<4siifi", b"Q", 0, 1, 0.0, 1)
    longer = struct.pack("<4siifi", b"Q", 0, many, 0.0, many)
    czi.write_bytes(czi.read_bytes().replace(entry, longer))
    with pytest.raises(FrameError, match="a sub-block holds several planes"):
        list_planes(czi)


@pytest.mark.parametrize("suffix", sorted(kinds.KINDS))
def test_a_file_that_is_written_again_is_listed_again(suffix: str, tmp_path: Path) -> None:
    path = write_file(tmp_path, suffix)
    assert len(list_planes(path).planes) == 2
    if suffix == ".nd2":
        write_nd2(path, Acquisition(times=3))
    elif suffix == ".lif":
        write_lif(path, [Image(path="Scan/A1", sizes={"T": 3})])
    else:
        write_czi(path, [Block(at={"T": time}, pixels=grey(time)) for time in range(3)])
    assert len(list_planes(path).planes) == 3


def test_without_the_library_the_complaint_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_file(tmp_path, ".nd2")
    monkeypatch.setattr(kinds, "find_spec", lambda _: None)
    for look in (list_planes, read_plane):
        with pytest.raises(FrameError, match=r"pip install scopewatch\[vendors\]"):
            look(path)


def test_sites_keep_their_numbers_where_these_tell_them_apart() -> None:
    fields = [("a", "A1", 3), ("b", "A1", 1), ("c", "B1", None), ("d", "B1", 2), ("e", "C1", 7)]
    assert number_sites(fields) == {"a": 3, "b": 1, "c": 0, "d": 1, "e": 7}
    assert number_sites([("a", "A1", None)]) == {"a": None}
    assert number_sites([("a", "A1", 1), ("b", "A1", 1)]) == {"a": 0, "b": 1}
