"""A dashboard that a reload replaced is let go, with all that is behind it."""

import gc
import weakref
from pathlib import Path

from scopewatch.core.phrases import Language
from tests.conftest import FakeClock
from tests.unit.web.conftest import Dashboard
from tests.unit.web.fakes import FACTS, NOW


def test_a_dashboard_that_was_replaced_keeps_nothing_alive(
    tmp_path: Path, clock: FakeClock
) -> None:
    clock.wall = NOW
    dashboard = Dashboard(tmp_path, clock)
    assert dashboard.get("/").status_code == 200
    assert dashboard.get("/api/status.json").status_code == 200
    behind = weakref.ref(dashboard.app.state.context.templates[Language.ENGLISH])
    app = weakref.ref(dashboard.app)

    dashboard.build(FACTS)
    gc.collect()

    assert dashboard.get("/").status_code == 200
    assert app() is None
    assert behind() is None
