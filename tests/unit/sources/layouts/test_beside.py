"""Side files: where they are looked for, and what is read from them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from scopewatch.sources.base.facts import NOTHING, Origin, PlaneFacts
from scopewatch.sources.layouts.beside import SERIES, Beside, SideFile, look_beside
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.sources.readers.side_files import SideFiles, version_of


@dataclass(frozen=True)
class Wells:
    wells: dict[str, str]

    def of(self, name: str, _named: PlaneFacts) -> PlaneFacts | None:
        well = self.wells.get(name)
        return None if well is None else PlaneFacts(well=well)

    def lists(self, name: str) -> bool:
        return name in self.wells


def parse(file: BinaryIO, _: Path) -> Wells:
    return Wells(json.load(file))


SIDE = SideFile(names=("new.json", "old.json"), parse=parse, above=1)


def put(path: Path, **wells: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({f"{name}.tif": well for name, well in wells.items()}))
    return path


def beside(tmp_path: Path, locator: str) -> Beside:
    return look_beside(locator, tmp_path, (SIDE,), NOTHING, SideFiles(DEFAULT_LIMITS))


def test_a_side_file_counts_as_metadata_of_the_set(tmp_path: Path) -> None:
    put(tmp_path / "old.json", a="B2")
    found = beside(tmp_path, "a.tif")
    (statement,) = found.statements
    assert (statement.origin, statement.by) == (Origin.SET, "old.json")
    assert statement.facts == PlaneFacts(well="B2")
    assert found.missing == ()


def test_the_nearest_folder_and_the_first_name_count(tmp_path: Path) -> None:
    put(tmp_path / "old.json", a="A1")
    assert beside(tmp_path, "Images/a.tif").statements[0].facts.well == "A1"
    put(tmp_path / "Images" / "old.json", a="A2")
    assert beside(tmp_path, "Images/a.tif").statements[0].facts.well == "A2"
    put(tmp_path / "Images" / "new.json", a="A3")
    assert beside(tmp_path, "Images/a.tif").statements[0].facts.well == "A3"
    assert beside(tmp_path, "deep/Images/a.tif").statements == ()


def test_nothing_above_the_watched_folder_is_read(tmp_path: Path) -> None:
    put(tmp_path / "old.json", a="A1")
    assert beside(tmp_path / "root", "a.tif").statements == ()


def test_what_does_not_tell_of_an_image_is_missing_with_the_version_that_was_asked(
    tmp_path: Path,
) -> None:
    (missing,) = beside(tmp_path, "a.tif").missing
    assert (missing.path, missing.version) == (tmp_path / "new.json", None)
    side = put(tmp_path / "old.json", b="B2")
    (missing,) = beside(tmp_path, "a.tif").missing
    assert (missing.path, missing.version) == (side, version_of(side))
    side.write_text("{")
    (missing,) = beside(tmp_path, "a.tif").missing
    assert missing.path == side


def test_micromanagers_metadata_count_for_every_layout_and_are_missed_only_where_they_are(
    tmp_path: Path,
) -> None:
    put(tmp_path / "old.json", a="A1", b="A1")
    assert beside(tmp_path, "a.tif").missing == ()
    (tmp_path / "metadata.txt").write_text(
        '{"Coords-./a.tif": {}, "Metadata-./a.tif": {"Channel": "Phase", "FileName": "a.tif"}}'
    )
    assert beside(tmp_path, "a.tif").statements[0].by == "old.json"
    (missing,) = beside(tmp_path, "b.tif").missing
    assert missing.side is SERIES


def test_a_side_file_may_be_named_by_its_folder(tmp_path: Path) -> None:
    put(tmp_path / "scan 1" / "scan 1.json", a="B3")
    side = SideFile(names=("{folder}.json",), parse=parse)
    found = look_beside("scan 1/a.tif", tmp_path, (side,), NOTHING, SideFiles(DEFAULT_LIMITS))
    assert [each.facts.well for each in found.statements] == ["B3"]
    assert found.statements[0].by == "scan 1.json"
