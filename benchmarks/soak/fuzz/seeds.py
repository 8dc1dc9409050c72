"""Valid inputs to be damaged: generated ones, and real ones where SCOPEWATCH_DATA is set."""

import gzip
import io
import json
import os
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from fuzz.tiffs import bomb, huge, looping, overlapping, pixels, wide
from scopewatch.sources.layouts.registry import LAYOUTS

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "models/simulated-cardiomyocyte"
_LARGEST_SEED = 50_000
_TAGS = {"Frame": 3, "SliceIndex": 0, "Channel": "Phase", "PixelSizeUm": 0.65}
_SUMMARY = {"Frames": 5, "Slices": 1, "ChNames": ["Phase", "GFP"], "PixelSize_um": 0.65}
_METASERIES = """<MetaData><PlaneInfo><prop id="stage-label" value="C07 : Site 1"/>
<prop id="spatial-calibration-state" value="on"/><prop id="spatial-calibration-x" value="1.3"/>
<prop id="spatial-calibration-units" value="um"/><custom-prop id="Z Step" value="1"/>
<prop id="acquisition-time-local" value="20240422 09:57:42.796"/></PlaneInfo></MetaData>"""
_GEN5 = "<BTIImageMetaData><ImageWidthMicrons>9</ImageWidthMicrons></BTIImageMetaData>"
_OME = "<OME xmlns='http://www.openmicroscopy.org/Schemas/OME/2016-06'>"


