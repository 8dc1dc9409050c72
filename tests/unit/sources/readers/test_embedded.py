"""Proprietary metadata that instrument programs write into their files."""

import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import tifffile

from scopewatch.core.errors import FrameError
from scopewatch.sources.base.facts import Origin, PlaneFacts, Statement
from scopewatch.sources.readers.image_file import list_planes
from tests.unit.sources.base.test_reading import read

Order = Literal["<", ">"]
PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8)


def metaseries(**props: str) -> str:
    """Return a description as MetaXpress writes it, shortened."""
    described = props.pop("Description", "Plate Name: HES7 day 3&#13;&#10;Folder Name: x")
    lines = [f'<prop id="Description" type="string" value="{described}"/>', "<PlaneInfo>"]
    for name, value in props.items():
        tag = "custom-prop" if name in ("Timepoint", "Z_Step", "Z_Projection_Method") else "prop"
        shown = name.replace("_", " ") if tag == "custom-prop" else name.replace("__", "-")
        lines.append(f'<{tag} id="{shown}" type="string" value="{value}"/>')
    return "<MetaData>\n" + "\n".join(lines) + "\n</PlaneInfo>\n</MetaData>"


CALIBRATED = {
    "spatial__calibration__state": "on",
    "spatial__calibration__x": "1.3668",
    "spatial__calibration__units": "um",
}


def stated(path: Path) -> list[Statement]:
    (plane,) = list_planes(path).planes
    return [each for each in plane.statements if each.origin is Origin.PLANE]


def facts(path: Path) -> PlaneFacts:
    (statement,) = stated(path)
    return statement.facts


def described(path: Path, text: str) -> Path:
    tifffile.imwrite(path, PIXELS, description=text, metadata=None)
    return path


def test_metaseries_says_plate_well_site_time_plane_and_scale(tmp_path: Path) -> None:
    text = metaseries(
        **CALIBRATED,
        **{
            "stage__label": "C07 : Site 2",
            "acquisition__time__local": "20240422 09:57:42.796",
            "_IllumSetting_": "FITC",
            "image__name": "Copy of FITC",
        },
        Timepoint="2",
        Z_Step="3",
    )
    (statement,) = stated(described(tmp_path / "a.tif", text))
    assert statement.by == "MetaSeries XML"
    assert statement.facts == PlaneFacts(
        plate="HES7 day 3",
        well="C7",
        site=2,
        time_point=1,
        z=3,
        first_z=1,
        channel="FITC",
        pixel_size_um=1.3668,
        wall_time=datetime(2024, 4, 22, 9, 57, 42, 796_000),
    )


def test_two_wavelengths_of_one_illumination_keep_their_own_names(tmp_path: Path) -> None:
    text = metaseries(_IllumSetting_="FITC_05", image__name="FITC_05-2")
    assert facts(described(tmp_path / "a.tif", text)).channel == "FITC_05-2"
    text = metaseries(_IllumSetting_="FITC_05", image__name="HTSThumbHTS")
    assert facts(described(tmp_path / "b.tif", text)).channel == "FITC_05"


def test_a_stage_label_that_is_no_well_stays_a_label(tmp_path: Path) -> None:
    label = facts(described(tmp_path / "a.tif", metaseries(stage__label="DMSO 3"))).position
    assert label == "DMSO 3"


@pytest.mark.parametrize("wrong", ["off", "unknown"])
def test_a_scale_that_is_off_or_in_pixels_is_none(tmp_path: Path, wrong: str) -> None:
    calibration = {**CALIBRATED, "spatial__calibration__state": wrong}
    if wrong == "unknown":
        calibration |= {
            "spatial__calibration__state": "on",
            "spatial__calibration__units": "pixels",
        }
    text = metaseries(**calibration, stage__label="A01 : Site 1")
    assert facts(described(tmp_path / "a.tif", text)).pixel_size_um is None


def test_a_projection_is_never_a_frame(tmp_path: Path) -> None:
    text = metaseries(stage__label="E07 : Site 1", Z_Projection_Method="Maximum")
    statements = stated(described(tmp_path / "a.tif", text))
    with pytest.raises(FrameError) as caught:
        read(*statements)
    assert str(caught.value) == (
        "frame is a projection of a z-stack: a.tif (expected a plane as acquired,"
        " got projection 'Maximum'); let the program save the planes, or acquire a single plane"
    )


