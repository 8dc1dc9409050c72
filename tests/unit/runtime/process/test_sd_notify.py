import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scopewatch.runtime.process.sd_notify import SystemdNotifier, notify_socket, watchdog_s


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@{tmp_path.name}-notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if address.startswith("@") else address)
        listener.settimeout(5)
        yield listener, address


def test_states_are_sent_as_systemd_reads_them(systemd: tuple[socket.socket, str]) -> None:
    listener, address = systemd
    notifier = SystemdNotifier(address)
    notifier.starting("waiting for\na share", within_s=2)
    notifier.ready("watching")
    notifier.status("3 frames scored")
    notifier.alive()
    notifier.reloading(12.5)
    notifier.stopping()
    assert notifier.listening
    assert [listener.recv(4096).decode() for _ in range(6)] == [
        "EXTEND_TIMEOUT_USEC=2000000\nSTATUS=waiting for a share",
        "READY=1\nSTATUS=watching",
        "STATUS=3 frames scored",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000\nSTATUS=reloading",
        "STOPPING=1\nSTATUS=stopping",
    ]


def test_without_systemd_nothing_happens() -> None:
    notifier = SystemdNotifier(notify_socket({}))
    assert not notifier.listening
    notifier.ready("watching")
    notifier.alive()


def test_a_missing_socket_is_logged_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = SystemdNotifier(str(tmp_path / "gone"))
    notifier.alive()
    notifier.alive()
    assert caplog.messages == ["systemd cannot be notified"]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "41"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "42"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_time_is_read_only_when_it_is_meant_for_us(
    environ: dict[str, str], expected: float | None
) -> None:
    assert watchdog_s(environ, pid=41) == expected
