"""The plates of the benchmark pictures show the intended states."""

from contextlib import closing
from pathlib import Path

import httpx
import pytest

from benchmarks.dashboard.plans import PLANS
from benchmarks.dashboard.plates import RUN, assess_runs, prepare, serve
from scopewatch.monitoring.state import Cause
from scopewatch.store.read.reader import Reader

CAUSES = {
    "all-well": Cause.JUDGED,
    "weak-wells": Cause.JUDGED,
    "wrong-channel": Cause.OTHER_CHANNEL,
    "out-of-domain": Cause.UNFIT,
    "finished": Cause.FINISHED,
    "day-2": Cause.JUDGED,
}
TOPS = {
    "all-well": "No well is flagged.",
    "weak-wells": "3 wells are flagged:",
    "wrong-channel": "36 frames are of channel PH, but phase_channel is &#39;phase&#39;",
    "out-of-domain": "24 of 36 frames: the model does not fit this microscope",
    "finished": "The run is finished: day 10.0, 12 of 12 wells judged.",
    "day-2": "No well is flagged.",
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", PLANS)
def test_a_prepared_plate_shows_the_state_in_its_name(name: str, tmp_path: Path) -> None:
    prepared = prepare(name, tmp_path / name)
    with closing(Reader.open(prepared.config.state.folder)) as reader:
        assert assess_runs(prepared, reader).of(RUN).cause is CAUSES[name]
    with serve(prepared) as server:
        for path in ("", "alerts", "quarantine"):
            text = httpx.get(server.url + path, timeout=30).text
            top = " ".join(text[: text.index("</header>")].split())
            assert TOPS[name] in top
            assert ("✔" in top) == ("No well is flagged" in top)
