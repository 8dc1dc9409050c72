from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile

from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.listing import Listing, ListingSettings, natural
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError
from scopewatch_simulator.simulate import simulate
from scopewatch_simulator.writers import FileFormat
from tests.unit.sources.ndtiffs import write_data_set
from tests.unit.sources.old_ndtiffs import write_version_1
from tests.unit.sources.readers.vendors.czis import Block, grey, metadata, scene, write_czi

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PIXELS = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)

Make = Callable[..., Listing]


@pytest.fixture
def make() -> Make:
    def listing(pattern: str = "scopewatch", um_per_px: float | None = None) -> Listing:
        return Listing(
            ListingSettings(
                run=RunConfig(name="score"),
                source=FolderSourceConfig(
                    kind="folder", path=Path(), pattern=pattern, um_per_px=um_per_px
                ),
                now=NOW,
            )
        )

    return listing


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, PIXELS, resolution=(1e4, 1e4), resolutionunit="CENTIMETER")
    return path


def keys(listing: Listing, path: Path) -> list[str]:
    return [str(item.key) for item in listing.walk(path) if isinstance(item, Listed)]


def test_a_folder_is_walked_as_a_person_would_read_it(make: Make, tmp_path: Path) -> None:
    root = tmp_path / "plates"
    for well in ("A10", "A2", "A1"):
        write(root / f"P1_{well}_s0_t0003_phase.tif")
    write(root / "run2" / "P1_A1_s0_t0003_phase.tif")
    write(root / ".hidden.tif")
    (root / "notes.txt").write_text("no frame")
    assert keys(make(), root) == [
        "plates/P1/A1/s0/t0003/phase",
        "plates/P1/A2/s0/t0003/phase",
        "plates/P1/A10/s0/t0003/phase",
        "plates run2/P1/A1/s0/t0003/phase",
    ]


def test_what_a_folder_source_passes_over_or_refuses_is_no_frame_of_a_listing_either(
    make: Make, tmp_path: Path
) -> None:
    root = tmp_path / "plates"
    name = "P1_A1_s0_t0003_phase.tif"
    for folder in (".stversions", ".~tmp~", "@eaDir", "x.part", "run (1)"):
        write(root / folder / name)
    write(root / "P1_A1_s0_t0003_phase.part.tif")
    write(root / "run (1)" / f"Copy of {name}")
    listed = list(make().walk(root))
    assert [str(item.key) for item in listed if isinstance(item, Listed)] == [
        "plates run (1)/P1/A1/s0/t0003/phase"
    ]
    (refused,) = (item for item in listed if isinstance(item, Unlisted))
    assert refused.reason.startswith("a copy of another file is never a frame: run (1)/Copy of")


def test_a_file_with_an_unknown_name_is_a_well_of_that_name(make: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "day 3" / "my image.tif")
    (item,) = make().walk(path)
    assert isinstance(item, Listed)
    assert str(item.key) == "day 3/plate/my image/s0/t0000/phase"
    frame = item.load()
    assert frame.pixel_size_um == pytest.approx(1.0)
    np.testing.assert_array_equal(frame.pixels, PIXELS)


def test_the_pixel_size_that_is_given_wins(make: Make, tmp_path: Path) -> None:
    (item,) = make(um_per_px=0.65).walk(write(tmp_path / "a.tif"))
    assert isinstance(item, Listed)
    assert item.load().pixel_size_um == 0.65