def tiffs(folder: Path) -> list[bytes]:
    """Plain, compressed, tiled, big, ImageJ, OME and Micro-Manager files, and made-up traps."""
    path = folder / "seed.ome.tif"
    options = (
        {},
        {"bigtiff": True},
        {"byteorder": ">"},
        {"compression": "zlib"},
        {"compression": "zlib", "rowsperstrip": 4},
        {"tile": (16, 16)},
        {"imagej": True, "metadata": {"Info": json.dumps(_TAGS)}},
        {"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 0.65}},
        {"description": _METASERIES},
        {"description": _GEN5},
        {"extratags": [(51123, "s", 0, json.dumps(_TAGS), True)]},
    )
    whole = []
    for each in options:
        tifffile.imwrite(path, pixels(), **each)
        whole.append(path.read_bytes())
    stack, colour = np.stack([pixels()] * 5), np.stack([pixels()] * 3, axis=2)
    growing = (
        f"{_OME}<Image><Pixels SizeT='5'><TiffData PlaneCount='5'/></Pixels></Image></OME>".encode()
    )
    several = (
        (stack, {"metadata": {"axes": "TYX"}}),
        (stack, {"metadata": {"axes": "TYX"}, "truncate": True, "photometric": "minisblack"}),
        (stack, {"imagej": True, "truncate": True}),
        (pixels(), {"metadata": None, "description": growing, "bigtiff": True}),
        (
            pixels(),
            {"metadata": None, "description": f"{_OME}<BinaryOnly MetadataFile='x.ome'/></OME>"},
        ),
        (colour, {"photometric": "rgb", "compression": "lzw", "predictor": 2}),
        (colour, {"photometric": "rgb", "compression": "zlib", "tile": (16, 16)}),
        (np.moveaxis(colour, 2, 0), {"photometric": "rgb", "compression": "packbits"}),
    )
    for written, each in several:
        tifffile.imwrite(path, written, **each)
        planes = pixels().tobytes() * 3 if each.get("description") == growing else b""
        whole.append(path.read_bytes() + planes)
    path.unlink()
    return [*whole, *_real(".tif"), huge(), looping(), bomb(), wide(), *overlapping()]


def ome(_: Path) -> list[bytes]:
    """Return OME-XML of one image, of several, and with entities that would expand."""
    block = '<TiffData IFD="0" PlaneCount="9"><UUID FileName="a.ome.tif">urn:1</UUID></TiffData>'
    image = (
        '<Image ID="Image:0" Name="A1"><AcquisitionDate>2026-03-01T09:00:00</AcquisitionDate>'
        '<Pixels DimensionOrder="XYCZT" SizeC="2" SizeT="9" SizeX="32" SizeY="24" SizeZ="1"'
        ' PhysicalSizeX="0.65" PhysicalSizeXUnit="um"><Channel Name="Phase"/><Channel/>'
        f'{block}<Plane TheC="0" TheT="1" TheZ="0" DeltaT="3.5" DeltaTUnit="min"/></Pixels></Image>'
    )
    head = '<?xml version="1.0"?>'
    schema = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    laughs = '<!DOCTYPE x [<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;">]>'
    plate = (
        '<Plate ID="Plate:0" Name="96-well" Rows="8" Columns="12" RowNamingConvention="letter">'
        '<Well ID="Well:B03" Row="1" Column="2"><WellSample ID="s" Index="1">'
        '<ImageRef ID="Image:0"/></WellSample></Well></Plate>'
    )
    texts = (
        f"{head}{schema}{image}</OME>",
        f"{schema}{plate}{image}</OME>",
        f"{schema}<BinaryOnly MetadataFile='companion.ome' UUID='urn:uuid:1'/></OME>",
        f"{schema}{image}{image}</OME>",
        f"{head}{laughs}{schema}&b;</OME>",
    )
    return [text.encode() for text in texts]


def tags(_: Path) -> list[bytes]:
    """Return tags of a plane as several versions write them, the summary inside."""
    full = {
        **_TAGS,
        "Summary": {**_SUMMARY, "StartTime": "2026-03-01 09:00:00.000 +0100"},
        "ReceivedTime": {"PropVal": "2026-03-01 09:00:00.123 +0900", "PropType": "STRING"},
        "ElapsedTime-ms": 1234.5,
        "PositionName": "A1-Site_0",
        "channel": 1,
        "time": 4,
        "position": "A1",
        "z": 0,
    }
    timed = {"Summary": full["Summary"], "ElapsedTime-ms": 5e9, "channel": 0}
    return [json.dumps(each).encode() for each in (full, _TAGS, timed)]


def series(_: Path) -> list[bytes]:
    """Return `metadata.txt` of 1.4 and 2.0, complete and without its end."""
    old = {"Summary": _SUMMARY, "FrameKey-0-0-0": {"FileName": "a.tif", **_TAGS}}
    new = {
        "Summary": {**_SUMMARY, "StagePositions": [{"label": "A1"}]},
        "Coords-Pos0/a.tif": {"time": 1, "position": 0, "channel": 0},
        "Metadata-Pos0/a.tif": {"ElapsedTime-ms": 5, "ReceivedTime": "2026-03-01 09:00:00 +0100"},
    }
    texts = [json.dumps(each, indent=1).encode() for each in (old, new)]
    return [*texts, *(text[:-2] for text in texts), *_real("metadata.txt")]


def index(_: Path) -> list[bytes]:
    """Return indexes: plain, with wild offsets, with names that point out of the data set."""
    names = (("a_NDTiffStack.tif", 500), ("../../etc/passwd", 0), ("C:\\x.tif", 2**32 - 1))
    entries = []
    for name, start in names:
        axes = json.dumps({"time": 0, "channel": "Phase", "position": "A1"}).encode()
        texts = struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(name)) + name.encode()
        numbers = struct.pack("<8I", start, 32, 24, 1, 0, min(start + 1536, 2**32 - 1), 90, 0)
        entries.append(texts + numbers)
    return [b"".join(entries), *entries, *(each[:2000] for each in _real("NDTiff.index"))]


def data_sets(_: Path) -> list[bytes]:
    """Return NDTiff data sets, index and the start of the first stack in one string."""
    whole = []
    root = os.environ.get("SCOPEWATCH_DATA")
    for path in sorted(Path(root).rglob("NDTiff.index")) if root else ():
        stacks = sorted(path.parent.glob("*NDTiffStack.tif"))
        if stacks and path.stat().st_size < _LARGEST_SEED:
            with stacks[0].open("rb") as file:
                stack = file.read(4 * _LARGEST_SEED)
            listed = path.read_bytes()
            whole.append(struct.pack("<I", len(listed)) + listed + stack)
    listed = index(Path())[0]
    return [*whole, struct.pack("<I", len(listed)) + listed + bytes(64)]


SIDE_NAMES = ("r02c03f02p01-ch1sk1fk1fl1.tiff", "P_D08_x.tif", "00000_t0000_p000_c00.tif")


