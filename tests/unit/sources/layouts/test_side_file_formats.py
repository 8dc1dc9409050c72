"""Formats of the files that instruments write beside their images."""

import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from scopewatch.sources.base.facts import NOTHING, PlaneFacts
from scopewatch.sources.layouts.instruments.harmony import HarmonyIndex, parse_index
from scopewatch.sources.layouts.instruments.incell import parse_scan
from scopewatch.sources.layouts.instruments.useq import FrameMetadata, parse_frame_metadata
from scopewatch.sources.layouts.instruments.yokogawa import parse_data, parse_detail
from scopewatch.sources.layouts.naming import NamePattern

HARMONY_5 = """\ufeff<?xml version="1.0" encoding="utf-8"?>
<EvaluationInputData xmlns="http://www.perkinelmer.com/PEHH/HarmonyV5">
 <Wells><Well><id>0203</id><Row>2</Row><Col>3</Col><Image id="0203K1F2P1R1" /></Well></Wells>
 <Maps><Map><Entry ChannelID="1"><FlatfieldProfile>{}</FlatfieldProfile></Entry></Map></Maps>
 <Images><Image Version="1"><id>0203K1F2P1R1</id><URL>r02c03f02p01-ch1sk1fk1fl1.tiff</URL>
  <Row>2</Row><Col>3</Col><FieldID>2</FieldID><PlaneID>1</PlaneID><TimepointID>0</TimepointID>
  <ChannelID>1</ChannelID><ChannelName>Digital Phase Contrast</ChannelName>
  <ImageResolutionX Unit="m">5.979760809567617E-07</ImageResolutionX>
  <AbsTime>2023-03-23T14:52:40.42-04:00</AbsTime></Image></Images></EvaluationInputData>"""
HARMONY_7 = """<?xml version="1.0" encoding="utf-8"?>
<EvaluationInputData Version="2" xmlns="43B2A954-E3C3-47E1-B392-6635266B0DD3/HarmonyV7">
 <Maps><Map><Entry ChannelID="7"><FlatfieldProfile>{}</FlatfieldProfile></Entry></Map>
 <Map><Entry ChannelID="7"><ChannelName>Brightfield</ChannelName>
  <ImageResolutionX Unit="m">2.96688132474701E-07</ImageResolutionX></Entry></Map></Maps>
 <Images><Image Version="1"><URL>r16c24f01p01-ch7sk1fk1fl1.tiff</URL><Row>16</Row><Col>24</Col>
  <FieldID>1</FieldID><PlaneID>1</PlaneID><ChannelID>7</ChannelID>
  <AbsTime>2024-06-24T11:48:56.7630001-04:00</AbsTime></Image></Images></EvaluationInputData>"""


def index(text: str) -> HarmonyIndex:
    return parse_index(BytesIO(text.encode()), Path("Index.xml"))


def test_harmony_says_well_scale_channel_and_moment_of_each_image() -> None:
    facts = index(HARMONY_5).of("r02c03f02p01-ch1sk1fk1fl1.tiff", NOTHING)
    assert facts == PlaneFacts(
        well="B3",
        site=2,
        z=1,
        channel="Digital Phase Contrast",
        pixel_size_um=5.979760809567617e-07 * 1e6,
        acquired_at=datetime(2023, 3, 23, 18, 52, 40, 420_000, tzinfo=UTC),
    )
    assert index(HARMONY_5).of("r02c03f02p01-ch2sk1fk1fl1.tiff", NOTHING) is None


def test_harmony_7_says_scale_and_channel_once_for_all_images() -> None:
    facts = index(HARMONY_7).of("r16c24f01p01-ch7sk1fk1fl1.tiff", NOTHING)
    assert facts is not None
    assert (facts.well, facts.channel) == ("P24", "Brightfield")
    assert facts.pixel_size_um == pytest.approx(0.296688)
    assert facts.acquired_at == datetime(2024, 6, 24, 15, 48, 56, 763_000, tzinfo=UTC)


def test_an_index_that_is_still_written_says_what_is_whole() -> None:
    more = HARMONY_5.replace("</Images>", "<Image><URL>r02c03f02p01-ch2sk1fk1fl1.tiff</URL><Row>2")
    read = index(more)
    assert read.of("r02c03f02p01-ch1sk1fk1fl1.tiff", NOTHING) is not None
    assert read.of("r02c03f02p01-ch2sk1fk1fl1.tiff", NOTHING) is None


