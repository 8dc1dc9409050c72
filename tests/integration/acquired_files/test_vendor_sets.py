"""Real exports of instruments: each file is read right, or refused with the true reason.

The right values are those of the instruments' own files, looked up by a person.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.listing import Listing, ListingSettings
from scopewatch.config import RunConfig
from scopewatch.core.imaging.frame import Frame
from scopewatch.sources.folder.source import FolderSource
from scopewatch.sources.layouts.guess import guess_layout
from tests.conftest import FakeClock
from tests.unit.sources.fakes import FakeInbox, FakeLedger
from tests.unit.sources.images import folder_config

HERE = RunConfig(name="x", interval_h=4)


# Not a frame by its name: a folder source counts it, `score` names each.
NEVER = "file is never a frame"


@dataclass(frozen=True, kw_only=True)
class Right:
    """The expected facts of a frame: its key without the run, scale and time."""

    um_per_px: float | None
    taken: str | None = None
    elapsed_h: float | None = None


@dataclass(frozen=True, kw_only=True)
class Set:
    """One folder of `vendors`.

    Parameters
    ----------
    frames
        By locator and key; `*` in a locator matches a GUID.
    reasons
        Beginning of each refusal, and the number of files refused so.
    alone
        Facts that only files beside the images hold.
    """

    layout: str
    frames: dict[tuple[str, str], Right]
    reasons: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


IX = "2024-04-22/1697/TimePoint_{}/1well-3C-2S-Zmix-T_C07_s{}_w1*.tif"
IX_KEY = "1well-3C-2S-Zmix-T/C7/s{}/t000{}/FITC"
CV = "CV8000-Minimal-DataSet-2C-3W-4S-FP2-stack"
AS = "AS_09125_050116030001"
SETS = {
    "cellomics": Set(
        layout="cellomics",
        frames={
            (f"{AS}_D03f00d{c}.tif", f"{AS}/D3/s0/t0000/d{c}"): Right(um_per_px=None)
            for c in (0, 1)
        },
    ),
    "cv8000": Set(
        layout="yokogawa",
        frames={
            (f"{CV}_D08_T0001F00{f}L01A0{c}Z01C0{c}.tif", f"{CV}/D8/s{f}/t0000/C0{c}"): Right(
                um_per_px=0.325, taken=f"2023-09-18 11:58:{second}"
            )
            for f, c, second in ((1, 1, "44.438"), (1, 2, "45.568"), (2, 1, "47.042"))
        },
        reasons={"frame is another plane of a z-stack": 9},
    ),
    "harmony": Set(
        layout="harmony",
        frames={
            ("r01c01f01p01-ch1sk1fk1fl1.tiff", "plate/A1/s1/t0000/Digital Phase Contrast"): Right(
                um_per_px=0.598, taken="2023-03-23 18:52:40.420"
            ),
            ("r01c01f01p01-ch6sk1fk1fl1.tiff", "plate/A1/s1/t0000/Alexa 647"): Right(
                um_per_px=0.598, taken="2023-03-23 18:52:41.607"
            ),
        },
    ),
    "imagexpress-t": Set(
        layout="imagexpress",
        frames={
            (IX.format(t + 1, s), IX_KEY.format(s, t)): Right(
                um_per_px=13.5504, taken=f"2024-04-22 09:57:{second}"
            )
            for t, s, second in (
                (0, 1, "37.294"),
                (0, 2, "39.375"),
                (1, 1, "42.796"),
                (1, 2, "44.952"),
            )
        },
        reasons={"frame is a projection of a z-stack": 8},
    ),
    "imagexpress-th": Set(
        layout="imagexpress",
        frames={
            ("ZStep_1/Projection-Mix_E07_s1_w1*.tif", "Projection-Mix/E7/s1/t0000/FITC_05"): Right(
                um_per_px=1.3668, taken="2023-02-21 10:41:56.561"
            )
        },
        reasons={
            NEVER: 4,
            "frame is a projection of a z-stack": 2,
            "frame is another plane of a z-stack": 1,
        },
    ),
    "keyence": Set(
        layout="keyence",
        frames={
            (f"XY01/Image_XY01_0000{s}_CH{c}.tif", f"plate/XY01/s{s}/t0000/CH{c}"): Right(
                um_per_px=7.5488, taken=f"2025-02-11 01:32:{second}"
            )
            for s, c, second in (
                (1, 1, "44.572"),
                (1, 3, "46.392"),
                (2, 1, "48.232"),
                (2, 3, "50.043"),
            )
        },
    ),
    "livecell": Set(
        layout="incucyte",
        frames={
            (f"SkBr3_Phase_H3_2_02d0{h}h00m_1.tif", f"SkBr3/H3/s2/t00{12 + h // 4}/phase"): Right(
                um_per_px=None, elapsed_h=48 + h
            )
            for h in (0, 4, 8)
        },
    ),
    "metamorph": Set(
        layout="metamorph",
        frames={
            (f"JC080420_t050_g01_n2_{w}_s37.TIF", f"plate/A1/s37/t0049/{w}"): Right(
                um_per_px=None, elapsed_h=49 * 4
            )
            for w in ("w1405", "w2488")
        },
    ),
    "scanr": Set(
        layout="scanr",
        frames={
            ("--W00001--P00001--Z00000--T00000--cherry.tif", "plate/A1/s1/t0000/cherry"): Right(
                um_per_px=None, elapsed_h=0
            )
        },
        settings={"plate_wells": 96},
    ),
}
each_set = pytest.mark.parametrize("name", SETS)
Follow = Callable[..., tuple[FolderSource, FakeInbox]]


@pytest.fixture
def follow(clock: FakeClock) -> Iterator[Follow]:
    opened: list[FolderSource] = []

    def start(path: Path, layout: str, **changes: Any) -> tuple[FolderSource, FakeInbox]:
        settings = {"pattern": layout, "clock_zone": "UTC", **changes}
        source, inbox = FolderSource(folder_config(path, **settings), HERE, clock), FakeInbox()
        opened.append(source)
        source.start(inbox, FakeLedger())
        clock.advance(1)
        source.scan()
        return source, inbox

    yield start
    for source in opened:
        source.stop()


def plain(locator: str) -> str:
    """Put `*` in place of the GUID of a name."""
    return re.sub(r"(?<=_w\d)[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", "*", locator)


def check(frame: Frame, right: Right) -> None:
    if right.um_per_px is None:
        assert frame.pixel_size_um is None
    else:
        assert frame.pixel_size_um == pytest.approx(right.um_per_px, rel=1e-4)
    if right.taken is None:
        assert frame.acquired_at is None
    else:
        assert frame.acquired_at is not None
        taken = datetime.fromisoformat(right.taken).replace(tzinfo=UTC)
        assert abs((frame.acquired_at - taken).total_seconds()) < 0.001
    expected_s = None if right.elapsed_h is None else right.elapsed_h * 3600
    assert frame.elapsed_s == expected_s


@each_set
def test_a_folder_source_reads_each_file_right_or_refuses_it_with_its_reason(
    name: str, real_data: Path, follow: Follow
) -> None:
    wanted, folder = SETS[name], real_data / "vendors" / name
    source, inbox = follow(folder, wanted.layout, **wanted.settings)
    found = {(plain(each.locator), str(each.key)): each for each in inbox.tickets}
    assert found.keys() == {(locator, f"x/{key}") for locator, key in wanted.frames}
    for (locator, key), right in wanted.frames.items():
        ticket = found[locator, f"x/{key}"]
        frame = source.load(ticket)
        check(frame, right)
        with tifffile.TiffFile(folder / ticket.locator) as file:
            assert np.array_equal(frame.pixels, file.pages[0].asarray())
    heads = [reason.partition(":")[0] for reason in inbox.reasons]
    refused = {head: count for head, count in wanted.reasons.items() if head != NEVER}
    assert {head: heads.count(head) for head in heads} == refused
    left_out = wanted.reasons.get(NEVER, 0)
    assert (f"; {left_out} files left out: " in source.health().detail) is bool(left_out)
    images = [path for path in folder.rglob("*") if path.suffix.lower() in (".tif", ".tiff")]
    assert len(found) + len(heads) + left_out == len(images), "nothing is passed over"


@each_set
def test_score_reads_the_same_frames(name: str, real_data: Path) -> None:
    wanted, folder = SETS[name], real_data / "vendors" / name
    config = folder_config(folder, pattern=wanted.layout, clock_zone="UTC", **wanted.settings)
    settings = ListingSettings(run=HERE, source=config, now=datetime(2026, 1, 1, tzinfo=UTC))
    listed = list(Listing(settings).walk(folder))
    frames = {
        (plain(str(Path(each.place).relative_to(folder))), _without_run(each)): each
        for each in listed
        if isinstance(each, Listed)
    }
    assert frames.keys() == set(wanted.frames)
    for place, right in wanted.frames.items():
        check(frames[place].load(), right)
    heads = [each.reason.partition(":")[0] for each in listed if isinstance(each, Unlisted)]
    assert {head: heads.count(head) for head in heads} == wanted.reasons


def _without_run(listed: Listed) -> str:
    key = listed.key
    return f"{key.plate}/{key.well}/s{key.site}/t{key.time_point:04}/{key.channel}"


@each_set
def test_the_layout_of_a_folder_is_guessed(name: str, real_data: Path) -> None:
    folder = real_data / "vendors" / name
    images = [path.relative_to(folder).as_posix() for path in folder.rglob("*.[tT][iI][fF]*")]
    (best, *_) = guess_layout(images)
    assert best.layout.name == SETS[name].layout
    assert best.share == 1


def test_the_scale_in_the_tags_of_harmony_is_never_taken(
    real_data: Path, tmp_path: Path, follow: Follow
) -> None:
    """The camera's pitch, 6.45 um, is in the tags: 11 times the true scale."""
    for image in (real_data / "vendors" / "harmony").glob("*.tiff"):
        shutil.copy(image, tmp_path)
    source, inbox = follow(tmp_path, "harmony")
    assert inbox.tickets == []
    source, inbox = follow(tmp_path, "harmony", um_per_px=0.598)
    assert [source.load(ticket).pixel_size_um for ticket in inbox.tickets] == [0.598, 0.598]


def test_channels_are_selected_by_their_name_or_by_their_code(
    real_data: Path, follow: Follow
) -> None:
    folder = real_data / "vendors" / "harmony"
    for selected in ("ch1", "Digital Phase Contrast", "digital phase contrast"):
        _, inbox = follow(folder, "harmony", channel_names={selected: "phase"})
        assert [str(each.key) for each in inbox.tickets if each.key.channel == "phase"] == [
            "x/plate/A1/s1/t0000/phase"
        ]
