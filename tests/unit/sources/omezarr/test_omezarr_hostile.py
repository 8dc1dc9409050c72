"""Damaged or hostile metadata and chunks cause a refusal at most, with one line."""

import copy
import json
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zarr.codecs

from scopewatch.core.errors import FrameError
from scopewatch.core.tickets import FrameTicket
from scopewatch.sources.omezarr.array.follower import Patience
from scopewatch.sources.omezarr.frames import OmeZarrStores
from scopewatch.sources.readers.planes import ReadLimits
from tests.conftest import FakeClock
from tests.unit.sources.images import RUN, pixels
from tests.unit.sources.zarrs import HEIGHT, WIDTH, ZarrStore, chunk_files, omezarr_config

JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3.5, 10**6, 10**30, -(2**63), float("nan"), float("inf")),
    *("", "x", "0", "t", "A/1", "../..", "/etc", "a\0b", "\ud800", "second", "micrometer", "u2"),
    *(
        [],
        {},
        [[]],
        [{}],
        [None],
        {"": None},
        [1, 2, 3, 4],
        [0, 0, 0],
        ["A", "A"],
        {"name": "bytes"},
    ),
    *([{"name": "blosc"}], [{"id": "pickle"}], {"configuration": []}, [{"path": "0"}] * 3),
)
ROUNDS = 60


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        yield from places(each, (*path, key))


def spoilt(document: Any, rng: random.Random) -> Any:
    """Return a document with some of its values replaced, removed or duplicated."""
    made = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        *above, last = rng.choice([path for path in places(made) if path] or [("",)])
        target = made
        for key in above:
            target = target[key]
        match rng.randrange(4):
            case 0 if isinstance(target, dict):
                target.pop(last, None)
            case 1 if isinstance(target, list):
                target.append(copy.deepcopy(target[last]))
            case _:
                target[last] = copy.deepcopy(rng.choice(JUNK))
    return made


@pytest.fixture(params=["0.4", "0.5", "0.5 sharded"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ZarrStore:
    """A plate with two wells, and chunks of every plane."""
    version, _, sharded = request.param.partition(" ")
    made = ZarrStore(tmp_path, version=version)
    made.plate({"A/1": ["0"], "B/2": ["0", "1"]})
    options: dict[str, Any] = {"compressors": "auto"}
    if sharded:
        options |= {"shards": (2, 1, HEIGHT, WIDTH), "compressors": [zarr.codecs.GzipCodec()]}
    for seed, path in enumerate(("A/1/0", "B/2/0", "B/2/1")):
        image = made.image(path, size={"t": 2}, **options)
        for time in range(2):
            image.put(pixels(HEIGHT, WIDTH, seed=10 * seed + time), t=time)
    return made


def read_all(root: Path) -> tuple[int, list[str]]:
    """Look once and load every frame; return the number of frames, and the refusals."""
    limits = ReadLimits(max_pixels=10**6, max_planes=1000, max_text_bytes=10**6)
    stores = OmeZarrStores(omezarr_config(root), RUN, limits, Patience(quiet_s=0, give_up_s=0))
    now = FakeClock().now()
    frames, reasons = 0, []
    for label, folder in stores.find(()):
        followed = stores.open(folder)
        for sighting in [*followed.look(0.0, full=True), *followed.look(1.0, full=True)]:
            found = stores.found(label, sighting)
            if found.key is None:
                reasons.append(found.reason)
                continue
            ticket = FrameTicket(
                key=found.key,
                source="it",
                locator=found.locator,
                fingerprint=found.fingerprint,
                seen_at=now,
            )
            try:
                stores.load(ticket)
            except FrameError as error:
                reasons.append(str(error))
            else:
                frames += 1
        reasons += [followed.trouble] if followed.trouble else []
    return frames, reasons


def test_metadata_may_hold_anything(store: ZarrStore, tmp_path: Path) -> None:
    rng = random.Random(7)
    metadata = [
        path for path in store.path.rglob("*") if path.suffix == ".json" or path.name[0] == "."
    ]
    files = {path: json.loads(path.read_text()) for path in metadata if path.is_file()}
    counts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(ROUNDS):
            path = rng.choice(list(files))
            path.write_text(json.dumps(spoilt(files[path], rng)))
            frames, reasons = read_all(tmp_path)
            assert all("\n" not in reason and reason for reason in reasons)
            counts.append(frames)
            path.write_text(json.dumps(files[path]))
    assert read_all(tmp_path) == (6, [])
    assert min(counts) < 6, "some of it did harm"


def test_chunks_may_hold_anything(store: ZarrStore, tmp_path: Path) -> None:
    rng = random.Random(8)
    files = {path: path.read_bytes() for path in chunk_files(tmp_path)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(ROUNDS):
            path = rng.choice(list(files))
            content = bytearray(files[path])
            for _ in range(rng.choice((1, 3, 30))):
                content[rng.randrange(min(len(content), rng.choice((20, 4000))))] = rng.randrange(
                    256
                )
            path.write_bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])
            _, reasons = read_all(tmp_path)
            assert all("\n" not in reason and reason for reason in reasons)
            path.write_bytes(files[path])
    assert read_all(tmp_path) == (6, [])