def test_damaged_metaseries_says_nothing(tmp_path: Path) -> None:
    text = metaseries(stage__label="E07 : Site 1")
    assert stated(described(tmp_path / "a.tif", text[:-20])) == []
    assert stated(described(tmp_path / "b.tif", f"<MetaData><!DOCTYPE x><prop {text}")) == []


def keyence(path: Path, xml: str, order: Order = "<") -> Path:
    """Write a file as the BZ-X does: EXIF, a maker note, and an XML after the pixels."""
    tifffile.imwrite(
        path, PIXELS, extratags=[(65000, 4, 1, 0, True)], byteorder=order, metadata=None
    )
    data = bytearray(path.read_bytes())
    at = len(data) + len(data) % 2
    data += bytes(at - len(data))
    block = xml.encode("utf-8-sig")
    note = b"KmsFile\x01" + struct.pack(f"{order}H", 2)
    exif_bytes, note_bytes = 2 + 12 + 4, len(note) + 2 * 12 + 4
    note += struct.pack(f"{order}HHII", 1, 3, 1, 6)
    note += struct.pack(
        f"{order}HHII", 0x0800, 7, len(block) + 8, at + exif_bytes + note_bytes
    ) + bytes(4)
    exif = struct.pack(f"{order}HHHII", 1, 37500, 7, note_bytes, at + exif_bytes) + bytes(4)
    data += exif + note + bytes(8) + block
    entry = struct.pack(f"{order}HHII", 65000, 4, 1, 0)  # tifffile writes no EXIF
    assert data.count(entry) == 1
    path.write_bytes(data.replace(entry, struct.pack(f"{order}HHII", 34665, 4, 1, at)))
    return path


KEYENCE = """<?xml version="1.0" encoding="utf-8"?>
<Data><SingleFileProperty><Image Type="x">
  <ShootingDateTime Type="System.DateTime">{moment}</ShootingDateTime>
  <Calibration Type="System.Double">{bits}</Calibration>
</Image></SingleFileProperty></Data>"""
BITS = struct.unpack("<q", struct.pack("<d", 7548.8358333333335))[0]


@pytest.mark.parametrize("order", "<>")
def test_keyence_says_scale_and_moment(tmp_path: Path, order: Order) -> None:
    xml = KEYENCE.format(moment=-8584623693209057615, bits=BITS)
    (statement,) = stated(keyence(tmp_path / "a.tif", xml, order))
    assert statement.by == "Keyence XML"
    assert statement.facts.pixel_size_um == pytest.approx(7.5488358)
    taken = datetime(2025, 2, 11, 1, 32, 44, 571_819, tzinfo=UTC)
    assert statement.facts.acquired_at is not None
    assert abs((statement.facts.acquired_at - taken).total_seconds()) < 1e-5


@pytest.mark.parametrize("moment", [0, 638748343645718193, "x", 2**70, 1 << 62])
def test_a_moment_of_unknown_zone_or_none_is_not_taken(tmp_path: Path, moment: object) -> None:
    found = facts(keyence(tmp_path / "a.tif", KEYENCE.format(moment=moment, bits=BITS)))
    assert found.acquired_at is None
    assert found.pixel_size_um is not None


def test_another_makers_note_and_a_damaged_one_say_nothing(tmp_path: Path) -> None:
    path = keyence(tmp_path / "a.tif", KEYENCE.format(moment=0, bits=BITS))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"KmsFile", b"Nikon\0\0"))
    assert stated(path) == []
    path.write_bytes(whole.replace(b"</Data>", b"</Dat>>"))
    assert stated(path) == []
    path.write_bytes(whole[: whole.index(b"KmsFile") + 12])
    assert stated(path) == []


def test_gen5_says_plate_scale_and_local_time(tmp_path: Path) -> None:
    text = (
        "<BTIImageMetaData><ImageReference><Plate>Plate 1</Plate><Date>03/21/26</Date>"
        "<Time>14:05:09</Time></ImageReference><ImageAcquisition>"
        "<ImageWidthMicrons>12.8</ImageWidthMicrons></ImageAcquisition></BTIImageMetaData>"
    )
    (statement,) = stated(described(tmp_path / "a.tif", text))
    assert statement.by == "Gen5 XML"
    assert statement.facts == PlaneFacts(
        plate="Plate 1",
        pixel_size_um=1.6,
        wall_time=datetime(2026, 3, 21, 14, 5, 9),
    )
    assert stated(described(tmp_path / "b.tif", text[:-9])) == []
