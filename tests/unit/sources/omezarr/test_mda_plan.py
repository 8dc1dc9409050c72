"""Images in which pymmcore-plus does not tell positions and channels apart are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import tifffile
import useq

from scopewatch.sources.readers.image_file import list_planes
from scopewatch.sources.readers.mda_plan import mixed_planes
from tests.unit.sources.images import pixels
from tests.unit.sources.zarr_looks import keys_in, reason_in
from tests.unit.sources.zarrs import ZarrStore

TWO = [{"x": 0, "y": 0, "name": "B3"}, {"x": 1, "y": 0, "name": "C4"}]
EVERY = ["Phase", {"config": "GFP", "acquire_every": 6}]
PLATE = {"plate": "96-well", "a1_center_xy": (0, 0), "selected_wells": ([0, 1], [0, 2])}


def summary(**plan: Any) -> dict[str, Any]:
    """Return the metadata that pymmcore-plus writes of a plan."""
    sequence = useq.MDASequence(**plan)
    return {"mda_sequence": json.loads(sequence.model_dump_json(exclude_unset=True))}


@pytest.mark.parametrize(
    ("plan", "mixed"),
    [
        ({"stage_positions": TWO, "channels": ["Phase"]}, "2 positions and 1 channel"),
        ({"stage_positions": TWO[:1], "channels": EVERY}, "1 position and 2 channels"),
        ({"stage_positions": PLATE, "channels": EVERY}, "2 positions and 2 channels"),
        ({"channels": ["Phase"], "z_plan": {"range": 2, "step": 1}}, "1 position and 1 channel"),
        ({"stage_positions": TWO[:1], "channels": ["Phase"]}, None),
        ({"stage_positions": TWO, "time_plan": {"interval": 1, "loops": 2}}, None),
    ],
)
def test_a_plan_of_several_things_cannot_be_one_series(
    plan: dict[str, Any], mixed: str | None
) -> None:
    expected = None if mixed is None else f"planes of {mixed} in one series"
    assert mixed_planes(summary(**plan)) == expected


@pytest.mark.parametrize("metadata", [None, [], {}, {"mda_sequence": []}, {"mda_sequence": {}}])
def test_metadata_without_a_plan_says_nothing(metadata: object) -> None:
    assert mixed_planes(metadata) is None


def test_an_ome_zarr_image_without_channels_of_such_a_plan_is_refused(tmp_path: Path) -> None:
    store = ZarrStore(tmp_path)
    store.image(axes="tyx", size={"t": 4}).put()
    path = store.path / "zarr.json"
    document = json.loads(path.read_text())
    plan = summary(stage_positions=TWO, channels=EVERY)
    document["attributes"]["pymmcore_plus"] = {"summary_metadata": plan}
    path.write_text(json.dumps(document))
    assert reason_in(tmp_path) == (
        "OME-Zarr image does not tell its planes apart: HES7.zarr (got planes of 2 positions and 2"
        " channels in one series); take all channels at each time point and plane, positions within"
        " time points"
    )
    plan = summary(stage_positions=TWO[:1], channels=["Phase"])
    document["attributes"]["pymmcore_plus"] = {"summary_metadata": plan}
    path.write_text(json.dumps(document))
    assert [key.time_point for key in keys_in(tmp_path)] == [0]


@pytest.mark.parametrize(("channel", "refused"), [("", True), (' Name="Phase"', False)])
def test_an_ome_tiff_of_such_a_plan_is_refused(tmp_path: Path, channel: str, refused: bool) -> None:
    note = json.dumps(summary(stage_positions=TWO, channels=EVERY)).replace('"', "&quot;")
    text = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0" Name="0"><Pixels ID="Pixels:0" DimensionOrder="XYTCZ" Type="uint16"'
        f' SizeX="32" SizeY="24" SizeZ="1" SizeC="1" SizeT="3"><Channel ID="Channel:0:0"{channel}/>'
        '<TiffData IFD="0" PlaneCount="3"/></Pixels></Image><StructuredAnnotations>'
        '<MapAnnotation ID="Annotation:1" Namespace="pymmcore_plus"><Value>'
        f'<M K="summary_metadata_json">{note}</M>'
        "</Value></MapAnnotation></StructuredAnnotations></OME>"
    )
    path = tmp_path / "run.ome.tiff"
    with tifffile.TiffWriter(path) as file:
        for number in range(3):
            file.write(
                pixels(seed=number),
                description=text if number == 0 else None,
                metadata=None,
                contiguous=False,
            )
    contents = list_planes(path)
    assert contents.axes_known is not refused
    if refused:
        assert (
            "got 3 pages: planes of 2 positions and 2 channels in one series"
            in contents.unnamed(path)
        )
