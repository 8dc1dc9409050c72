"""What a process of a cluster does with a frame: it reads, scores and draws it."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from scopewatch.app.model import warm_scorer
from scopewatch.app.oneshot.frame_scoring import FrameScoring, Pictures
from scopewatch.app.oneshot.items import Listed
from scopewatch.app.oneshot.lines import Line
from scopewatch.app.oneshot.pictures import PictureSettings, open_pictures
from scopewatch.config import RunConfig
from scopewatch.core.errors import ScopewatchError
from scopewatch.core.imaging.analyse import analyse
from scopewatch.core.imaging.frame import Frame
from scopewatch.core.imaging.result import FrameResult
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.tflite import TFLiteScorer
from scopewatch.runtime.cluster.requirements import Expected
from scopewatch.sources.remote.mirror import close_mirror
from scopewatch.sources.remote.urls import RemoteFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringJob:
    """All that a worker needs to score: it gets the bundle itself, never a path of it.

    Parameters
    ----------
    pictures
        How pictures are drawn; None draws none.
    identify
        As for `FrameScoring`.
    remotes
        What is fetched for the job, and removed with it.
    expected
        What the worker must have; None in processes of the same machine.
    """

    bundle: Bundle
    run: RunConfig
    threads: int
    memory_mb: int
    pictures: PictureSettings | None
    identify: bool = False
    remotes: tuple[RemoteFolder, ...] = ()
    expected: Expected | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A line, and the pictures of its frame by their names."""

    line: Line
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class ScoringPlugin(WorkerPlugin):  # type: ignore[misc]  # distributed is typed in part
    """Keeps the model in a worker: one interpreter in each process, opened once.

    A thread of its own owns the interpreter; a worker with several threads reads and draws beside
    it.
    """

    def __init__(self, name: str, job: ScoringJob) -> None:
        self.name = name
        self._job = job
        self._trouble: ScopewatchError | None = None

    def setup(self, worker: Worker) -> None:
        """Open the model. Raises ModelError, or ClusterError where the worker does not fit."""
        try:
            self._open(str(worker.address))
        except ScopewatchError as error:
            # Nobody hears of it where the worker joins later: Dask goes on and sends it frames.
            self._trouble = error
            raise

    def _open(self, worker: str) -> None:
        job = self._job
        if job.expected is not None:
            job.expected.check(worker)
        self._scorer = warm_scorer(job.bundle, threads=job.threads, memory_mb=job.memory_mb)
        self._owner = ThreadPoolExecutor(1, "score")

    def teardown(self, worker: Worker) -> None:
        """Close the model, and remove what was fetched."""
        del worker
        for remote in self._job.remotes:
            close_mirror(remote)
        if self._trouble is not None:
            return
        self._owner.submit(self._scorer.close)
        self._owner.shutdown()

    def score(self, item: Listed) -> Scored:
        """Score a frame.

        Raises
        ------
        StoreError
            Where the disk for temporary files is full.
        ModelError, ClusterError
            Where the worker could not be made ready.
        """
        if self._trouble is not None:
            raise self._trouble
        settings = self._job.pictures
        if settings is None:
            return Scored(line=self._frames(None).score(item))
        with TemporaryDirectory(prefix="scopewatch-") as name:
            folder = Path(name)
            line = self._frames(open_pictures(folder, settings)).score(item)
            drawn = (picture for picture in (line["overlay"], line["stain"]) if picture)
            pictures = {picture: (folder / picture).read_bytes() for picture in drawn}
        return Scored(line=line, pictures=pictures)

    def _frames(self, pictures: Pictures | None) -> FrameScoring:
        return FrameScoring(
            analyse=partial(_analyse, self._owner, self._scorer),
            pictures=pictures,
            run=self._job.run,
            monotonic=time.monotonic,
            identify=self._job.identify,
        )


def score_frame(plugin: str, item: Listed) -> Scored:
    """Score a frame with the model that the plugin of that name keeps."""
    keeper = get_worker().plugins[plugin]
    if not isinstance(keeper, ScoringPlugin):
        raise TypeError(f"{plugin} is a {type(keeper).__name__}")
    return keeper.score(item)


def _analyse(owner: ThreadPoolExecutor, scorer: TFLiteScorer, frame: Frame) -> FrameResult:
    return owner.submit(analyse, frame, scorer, time.monotonic).result()
