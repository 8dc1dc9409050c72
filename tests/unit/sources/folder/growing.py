"""Keys and times of the planes of growing plates."""

import numpy as np

from tests.unit.sources.folder_scene import Scene
from tests.unit.sources.ome_sets import PlateWriter, Written

SHAPE = (64, 80)


GIVEN_UP = "file was never complete, it is offered as it is"


def key(plane: Written) -> str:
    channel = "phase" if plane.channel == "Phase" else plane.channel
    return f"HES7/96-well/{plane.well}/s{plane.site}/t{plane.time:04d}/{channel}"


def settle(scene: Scene) -> None:
    """Let the worker take all that was offered."""
    scene.ledger.settle(*scene.inbox.tickets, *scene.inbox.refusals)


def check_pixels(scene: Scene, writer: PlateWriter) -> None:
    for ticket, plane in zip(scene.inbox.tickets, writer.written, strict=True):
        assert np.array_equal(scene.source.load(ticket).pixels, plane.pixels)
