"""A server that speaks S3, on this machine alone; and lines of `scopewatch score`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
import tifffile
from moto.server import ThreadedMotoServer
from numpy.typing import NDArray

from scopewatch.cli.main import run

BUCKET = "raw"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of a server of moto."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def upload(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], str]]:
    """Copy a folder into a bucket of its own; return the URL of the copy.

    Credentials are in the environment, as the library of S3 wants them.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)

    def put(folder: Path) -> str:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder.parent).as_posix()
                client.upload_file(str(path), BUCKET, name)
        return f"s3://{BUCKET}/{folder.name}"

    yield put
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for each in page.get("Contents", ()):
            client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


def write_series(folder: Path, pixels: NDArray[np.uint16]) -> None:
    """Write an image whose well only a metadata.txt beside it states, as Micro-Manager does."""
    folder.mkdir(parents=True)
    name = "img_000000000_Phase_000.tif"
    tifffile.imwrite(folder / name, pixels)
    summary = {"Channels": 1, "PixelSize_um": 1.0, "Prefix": "series"}
    facts = {"FrameIndex": 7, "PositionName": "D4-Site_1", "Channel": "phase", "PixelSizeUm": 1.0}
    (folder / "metadata.txt").write_text(
        json.dumps({"Summary": summary, f"Metadata-series/{name}": facts | {"FileName": name}}),
        encoding="utf-8",
    )


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def score(
    place: object, bundle: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["score", str(place), "--model", str(bundle), *more]) in {0, 1}
    return lines_of(capsys)


def same_place(lines: list[dict[str, Any]], root: object) -> str:
    """Return the text of lines without timings, with places relative to a root."""
    rest = [{name: each for name, each in line.items() if name != "timings_ms"} for line in lines]
    return json.dumps(rest).replace(str(root), "ROOT")
