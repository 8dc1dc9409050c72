import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.sources.ndtiff.index import Block, parse_index, safe_name
from tests.unit.sources.ndtiffs import write_data_set


def entry(axes: object, name: str = "a.tif", numbers: tuple[int, ...] | None = None) -> bytes:
    text, file = json.dumps(axes).encode(), name.encode()
    values = numbers or (486, 32, 24, 1, 0, 2022, 100, 0)
    return (
        struct.pack("<I", len(text))
        + text
        + struct.pack("<I", len(file))
        + file
        + struct.pack("<8I", *values)
    )


AXES = {"time": 3, "position": "A1", "channel": "phase"}


def test_the_index_the_real_storage_writes_is_read(tmp_path: Path) -> None:
    data = (write_data_set(tmp_path, times=3, channel="phase") / "NDTiff.index").read_bytes()
    part = parse_index(data)
    assert part.used == len(data)
    assert [each.axes for each in part.entries] == [
        {"time": time, "position": "A1", "channel": "phase"} for time in range(3)
    ]
    block = part.entries[0].block
    assert block is not None
    assert (block.width, block.height, block.pixel_bytes, block.size) == (32, 24, 2, 1536)


@given(st.integers(0, 400))
def test_an_index_cut_anywhere_yields_its_whole_entries_and_goes_on_from_there(cut: int) -> None:
    data = entry(AXES) + entry({**AXES, "time": 4}) + entry({**AXES, "time": 5})
    first = parse_index(data[:cut])
    rest = parse_index(data[first.used :])
    assert [each.axes["time"] for each in first.entries + rest.entries] == [3, 4, 5]
    assert first.damage is rest.damage is None
    assert first.used + rest.used == len(data)


def test_zeros_behind_the_entries_are_space_not_yet_written() -> None:
    data = entry(AXES) + bytes(4096)
    assert (len(parse_index(data).entries), parse_index(data).used) == (1, len(entry(AXES)))


def test_a_length_no_writer_writes_is_damage() -> None:
    part = parse_index(entry(AXES) + struct.pack("<I", 2**31) + bytes(100))
    assert len(part.entries) == 1
    assert part.damage == f"an entry at byte {len(entry(AXES))} has no plausible length"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (entry([1, 2]), "its axes are no JSON object"),
        (entry(AXES, "../../etc/passwd"), "its file name '../../etc/passwd' leads out"),
        (entry(AXES, "/etc/passwd"), "leads out of the data set"),
        (entry(AXES, "C:\\x.tif"), "leads out of the data set"),
        (entry(AXES, ".."), "leads out of the data set"),
        (entry(AXES, "a\0b.tif"), "leads out of the data set"),
        (entry(AXES, numbers=(1, 2, 3, 2, 0, 1, 1, 0)), "it is in colour"),
        (entry(AXES, numbers=(1, 2, 3, 9, 0, 1, 1, 0)), "its pixel type 9 is unknown"),
        (entry(AXES, numbers=(1, 2, 3, 1, 5, 1, 1, 0)), "it is compressed"),
    ],
)
def test_an_entry_that_is_no_frame_says_why_and_does_not_stop_the_others(
    data: bytes, reason: str
) -> None:
    bad, good = parse_index(data + entry(AXES)).entries
    assert reason in bad.reason
    assert bad.block is None
    assert isinstance(good.block, Block)


@given(st.binary(max_size=600))
def test_no_bytes_break_the_index_reader(data: bytes) -> None:
    part = parse_index(data)
    assert 0 <= part.used <= len(data)


def test_an_image_may_have_any_plain_file_name() -> None:
    assert safe_name("HES 7_NDTiffStack_1.tif")
    assert not safe_name("")
