"""Servers on loopback that serve a folder: what transfer programs fetch from."""

import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WITHIN_S = 30.0
# Debian's Python: its module is in no environment of ours.
SYSTEM_PYTHON = "/usr/bin/python3"


def free_port() -> int:
    """Return a free port of loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """Run a server; yields its port once it listens."""
    with tempfile.TemporaryFile() as output:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            ends_at_s = time.monotonic() + WITHIN_S
            while not _listens(port):
                if server.poll() is not None or time.monotonic() > ends_at_s:
                    output.seek(0)
                    message = f"{command[0]} does not listen: {output.read().decode()[-500:]}"
                    raise RuntimeError(message)
                time.sleep(0.1)
            yield port
        finally:
            server.kill()
            server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def ftp(folder: Path) -> Iterator[str]:
    """Serve a folder by pyftpdlib."""
    port = free_port()
    command = [SYSTEM_PYTHON, "-m", "pyftpdlib", "-i", "127.0.0.1", "-p", str(port)]
    with running([*command, "-d", str(folder)], port):
        yield f"ftp://127.0.0.1:{port}"


@contextmanager
def http(folder: Path) -> Iterator[str]:
    """Serve a folder by rclone, with ranges."""
    port = free_port()
    with running(_rclone("http", folder, port), port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def webdav(folder: Path) -> Iterator[str]:
    """Serve a folder by rclone."""
    port = free_port()
    with running(_rclone("webdav", folder, port), port):
        yield f"http://127.0.0.1:{port}"


def _rclone(kind: str, folder: Path, port: int) -> list[str]:
    address = ["--addr", f"127.0.0.1:{port}"]
    return ["rclone", "--config", "/dev/null", "serve", kind, *address, str(folder)]


SMB = """\
[global]
  server role = standalone server
  map to guest = bad user
  guest account = {user}
  smb ports = {port}
  interfaces = lo
  bind interfaces only = yes
  load printers = no
  disable spoolss = yes
  private dir = {state}
  lock directory = {state}
  state directory = {state}
  cache directory = {state}
  pid directory = {state}
  ncalrpc dir = {state}/rpc
  log file = {state}/log
[in]
  path = {folder}
  guest ok = yes
  read only = no
"""


@contextmanager
def samba(folder: Path, state: Path, user: str, password: str = "") -> Iterator[int]:
    """Serve a writable folder by Samba; yields the port.

    Parameters
    ----------
    password
        By which the user may sign in; '': guests alone.
    """
    state.mkdir(parents=True, exist_ok=True)
    port = free_port()
    settings = state / "smb.conf"
    settings.write_text(SMB.format(user=user, port=port, state=state, folder=folder), "utf-8")
    if password:
        subprocess.run(
            ["pdbedit", f"--configfile={settings}", "-a", "-t", "-u", user],
            input=f"{password}\n{password}\n",
            text=True,
            check=True,
            capture_output=True,
        )
    command = ["smbd", "--foreground", "--no-process-group", f"--configfile={settings}"]
    with running(command, port):
        yield port


class Relay:
    """Relay connections to a port at a fixed number of bytes per second."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self._target = port
        self._bytes_per_s = bytes_per_s
        self.broken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join()

    def _pass(self, come: socket.socket, go: socket.socket) -> None:
        try:
            while content := come.recv(65536):
                go.sendall(content)
                time.sleep(len(content) / self._bytes_per_s)
        except ConnectionError:
            self.broken += 1  # a side that was killed
        with suppress(OSError):  # the connection may be closed already
            go.shutdown(socket.SHUT_WR)
