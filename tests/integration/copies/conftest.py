"""A server that speaks S3, on this machine alone, which can be stopped and started again."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.integration.daemon import Daemon

BUCKET = "pictures"
PREFIX = "lab"
URL = f"s3://{BUCKET}/{PREFIX}"


class Bucket:
    """A bucket, and the server that has it; what is in it outlives a stop.

    Attributes
    ----------
    environ
        Credentials and address, as the library of S3 wants them.
    """

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, self.port = self._server.get_host_and_port()
        self.environ = {
            "AWS_ENDPOINT_URL": f"http://{host}:{self.port}",
            "AWS_ACCESS_KEY_ID": "key-of-the-test",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id="key-of-the-test",
            aws_secret_access_key="secret-of-the-test",
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
        )
        self.client.create_bucket(Bucket=BUCKET)

    def stop(self) -> None:
        """Let nothing answer."""
        self._server.stop()

    def start(self) -> None:
        """Let it answer again, at the same address and with all that was in it."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()

    def objects(self) -> dict[str, bytes]:
        """Return all that is in it by name, without marks of owners."""
        found = {}
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for each in page.get("Contents", ()):
                # What a daemon removes after it was listed is not in it.
                with suppress(self.client.exceptions.NoSuchKey):
                    got = self.client.get_object(Bucket=BUCKET, Key=each["Key"])
                    found[each["Key"]] = got["Body"].read()
        return {key: data for key, data in found.items() if not key.endswith("-owner.txt")}

    def remove(self) -> None:
        """Remove all that is in it, and stop."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for each in page.get("Contents", ()):
                self.client.delete_object(Bucket=BUCKET, Key=each["Key"])
        self.client.delete_bucket(Bucket=BUCKET)
        self.client.close()
        self.stop()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    found = Bucket()
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    yield found
    found.remove()


def pictures_of(daemon: Daemon, prefix: str = PREFIX) -> dict[str, bytes]:
    """Return the pictures on a daemon's disk by what their copies are called."""
    folder = daemon.state / "overlays"
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def one_frame(well: str, time_point: int) -> str:
    return f"P1_{well}_s0_t{time_point:04d}_phase.tif"


Eventually = Callable[..., None]
Folder = Path