@pytest.mark.parametrize(
    ("row", "column"), [("0", "3"), ("33", "1"), ("999999999", "1"), ("x", "")]
)
def test_a_row_and_column_that_no_plate_has_are_no_well(row: str, column: str) -> None:
    text = HARMONY_5.replace("<Row>2<", f"<Row>{row}<").replace("<Col>3<", f"<Col>{column}<")
    facts = index(text).of("r02c03f02p01-ch1sk1fk1fl1.tiff", NOTHING)
    assert facts is not None
    assert facts.well is None


def test_an_index_with_entities_is_not_read() -> None:
    with pytest.raises(ValueError, match="entity declarations"):
        index('<!DOCTYPE x [<!ENTITY a "b">]>' + HARMONY_7[len('<?xml version="1.0" encoding="') :])


BTS = 'xmlns:bts="http://www.yokogawa.co.jp/BTS/BTSSchema/1.0"'
MLF = f"""<?xml version="1.0" encoding="utf-8"?><bts:MeasurementData bts:Version="1.0" {BTS}>
<bts:MeasurementRecord bts:Type="IMG" bts:Time="2023-09-18T13:58:44.438+02:00" bts:Column="8"
 bts:Row="4" bts:TimePoint="1" bts:FieldIndex="3" bts:ZIndex="2" bts:Ch="1">Image\\P_D08_x.tif\
</bts:MeasurementRecord>
<bts:MeasurementRecord bts:Type="ERR" bts:Time="2023-09-18T13:58:45.438+02:00" bts:Column="8"
 bts:Row="4">lost</bts:MeasurementRecord></bts:MeasurementData>"""
MRF = f"""<?xml version="1.0" encoding="utf-8"?><bts:MeasurementDetail {BTS}
 bts:MeasurementSettingFileName="..\\run.mes">
<bts:MeasurementChannel bts:Ch="1" bts:HorizontalPixelDimension="0.325"/>
<bts:MeasurementChannel bts:Ch="2" bts:HorizontalPixelDimension="0.65"/>
<bts:MeasurementChannel bts:Ch="3" bts:HorizontalPixelDimension="0.65"/>
<bts:MeasurementChannel bts:Ch="4" bts:HorizontalPixelDimension="0.65"/></bts:MeasurementDetail>"""
MES = f"""<bts:MeasurementSetting {BTS}><bts:ChannelList>
<bts:Channel bts:Ch="1" bts:Kind="ConfocalFluorescence" bts:Fluorophore=""/>
<bts:Channel bts:Ch="2" bts:Kind="PhaseContrast" bts:Fluorophore=""/>
<bts:Channel bts:Ch="3" bts:Kind="ConfocalFluorescence" bts:Fluorophore="GFP"/>
<bts:Channel bts:Ch="4" bts:Kind="ConfocalFluorescence" bts:Fluorophore="GFP"/>
</bts:ChannelList></bts:MeasurementSetting>"""


def test_cellvoyager_says_well_field_plane_and_moment_of_each_image() -> None:
    data = parse_data(BytesIO(MLF.encode()), Path("MeasurementData.mlf"))
    assert data.of("P_D08_x.tif", NOTHING) == PlaneFacts(
        well="D8",
        site=3,
        z=2,
        acquired_at=datetime(2023, 9, 18, 11, 58, 44, 438_000, tzinfo=UTC),
    )
    assert data.of("lost", NOTHING) is None


def test_cellvoyager_says_the_scale_of_each_channel_and_its_name_where_it_has_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "run.mes").write_text(MES)
    detail = parse_detail(BytesIO(MRF.encode()), tmp_path / "MeasurementDetail.mrf")
    reported = [detail.of("x.tif", PlaneFacts(channel_code=f"C0{n}")) for n in range(1, 5)]
    assert reported == [
        PlaneFacts(pixel_size_um=0.325),
        PlaneFacts(pixel_size_um=0.65, channel="PhaseContrast"),
        # Two channels with one name are distinguished by their codes alone.
        PlaneFacts(pixel_size_um=0.65),
        PlaneFacts(pixel_size_um=0.65),
    ]
    assert detail.of("x.tif", PlaneFacts(channel_code="C05")) is None
    assert detail.of("x.tif", NOTHING) is None


