"""`scopewatch score --dask`: the same lines and pictures as one process, whatever workers do."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from scopewatch.app.oneshot.build import OneShotSettings, open_oneshot
from scopewatch.cli.main import run
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ClusterError, ConfigError
from scopewatch.runtime.cluster.address import ClusterAddress
from scopewatch.runtime.cluster.connect import open_cluster
from tests.integration.conftest import Save

if TYPE_CHECKING:
    from distributed import Client

SIDE_PX = 256
FRAMES = 24


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory, phase: NDArray[np.uint16], save: Save) -> Path:
    """Return a folder of frames, with a stack, a duplicate, a broken file and another channel."""
    folder = tmp_path_factory.mktemp("raw") / "plate"
    folder.mkdir()
    for number in range(FRAMES):
        pixels = np.roll(phase, 20 * number, axis=0)[:SIDE_PX, :SIDE_PX]
        save(folder / f"P1_A{number % 12 + 1}_s0_t{number // 12:04d}_phase.tif", pixels)
    shutil.copy(folder / "P1_A3_s0_t0000_phase.tif", folder / "P1_A03_s0_t0000_phase.tif")
    save(folder / "P1_A1_s0_t0000_gfp.tif", phase)
    (folder / "P1_B1_s0_t0000_phase.tif").write_text("text", encoding="utf-8")
    tifffile.imwrite(
        folder / "C1.ome.tif",
        np.stack([phase[:SIDE_PX, :SIDE_PX], phase[-SIDE_PX:, -SIDE_PX:]]),
        ome=True,
        metadata={"axes": "TYX", "PhysicalSizeX": 1.0, "PhysicalSizeY": 1.0},
    )
    return folder


def settings(
    plate: Path, bundle: Path, out: Path | None, cluster: ClusterAddress | None
) -> OneShotSettings:
    return OneShotSettings(
        paths=[plate],
        bundle=bundle,
        out=out,
        source=FolderSourceConfig(kind="folder", path=plate, pattern="scopewatch"),
        run=RunConfig(name="score"),
        grid=False,
        threads=1,
        memory_mb=256,
        cluster=cluster,
    )


def scheduler_of(client: "Client") -> ClusterAddress:
    return ClusterAddress(scheduler=client.scheduler.address)


def without_timings(lines: list[dict[str, Any]]) -> str:
    """Return the text of lines; how long a frame took is another figure each time."""
    return json.dumps(
        [{name: each for name, each in line.items() if name != "timings_ms"} for line in lines]
    )


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def expected(
    plate: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return lines and pictures of one process."""
    out = tmp_path_factory.mktemp("one")
    with open_oneshot(settings(plate, bundle, out, None)) as oneshot:
        lines = list(oneshot.run())
    verdicts = [line["verdict"] for line in lines]
    assert verdicts.count("judged") == FRAMES + 2
    assert sorted(set(verdicts)) == ["duplicate", "judged", "not-scored", "unreadable"]
    return lines, files_below(out)


def test_processes_of_this_machine_give_the_lines_and_pictures_of_one(
    plate: Path,
    bundle: Path,
    expected: tuple[list[dict[str, Any]], dict[str, bytes]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, jsonl = tmp_path / "stains", tmp_path / "lines.jsonl"
    call = ["score", str(plate), "-m", str(bundle), "-o", str(out), "--jsonl", str(jsonl)]
    assert run([*call, "--pattern", "scopewatch", "--dask", "local:2"]) == 0
    lines = [json.loads(line) for line in jsonl.read_text(encoding="utf-8").splitlines()]
    assert without_timings(lines) == without_timings(expected[0])
    assert [set(line.get("timings_ms", {})) for line in lines] == [
        set(line.get("timings_ms", {})) for line in expected[0]
    ]
    assert files_below(out) == expected[1]
    printed = capsys.readouterr().err.splitlines()
    assert printed == [f"{FRAMES + 2} of {FRAMES + 5} frames judged; stains in {out}"]


def test_a_worker_killed_in_the_middle_loses_nothing(
    plate: Path,
    bundle: Path,
    client: "Client",
    expected: tuple[list[dict[str, Any]], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    before = set(client.run(os.getpid).values())
    with open_oneshot(settings(plate, bundle, tmp_path, scheduler_of(client))) as oneshot:
        results = oneshot.run()
        lines = [next(results) for _ in range(6)]
        # While it holds frames, finished ones among them.
        os.kill(max(before), signal.SIGKILL)
        lines += results
    assert without_timings(lines) == without_timings(expected[0])
    assert files_below(tmp_path) == expected[1]
    client.wait_for_workers(2, timeout=60)
    assert max(before) not in client.run(os.getpid).values(), "it was really killed"


def test_workers_need_no_path_of_the_model(
    plate: Path,
    bundle: Path,
    client: "Client",
    expected: tuple[list[dict[str, Any]], dict[str, bytes]],
    tmp_path: Path,
) -> None:
    moved = tmp_path / "bundle"
    moved.mkdir()
    for name in ("model.tflite", "card.yaml"):
        shutil.copy(bundle / name, moved)
    with open_oneshot(settings(plate, moved, None, scheduler_of(client))) as oneshot:
        shutil.rmtree(moved)
        lines = list(oneshot.run())
    undrawn = [line | {"overlay": None, "stain": None} for line in expected[0]]
    assert without_timings(lines) == without_timings(undrawn)


def test_a_worker_that_does_not_see_the_files_is_named(
    bundle: Path, client: "Client", tmp_path: Path
) -> None:
    class Here(type(tmp_path)):  # type: ignore[misc]
        """A path that exists for this process alone."""

        def exists(self, *, follow_symlinks: bool = True) -> bool:
            return True

    hidden = Here("/nowhere/plate")
    with (
        pytest.raises(ClusterError, match="worker of the cluster does not see the files: /nowhere"),
        open_oneshot(settings(hidden, bundle, None, scheduler_of(client))),
    ):
        pass


def test_a_scheduler_that_is_away_is_one_line() -> None:
    away = ClusterAddress(scheduler="tcp://127.0.0.1:9")
    with pytest.raises(ClusterError) as caught, open_cluster(away, patience_s=0.5):
        pass
    assert str(caught.value) == (
        "Dask scheduler cannot be reached: tcp://127.0.0.1:9 (got OSError); start it (dask"
        " scheduler), and check address, port and firewall"
    )


def test_a_word_that_is_no_cluster_is_a_wrong_call(
    plate: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", str(plate), "-m", str(bundle), "--dask", "10.0.0.7"]) == 2
    assert "cluster is not understood: --dask" in capsys.readouterr().err


def test_pictures_never_go_into_raw_data(plate: Path, tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match="would be written into the raw data"),
        open_oneshot(settings(plate, tmp_path, plate, ClusterAddress(workers=1))),
    ):
        pass
