"""Workers that join a cluster while it scores: none scores with other versions or files."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Final, cast

import numpy as np
import pytest
from distributed import Worker

from scopewatch.app.oneshot.items import Listed
from scopewatch.app.oneshot.worker_scoring import ScoringJob, ScoringPlugin
from scopewatch.config import RunConfig
from scopewatch.core.errors import ClusterError
from scopewatch.core.imaging.frame import Frame, FrameKey
from scopewatch.inference.bundle import load_bundle
from scopewatch.runtime.cluster.requirements import Expected, versions_here

KEY: Final = FrameKey(run="run", plate="P1", well="A1", site=0, time_point=0, channel="phase")


def never() -> Frame:
    raise AssertionError("the frame was read")


@pytest.mark.parametrize("other", ["numpy", "share"])
def test_a_worker_that_joins_later_and_does_not_fit_scores_nothing(
    other: str, bundle: Path, tmp_path: Path
) -> None:
    expected = Expected(
        scheduler="tcp://lab:8786",
        versions=dict(versions_here()) | ({"numpy": "1.0"} if other == "numpy" else {}),
        paths=[str(tmp_path / "share")] if other == "share" else [str(tmp_path)],
    )
    job = ScoringJob(
        bundle=load_bundle(bundle),
        run=RunConfig(name="run"),
        threads=1,
        memory_mb=256,
        pictures=None,
        expected=expected,
    )
    plugin, worker = (
        ScoringPlugin("scopewatch", job),
        cast(Worker, SimpleNamespace(address="tcp://late:1")),
    )
    words = {
        "numpy": "worker tcp://late:1 of the cluster has another version of numpy: tcp://lab:8786"
        f" (expected 1.0, got {np.__version__}); install scopewatch with",
        "share": f"worker of the cluster does not see the files: {tmp_path}/share (got nothing"
        " there on tcp://late:1 of tcp://lab:8786); mount the share",
    }[other]
    with pytest.raises(ClusterError, match=re.escape(words)):
        plugin.setup(worker)
    frame = Listed(place="a.tif", key=KEY, load=never)
    with pytest.raises(ClusterError, match=re.escape(words)):
        plugin.score(frame)
    plugin.teardown(worker)
