"""The process that serves the dashboard over all daemons: it ends when it is asked to, or fails."""

import threading

import httpx
import pytest

from scopewatch.app.shared.serving import serve_shared, wait_for_end
from scopewatch.core.errors import ScopewatchError
from scopewatch.store.schema.place import Server


def test_a_dashboard_that_ends_by_itself_ends_the_process_with_a_line(
    server_place: Server,
) -> None:
    settings = {"host": "127.0.0.1", "port": 0}
    stop = threading.Event()
    with serve_shared("env:URL", settings, None, {"URL": server_place.url}) as server:
        assert httpx.get(server.url).status_code == 200
        server.stop()
        with pytest.raises(ScopewatchError) as ended:
            wait_for_end(server, stop, every_s=0)
        stop.set()
        wait_for_end(server, stop, every_s=0)
    assert str(ended.value) == (
        f"the dashboard has ended by itself: {server.url}; see the log above, then start it again"
    )
