"""Position lists as Micro-Manager saves them, written from its source.

Version 2: `PositionList.toPropertyMap` and `PropertyMapJSONSerializer`, keys in order, indented by
two. Version 1.4: `PositionList.serialize`, indented by three.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scopewatch.config import PositionConfig


@dataclass(frozen=True)
class Marked:
    """A marked position: the position of each stage, one number for each axis."""

    label: str
    stages: Mapping[str, tuple[float, ...]]
    xy_stage: str = "XY"
    z_stage: str = "Z"
    properties: Mapping[str, str] = field(default_factory=dict)


def marked(positions: Iterable[PositionConfig]) -> list[Marked]:
    return [
        Marked(
            each.label,
            {"XY": (each.x_um, each.y_um)} | ({} if each.z_um is None else {"Z": (each.z_um,)}),
            z_stage="" if each.z_um is None else "Z",
        )
        for each in positions
    ]


def version_2(positions: Iterable[Marked]) -> str:
    listed = [
        {
            "DefaultXYStage": _text(each.xy_stage),
            "DefaultZStage": _text(each.z_stage),
            "DevicePositions": {
                "type": "PROPERTY_MAP",
                "array": [
                    {
                        "Device": _text(name),
                        "Position_um": {"type": "DOUBLE", "array": [float(on) for on in at]},
                    }
                    for name, at in each.stages.items()
                ],
            },
            "GridCol": {"type": "INTEGER", "scalar": 0},
            "GridRow": {"type": "INTEGER", "scalar": 0},
            "Label": _text(each.label),
            "Properties": {
                "type": "PROPERTY_MAP",
                "scalar": {name: _text(value) for name, value in each.properties.items()},
            },
        }
        for each in positions
    ]
    document = {
        "encoding": "UTF-8",
        "format": "Micro-Manager Property Map",
        "major_version": 2,
        "minor_version": 0,
        "map": {"StagePositions": {"type": "PROPERTY_MAP", "array": listed}},
    }
    return json.dumps(document, indent=2)


def version_1_4(positions: Iterable[Marked]) -> str:
    listed = [
        {
            "GRID_COL": 0,
            "DEVICES": [
                {
                    "DEVICE": name,
                    "AXES": len(at),
                    "Y": at[1] if len(at) > 1 else 0,
                    "X": at[0],
                    "Z": 0,
                }
                for name, at in each.stages.items()
            ],
            "PROPERTIES": dict(each.properties),
            "DEFAULT_Z_STAGE": each.z_stage,
            "LABEL": each.label,
            "GRID_ROW": 0,
            "DEFAULT_XY_STAGE": each.xy_stage,
        }
        for each in positions
    ]
    document = {"VERSION": 3, "ID": "Micro-Manager XY-position list", "POSITIONS": listed}
    return json.dumps(document, indent=3)


def _text(value: str) -> dict[str, Any]:
    return {"type": "STRING", "scalar": value}
