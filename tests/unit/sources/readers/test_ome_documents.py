"""OME-TIFFs that refer to another file for their metadata, as ome-writers writes them."""

import os
import shutil
from pathlib import Path

import pytest

from scopewatch.core.errors import FrameError
from scopewatch.sources.readers.image_file import list_planes
from scopewatch.sources.readers.memory import FileMemory
from scopewatch.sources.readers.ome.document import parse_ome
from scopewatch.sources.readers.planes import DEFAULT_LIMITS, ReadLimits
from scopewatch.sources.readers.tiff import documents
from tests.unit.sources.images import read_frames
from tests.unit.sources.ome_sets import Arrangement, Written, edit_xml, plate, whole_plate

ELSEWHERE = "C:\\\\data\\\\day 0\\\\companion.ome"


def wells(folder: Path) -> dict[str, list[tuple[str, int, int]]]:
    return {
        path.name: [(each.key.well, each.key.site, each.key.time_point) for each in found]
        for path in sorted(folder.glob("*.tiff"))
        if (found := read_frames(path))
    }


def expected(written: list[Written]) -> dict[str, list[tuple[str, int, int]]]:
    files: dict[str, list[tuple[str, int, int]]] = {}
    for plane in written:
        files.setdefault(plane.file, []).append((plane.well, plane.site, plane.time))
    return files


@pytest.mark.parametrize("arrangement", ["master-tiff", "companion-file"])
def test_the_file_that_is_named_is_read_wherever_the_set_lies_now(
    tmp_path: Path, arrangement: Arrangement
) -> None:
    # ome-writers names it by its whole path.
    written = whole_plate(tmp_path / "plate", arrangement=arrangement)
    assert wells(tmp_path / "plate") == expected(written)
    moved = shutil.move(tmp_path / "plate", tmp_path / "moved")
    assert wells(Path(moved)) == expected(written)


def test_a_path_of_another_system_is_its_last_part(tmp_path: Path) -> None:
    written = whole_plate(tmp_path / "plate", arrangement="companion-file")
    for path in (tmp_path / "plate").glob("*.tiff"):
        edit_xml(
            path,
            lambda xml: xml.replace(
                f'MetadataFile="{tmp_path}/plate/companion.ome"', f'MetadataFile="{ELSEWHERE}"'
            ),
        )
    assert wells(tmp_path / "plate") == expected(written)


@pytest.mark.parametrize("arrangement", ["master-tiff", "companion-file"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, arrangement: Arrangement) -> None:
    whole_plate(tmp_path / "plate", arrangement=arrangement)
    name = "companion.ome" if arrangement == "companion-file" else "plate_p000.ome.tiff"
    (tmp_path / "plate" / name).unlink()
    with pytest.raises(FrameError) as caught:
        list_planes(tmp_path / "plate/plate_p001.ome.tiff")
    assert str(caught.value) == (
        "metadata of the image are in another file, which cannot be read:"
        f" {tmp_path}/plate/plate_p001.ome.tiff (expected {name} beside it, got No such file or"
        " directory); copy that file beside the images"
    )


@pytest.mark.parametrize("name", ["../secret.ome", "/etc/companion.ome", "a/../../secret.ome"])
def test_a_reference_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    whole_plate(tmp_path / "plate", arrangement="companion-file")
    shutil.copy(tmp_path / "plate/companion.ome", tmp_path / "secret.ome")
    path = tmp_path / "plate/plate_p001.ome.tiff"
    edit_xml(path, lambda xml: xml.replace(f"{tmp_path}/plate/companion.ome", name))
    (tmp_path / "plate/companion.ome").unlink()
    with pytest.raises(FrameError, match="metadata of the image are in another file"):
        list_planes(path)


@pytest.mark.parametrize("name", ["", "..", "/", "plate_p001.ome.tiff"])
def test_a_reference_that_leads_nowhere_is_refused(tmp_path: Path, name: str) -> None:
    whole_plate(tmp_path / "plate", arrangement="companion-file")
    path = tmp_path / "plate/plate_p001.ome.tiff"
    edit_xml(path, lambda xml: xml.replace(f"{tmp_path}/plate/companion.ome", name))
    with pytest.raises(FrameError, match="got a reference that leads nowhere"):
        list_planes(path)


def test_files_that_refer_to_one_another_are_refused(tmp_path: Path) -> None:
    whole_plate(tmp_path / "plate", arrangement="master-tiff")
    path, other = (tmp_path / f"plate/plate_p00{number}.ome.tiff" for number in (1, 2))
    edit_xml(path, lambda xml: xml.replace("plate_p000", "plate_p002"))
    edit_xml(other, lambda xml: xml.replace("plate_p000", "plate_p001"))
    with pytest.raises(FrameError, match="got a file that refers to another itself"):
        list_planes(path)


def test_a_file_that_the_document_does_not_know_is_reported(tmp_path: Path) -> None:
    whole_plate(tmp_path / "plate", arrangement="companion-file")
    path = (tmp_path / "plate/plate_p001.ome.tiff").rename(tmp_path / "plate/other.ome.tiff")
    # It is still identified by its UUID.
    assert {each.key.well for each in read_frames(path)} == {"A1"}
    edit_xml(tmp_path / "plate/other.ome.tiff", lambda xml: xml.replace('UUID="urn', 'UUID="x', 1))
    assert "its OME-XML lists other files (4:" in str(list_planes(path).trouble)


def test_planes_of_a_master_are_read_while_the_others_grow(tmp_path: Path) -> None:
    path = tmp_path / "plate/plate_p001.ome.tiff"
    with plate(tmp_path / "plate", arrangement="master-tiff") as writer:
        writer.add(3)
        writer.settle()
        contents = list_planes(path)
        assert [plane.page for plane in contents.planes] == [0]
        assert contents.unfinished == "1 of 6 planes are written"


def test_one_document_is_parsed_once_for_all_its_files_and_again_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_plate(tmp_path / "plate", arrangement="companion-file")
    parsed: list[object] = []
    parse = parse_ome

    def counting(text: str, where: object) -> object:
        parsed.append(where)
        return parse(text, where)

    monkeypatch.setattr(documents, "parse_ome", counting)
    memory = FileMemory(DEFAULT_LIMITS)
    for _ in range(2):
        for path in (tmp_path / "plate").glob("*.tiff"):
            assert len(list_planes(path, DEFAULT_LIMITS, memory).planes) == 6
    assert parsed.count("companion.ome") == 1
    companion = tmp_path / "plate/companion.ome"
    companion.write_text(companion.read_text().replace('Row="1"', 'Row="2"'))
    os.utime(companion, ns=(1, 1))
    path = tmp_path / "plate/plate_p003.ome.tiff"
    planes = list_planes(path, DEFAULT_LIMITS, memory).planes
    assert {plane.facts.well for plane in planes} == {"C3"}
    assert parsed.count("companion.ome") == 2


def test_what_is_kept_of_documents_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_KEPT_PLANES", 10)
    whole_plate(tmp_path / "plate")
    memory = FileMemory(DEFAULT_LIMITS)
    for path in (tmp_path / "plate").glob("*.tiff"):
        list_planes(path, DEFAULT_LIMITS, memory)
        assert memory.documents.kept <= 10


def test_a_companion_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    whole_plate(tmp_path / "plate", arrangement="companion-file")
    limits = ReadLimits(max_text_bytes=3000)
    with pytest.raises(FrameError, match=r"OME-XML cannot be read: companion\.ome"):
        list_planes(tmp_path / "plate/plate_p001.ome.tiff", limits)