def side_files(_: Path) -> list[bytes]:
    """Return files that instruments write beside their images, cut to the parts that are read."""
    harmony, yokogawa, useq = SIDE_NAMES
    index = f"""<?xml version="1.0" encoding="utf-8"?><E><Maps><Map><Entry ChannelID="1">
<ChannelName>Phase</ChannelName><ImageResolutionX Unit="m">5.9E-07</ImageResolutionX></Entry></Map>
</Maps><Images><Image><URL>{harmony}</URL><Row>2</Row><Col>3</Col><FieldID>2</FieldID>
<PlaneID>1</PlaneID><ChannelID>1</ChannelID><AbsTime>2023-03-23T14:52:40.42-04:00</AbsTime>
</Image></Images></E>"""
    data = f"""<b:M xmlns:b="x"><b:MeasurementRecord b:Type="IMG" b:Row="4" b:Column="8"
b:Time="2023-09-18T13:58:44.438+02:00" b:FieldIndex="1" b:ZIndex="1">{yokogawa}
</b:MeasurementRecord></b:M>"""
    detail = """<b:MeasurementDetail xmlns:b="x" b:MeasurementSettingFileName="a.mes">
<b:MeasurementChannel b:Ch="1" b:HorizontalPixelDimension="0.325"/></b:MeasurementDetail>"""
    frames = {
        useq: {
            "mda_event": {"index": {"t": 0, "p": 0, "c": 0}, "pos_name": "A1_0000"},
            "pixel_size_um": 0.65,
            "runner_time_ms": 1.5,
            "camera_metadata": {"TimeReceivedByCore": "2026-11-28 15:38:05.507775"},
        }
    }
    return [each.encode() for each in (index, data, detail, json.dumps(frames))]


def names(_: Path) -> list[bytes]:
    """Return file names as the presets read them."""
    return [each.path.encode() for layout in LAYOUTS.values() for each in layout.examples]


def pictures(kind: str) -> Callable[[Path], list[bytes]]:
    """Return a maker of pictures of one format: grey 8 bit, colour, grey 16 bit."""

    def make(_: Path) -> list[bytes]:
        grey = (pixels() >> 4).astype(np.uint8)
        images = [grey, np.stack([grey] * 3, axis=2), *([pixels()] if kind == "PNG" else [])]
        whole = []
        for each in images:
            file = io.BytesIO()
            Image.fromarray(each).save(file, kind, dpi=(300, 300))
            whole.append(file.getvalue())
        return whole

    return make


def configs(_: Path) -> list[bytes]:
    """Return a short configuration, the example, and bombs of aliases and of depth."""
    short = (
        b"experiment: {name: run, well_groups: {a: [A1, 'B*']}}\nmodel: {bundle: m}\n"
        b"sources: [{kind: folder, path: in}]\nalerts: {rules: [{name: w, target: 0.5}]}\n"
    )
    # Mostly the short configuration: parsing the example takes ten times as long.
    return [short] * 12 + [(ROOT / "config.yaml").read_bytes(), *_bombs()]


def cards(_: Path) -> list[bytes]:
    """Return the shipped card without its long tables, and bombs."""
    return [shipped_card().split(b"\nforecast:", maxsplit=1)[0]] * 4 + _bombs()


def _bombs() -> list[bytes]:
    levels = range(1, 30)
    laughs = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in levels)
    merged = "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in levels)
    named = f"a0: &a0 [x, x]\n{laughs}schema_version: *a29\nname: *a29\n"
    return [named.encode(), f"a0: &a0 {{x: 1}}\n{merged}".encode(), b"[" * 5000, b"- " * 5000]


def models(_: Path) -> list[bytes]:
    """Return the shipped model, an empty one and a stump."""
    return [shipped_model(), b"", b"\x1c\x00\x00\x00TFL3"]


@cache
def shipped_model() -> bytes:
    """Return the network of the shipped bundle."""
    return (BUNDLE / "model.tflite").read_bytes()


@cache
def shipped_card() -> bytes:
    """Return the card of the shipped bundle."""
    return (BUNDLE / "card.yaml").read_bytes()


def _real(ending: str) -> Iterator[bytes]:
    """Yield the starts of real files with that ending; of image series, the first."""
    root = os.environ.get("SCOPEWATCH_DATA")
    folders: set[Path] = set()
    for path in sorted(Path(root).rglob(f"*{ending}*")) if root else ():
        if not path.name.endswith((ending, f"{ending}.gz")) or path.parent in folders:
            continue
        folders.add(path.parent)
        opened = gzip.open if path.suffix == ".gz" else Path.open
        with opened(path, "rb") as file:
            yield file.read(_LARGEST_SEED)