def test_each_plane_of_an_ome_tiff_is_a_frame(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "A3.ome.tif"
    tifffile.imwrite(
        path,
        np.stack([PIXELS, PIXELS + 1, PIXELS + 2]),
        ome=True,
        metadata={"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm"},
    )
    items = [item for item in make().walk(path) if isinstance(item, Listed)]
    assert [item.key.time_point for item in items] == [0, 1, 2]
    assert items[2].place.endswith("#page=2")
    assert [int(item.load().pixels[0, 0]) for item in items] == [0, 1, 2]


def test_pages_without_a_description_are_not_guessed(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([PIXELS, PIXELS]), metadata=None)
    (item,) = make().walk(path)
    assert isinstance(item, Unlisted)
    assert item.reason.startswith("image file has several pages and no metadata about them")


def test_what_is_no_image_is_listed_with_its_reason(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("text")
    (tmp_path / "b.tif").touch()
    reasons = [item.reason for item in make().walk(tmp_path) if isinstance(item, Unlisted)]
    assert reasons[0].startswith("file is no TIFF: ")
    assert reasons[1].startswith("image file is empty: ")


def test_a_folder_that_cannot_be_read_is_listed_with_its_reason(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in" / "a.tif")
    (tmp_path / "in" / "locked").mkdir()
    read = Path.iterdir

    def refuse(folder: Path) -> Iterator[Path]:
        if folder.name == "locked":
            raise PermissionError(13, "Permission denied")
        return read(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    first, second = make().walk(tmp_path / "in")
    assert isinstance(first, Listed)
    assert isinstance(second, Unlisted)
    assert second.reason == (
        f"folder cannot be read: {tmp_path / 'in' / 'locked'} (got Permission denied);"
        " check its rights"
    )


def test_a_link_that_leads_back_up_is_not_followed(make: Make, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.tif")
    (tmp_path / "in" / "up").symlink_to(tmp_path / "in")
    assert len(list(make().walk(tmp_path / "in"))) == 1


def test_paths_that_do_not_exist_are_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file or folder"):
        list(make().walk(tmp_path / "none"))


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["t10", "T9", "a", "t100", "t9b"]
    assert sorted(names, key=natural) == ["a", "T9", "t9b", "t10", "t100"]


def test_each_image_of_an_ndtiff_data_set_is_a_frame(make: Make, tmp_path: Path) -> None:
    simulate(
        tmp_path / "sim",
        runs=1,
        wells=2,
        seed=1,
        size_px=128,
        file_format=FileFormat.NDTIFF,
        time_points=[20],
    )
    items = list(make().walk(tmp_path / "sim"))
    assert [str(item.key) for item in items if isinstance(item, Listed)] == [
        f"sim run1/plate/{well}/s0/t0020/{channel}"
        for well in ("A1", "A2")
        for channel in ("phase", "gfp")
    ]
    first = items[0]
    assert isinstance(first, Listed)
    assert first.load().pixels.shape == (128, 128)


def test_of_a_pyramid_the_full_resolution_is_listed_as_its_data_set(
    make: Make, tmp_path: Path
) -> None:
    for level in ("Full resolution", "Downsampled_x2"):
        written = write_data_set(tmp_path / "writing", times=1, name="HES7")
        (tmp_path / "day 1").mkdir(exist_ok=True)
        written.rename(tmp_path / "day 1" / level)
    key = "plate/A1/s0/t0000/phase"
    assert keys(make(), tmp_path / "day 1") == [f"day 1/{key}"]
    assert keys(make(), tmp_path / "day 1" / "Full resolution") == [f"day 1/{key}"]
    assert keys(make(), tmp_path) == [f"{tmp_path.name} day 1/{key}"]
    (refused,) = make().walk(tmp_path / "day 1" / "Downsampled_x2")
    assert isinstance(refused, Unlisted)
    assert refused.reason.startswith("data set is a coarser copy of another one")


def test_a_data_set_of_an_old_version_is_refused_as_a_whole(make: Make, tmp_path: Path) -> None:
    write_version_1(tmp_path / "HES7_1", PIXELS, "MagellanStack")
    (refused,) = make().walk(tmp_path)
    assert isinstance(refused, Unlisted)
    assert "(expected NDTiff 2 or 3, got NDTiff 1)" in refused.reason


def test_a_file_of_a_maker_is_listed_plane_by_plane(make: Make, tmp_path: Path) -> None:
    scenes = [scene(0, "P1", well="B4"), scene(1, "P2", well="B4")]
    blocks = [Block(at={"C": 0, "S": place}, pixels=grey(place)) for place in range(2)]
    path = write_czi(tmp_path / "day 3.czi", blocks, metadata(scenes))
    listed = list(make().walk(path))
    assert [item.place for item in listed] == [str(path), f"{path}#page=1"]
    assert [str(item.key).partition("/")[2] for item in listed] == [
        "plate/B4/s1/t0000/phase",
        "plate/B4/s2/t0000/phase",
    ]
    last = listed[1]
    assert isinstance(last, Listed)
    assert np.array_equal(last.load().pixels, grey(1))
