"""The process that serves the dashboard over all daemons: it ends when it is asked to, or fails."""

import threading

import httpx
import pytest

from scopewatch.app.shared.serving import serve_shared, wait_for_end
from scopewatch.cli.main import run
from scopewatch.config.secrets import refuse_plain
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


@pytest.mark.parametrize(
    "given",
    [
        ["--database", "postgresql+psycopg://lab:hunter2@127.0.0.1:1/x"],
        ["--database", "file:/nothing/there", "--token", "hunter2-hunter2"],
    ],
)
def test_a_secret_in_the_command_line_is_refused_and_not_repeated(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["web", *given]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"a secret in a command line is seen by everybody on this machine: {given[-2]} (expected"
        " env:NAME or file:/path); write it into a file that only you can read, or into the"
        " environment"
    )


def test_an_address_without_a_password_may_stand_in_the_command_line() -> None:
    for each in ("postgresql+psycopg://lab@db/x", "env:URL", "file:/etc/url"):
        refuse_plain("--database", each)