def test_the_settings_may_be_missing(tmp_path: Path) -> None:
    detail = parse_detail(BytesIO(MRF.encode()), tmp_path / "MeasurementDetail.mrf")
    assert detail.of("x.tif", PlaneFacts(channel_code="C2")) == PlaneFacts(pixel_size_um=0.65)


def entry(p: int | None, c: int | None, name: str | None, **more: object) -> dict[str, object]:
    """Return the metadata that pymmcore-plus writes for an image, shortened."""
    index = {axis: at for axis, at in (("t", 0), ("p", p), ("c", c)) if at is not None}
    event: dict[str, object] = {"index": index, "pos_name": name}
    if c is not None:
        event["channel"] = {"config": ["Phase", "GFP"][c], "group": "Channel"}
    return {"mda_event": event, "pixel_size_um": 0.65, "runner_time_ms": 1500.0, **more}


def frames(**entries: object) -> FrameMetadata:
    named = {f"{name}.tif": each for name, each in entries.items()}
    return parse_frame_metadata(BytesIO(json.dumps(named).encode()), Path("_frame_metadata.json"))


def reported(metadata: FrameMetadata, name: str) -> PlaneFacts | None:
    named = NamePattern("useq").read(name)
    assert named is not None
    return metadata.of(name, named)


def test_a_sequence_says_position_channel_scale_and_time_of_each_image() -> None:
    clock = {"TimeReceivedByCore": "2026-11-28 15:38:05.507775"}
    metadata = frames(
        **{
            "00000_t0000_p000_c00": entry(0, 0, "A1_0000"),
            "00001_t0000_p000_c01": entry(0, 1, "A1_0000", camera_metadata=clock),
        }
    )
    assert reported(metadata, "00000_t0000_p000_c00.tif") == PlaneFacts(
        position="A1_0000", channel="Phase", pixel_size_um=0.65, elapsed_s=1.5
    )
    assert reported(metadata, "00001_t0000_p000_c01.tif") == PlaneFacts(
        position="A1_0000",
        channel="GFP",
        pixel_size_um=0.65,
        wall_time=datetime(2026, 11, 28, 15, 38, 5, 507_775),
    )


def test_an_image_of_a_position_and_channel_that_were_named_is_known_but_for_its_time() -> None:
    metadata = frames(**{"00000_t0000_p003_c00": entry(3, 0, "B2_0001")})
    assert reported(metadata, "00009_t0001_p003_c00.tif") == PlaneFacts(
        position="B2_0001", channel="Phase", pixel_size_um=0.65
    )
    assert reported(metadata, "00010_t0001_p004_c00.tif") is None
    assert reported(metadata, "00011_t0001_p003_c01.tif") is None


def test_a_sequence_without_positions_or_channels_is_known_by_its_first_image() -> None:
    metadata = frames(**{"00000_t0000": entry(None, None, None)})
    assert reported(metadata, "00001_t0001.tif") == PlaneFacts(pixel_size_um=0.65)
    assert reported(metadata, "00001_t0001_p000.tif") is None


def test_a_side_file_that_is_half_written_is_no_answer() -> None:
    for half in (b"", b'{"00000_t0000.tif": {"mda_ev', b"[]"):
        with pytest.raises(ValueError):  # noqa: PT011 - of json, or our own
            parse_frame_metadata(BytesIO(half), Path("x"))
    odd = parse_frame_metadata(BytesIO(b'{"a.tif": 1, "b.tif": {"mda_event": 3}}'), Path("x"))
    assert odd.of("b.tif", NOTHING) == NOTHING


XDCE = """<?xml version="1.0"?><ImageStack><AutoLeadAcquisitionProtocol>
<ObjectiveCalibration magnification="10" numerical_aperture="0.45" pixel_width="0.65"
 pixel_height="0.65" objective_name="Nikon 10X/0.45"/><Camera name="ORCA"/>"""


def test_in_cell_says_the_scale_of_its_objective_also_while_it_is_written() -> None:
    scan = parse_scan(BytesIO(XDCE.encode()), Path("x.xdce"))
    assert scan is not None
    assert scan.of("B - 03(fld 1).tif", NOTHING) == PlaneFacts(pixel_size_um=0.65)
    assert parse_scan(BytesIO(XDCE[:80].encode()), Path("x.xdce")) is None
    unknown = parse_scan(BytesIO(XDCE.replace("pixel_width", "x").encode()), Path("x.xdce"))
    assert unknown is not None
    assert unknown.of("B - 03(fld 1).tif", NOTHING) == NOTHING
