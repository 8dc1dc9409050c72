"""Scores what was listed on a cluster, with the same lines in the same order."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from scopewatch.app.oneshot.items import Listed, Unlisted
from scopewatch.app.oneshot.lines import Line, Screening, finish, named, refused
from scopewatch.app.oneshot.worker_scoring import Scored, ScoringJob, ScoringPlugin, score_frame
from scopewatch.core.errors import complaint
from scopewatch.core.faults import Fault
from scopewatch.runtime.cluster.ordered import Lost, OrderedMap, Ready
from scopewatch.store.files.whole_files import write_whole

if TYPE_CHECKING:
    from distributed import Client


class ClusterScoring:
    """Scores on the workers of a cluster; listing, duplicates and files stay in this process.

    Parameters
    ----------
    client
        Connected to workers that fit this process (`runtime.cluster.connect`).
    screening
        Decides which frames are sent.
    out
        Folder of the pictures; None where none are drawn.
    """

    def __init__(
        self, client: "Client", job: ScoringJob, *, screening: Screening, out: Path | None
    ) -> None:
        self._screening = screening
        self._client = client
        self._job = job
        self._out = out

    def run(self, items: Iterable[Listed | Unlisted]) -> Iterator[Line]:
        """Yield one line per item, in their order.

        Raises
        ------
        ClusterError
            When the cluster is lost.
        ModelError
            When a worker cannot open the model.
        StoreError
            When a picture cannot be written.
        """

        def screened() -> Iterator[Listed | Ready[Scored]]:
            for item in items:
                found = self._screening.screen(item)
                yield found if isinstance(found, Listed) else Ready(result=Scored(line=found))

        with self._plugin() as plugin:
            work: OrderedMap[Listed, Scored] = OrderedMap(self._client, score_frame, plugin)
            yield from map(self._keep, work.run(screened()))

    @contextmanager
    def _plugin(self) -> Iterator[str]:
        """Open the model on each worker, also on those that come later."""
        # A name of its own: another call on the cluster must not end with this one.
        name = f"scopewatch-{self._job.bundle.card.model_id}-{uuid4().hex[:16]}"
        self._client.register_plugin(ScoringPlugin(name, self._job))
        try:
            yield name
        finally:
            self._client.unregister_worker_plugin(name)

    def _keep(self, result: Scored | Lost[Listed]) -> Line:
        if isinstance(result, Lost):
            reason = complaint(
                "processes ended while they scored the frame",
                where=result.item.place,
                got="several processes, also with this frame alone",
                do="see whether the file opens elsewhere and memory is enough, and report it",
            )
            return finish(named(result.item) | refused(Fault.FAILED, reason))
        if self._out is not None:
            for picture, content in result.pictures.items():
                write_whole(self._out / picture, content)
        return result.line
