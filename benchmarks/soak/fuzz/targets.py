"""The fuzzed parsers: each target takes bytes, and may raise only the documented errors."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fuzz import seeds
from scopewatch.config import load_config
from scopewatch.core.errors import ScopewatchError
from scopewatch.inference.bundle import load_bundle, parse_card
from scopewatch.sources.base.facts import PlaneFacts
from scopewatch.sources.layouts.instruments.harmony import parse_index as parse_harmony
from scopewatch.sources.layouts.instruments.useq import parse_frame_metadata
from scopewatch.sources.layouts.instruments.yokogawa import parse_data, parse_detail
from scopewatch.sources.layouts.naming import NamePattern
from scopewatch.sources.layouts.registry import LAYOUTS
from scopewatch.sources.ndtiff.axes import image_statements
from scopewatch.sources.ndtiff.dataset import DataSet
from scopewatch.sources.ndtiff.file import read_pixels
from scopewatch.sources.ndtiff.index import parse_index
from scopewatch.sources.readers.image_file import list_planes, read_plane
from scopewatch.sources.readers.micromanager_metadata import (
    load_tags,
    read_series,
    tag_facts,
)
from scopewatch.sources.readers.ome.document import read_ome
from scopewatch.sources.readers.planes import DEFAULT_LIMITS
from scopewatch.sources.readers.tiff.chain import walk_directories

_PAGES_READ = 3


class RanOutOfMemoryError(Exception):
    """An input made the reader allocate more memory than the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser.

    Parameters
    ----------
    seeds
        Makes the valid inputs to be damaged, in a scratch folder.
    run
        Takes an input and a scratch folder.
    share
        Share of all executions; parsers without files get the most.
    """

    seeds: Callable[[Path], list[bytes]]
    run: Callable[[bytes, Path], None]
    share: float


def _allowed(call: Callable[[], object]) -> None:
    """Call a function that may raise the project's own errors; out of memory is none of them."""
    try:
        call()
    except ScopewatchError as error:
        if isinstance(error.__cause__, MemoryError):
            raise RanOutOfMemoryError(str(error)) from error


def _image(suffix: str) -> Callable[[bytes, Path], None]:
    def run(data: bytes, folder: Path) -> None:
        path = folder / f"image{suffix}"
        path.write_bytes(data)

        def read() -> None:
            for plane in list_planes(path).planes[:_PAGES_READ]:
                _allowed(lambda page=plane.page: read_plane(path, page))

        _allowed(read)
        _allowed(lambda: read_plane(path))

    return run


def _ifd(data: bytes, _: Path) -> None:
    _allowed(lambda: walk_directories(BytesIO(data), len(data), "fuzz", DEFAULT_LIMITS.max_planes))


def _ome(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "replace")
    _allowed(lambda: read_ome(text, "a.ome.tif", DEFAULT_LIMITS))


def _series(data: bytes, _: Path) -> None:
    read_series(data.decode("utf-8", "replace"))


def _tags(data: bytes, _: Path) -> None:
    tags = load_tags(data)
    if tags is not None:
        summary = tags.get("Summary")
        summary = summary if isinstance(summary, dict) else tags
        tag_facts(tags, summary)
        image_statements(tags, tags, summary)


def _index(data: bytes, _: Path) -> None:
    for entry in parse_index(data).entries:
        if entry.block is not None and set(entry.block.file) & set("/\\"):
            raise AssertionError(f"leads out of the data set: {entry.block.file!r}")


def _data_set(data: bytes, folder: Path) -> None:
    """Read a data set from one byte string: length of the index, the index, the TIFF."""
    (length,) = struct.unpack("<I", data[:4].ljust(4, b"\0"))
    length %= max(1, len(data))
    (folder / "NDTiff.index").write_bytes(data[4 : 4 + length])
    (folder / "run_NDTiffStack.tif").write_bytes(data[4 + length :])
    data_set = DataSet(folder, DEFAULT_LIMITS, 0.0)
    for now_s in (0.0, 1.0):
        for sighting in data_set.look(now_s)[:_PAGES_READ]:
            image = sighting.image
            if image is not None:
                path = folder / image.block.file
                if path.parent != folder:
                    raise AssertionError(f"leads out of the data set: {path}")
                _allowed(lambda at=path, block=image.block: read_pixels(at, block, DEFAULT_LIMITS))


def _names(data: bytes, _: Path) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for pattern in _PATTERNS:
        _allowed(lambda each=pattern: each.read(text))


def _config(data: bytes, folder: Path) -> None:
    path = folder / "config.yaml"
    path.write_bytes(data)
    _allowed(lambda: load_config(path))


def _card(data: bytes, _: Path) -> None:
    _allowed(lambda: parse_card(data, Path("card.yaml")))


def _bundle(data: bytes, folder: Path) -> None:
    """Load a damaged model with a valid card: it must be refused before the runtime reads it."""
    bundle = folder / "bundle"
    if not bundle.is_dir():
        bundle.mkdir()
        (bundle / "card.yaml").write_bytes(seeds.shipped_card())
    (bundle / "model.tflite").write_bytes(data)

    def read() -> None:
        if load_bundle(bundle).model != seeds.shipped_model():
            raise AssertionError("another model passed for the one of the card")

    _allowed(read)


def _side_files(data: bytes, folder: Path) -> None:
    """Read a damaged file beside images: it may give fewer facts, never wrong ones."""
    for parse in (parse_harmony, parse_data, parse_detail, parse_frame_metadata):
        try:
            facts = parse(BytesIO(data), folder / "x")
        except ValueError:
            continue
        for name in seeds.SIDE_NAMES:
            facts.of(name, PlaneFacts(position=0, channel_code="C01"))
            facts.lists(name)


_PATTERNS = [NamePattern(name) for name in LAYOUTS]

TARGETS = {
    "ndtiff-index": Target(seeds=seeds.index, run=_index, share=0.3),
    "tags": Target(seeds=seeds.tags, run=_tags, share=0.3),
    "ifd": Target(seeds=seeds.tiffs, run=_ifd, share=0.2),
    "ome-xml": Target(seeds=seeds.ome, run=_ome, share=0.08),
    "metadata.txt": Target(seeds=seeds.series, run=_series, share=0.06),
    "side files": Target(seeds=seeds.side_files, run=_side_files, share=0.05),
    "names": Target(seeds=seeds.names, run=_names, share=0.05),
    "tiff": Target(seeds=seeds.tiffs, run=_image(".tif"), share=0.01),
    "ndtiff": Target(seeds=seeds.data_sets, run=_data_set, share=0.005),
    "png": Target(seeds=seeds.pictures("PNG"), run=_image(".png"), share=0.005),
    "jpeg": Target(seeds=seeds.pictures("JPEG"), run=_image(".jpg"), share=0.005),
    "config": Target(seeds=seeds.configs, run=_config, share=0.001),
    "card": Target(seeds=seeds.cards, run=_card, share=0.0005),
    "model": Target(seeds=seeds.models, run=_bundle, share=0.0005),
}
