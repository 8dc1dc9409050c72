"""Servers of files on loopback, from the programs that Debian installs: OpenSSH and Samba."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.soak.transfer_servers import free_port, running, samba

NEEDED = "SCOPEWATCH_NEEDS_SERVERS"
PASSWORD = "of-the-test"

_SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {state}/host_key
AuthorizedKeysFile {home}/.ssh/id_ed25519.pub
PasswordAuthentication no
PidFile none
StrictModes no
Subsystem sftp internal-sftp
UsePAM no
"""


def find_program(name: str, package: str) -> str:
    """Return the path of a server program; skip, or fail, where there is none."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        _is_missing(f"no {name} here: apt-get install {package}")
    return str(found)


def find_library(name: str) -> None:
    """Skip, or fail, where a library of the extra `remote` is not installed."""
    if find_spec(name) is None:
        _is_missing(f"{name} is not installed: pip install 'scopewatch[remote]'")


def _is_missing(reason: str) -> None:
    if os.environ.get(NEEDED):
        pytest.fail(f"{NEEDED} is set, and {reason}")
    pytest.skip(reason)


@contextmanager
def openssh(state: Path, home: Path) -> Iterator[int]:
    """Serve all files by OpenSSH to the user whose home this is; yields the port.

    The home gets a key, and knows that of the server.
    """
    program = find_program("sshd", "openssh-server")
    keys = home / ".ssh"
    keys.mkdir(parents=True, mode=0o700)
    state.mkdir()
    for key in (state / "host_key", keys / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    if os.geteuid() == 0:
        # Where Debian's service makes it, and sshd insists.
        Path("/run/sshd").mkdir(exist_ok=True)
    port = free_port()
    host_key = (state / "host_key.pub").read_text(encoding="utf-8")
    (keys / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="utf-8")
    settings = state / "sshd_config"
    settings.write_text(_SSHD.format(port=port, state=state, home=home), encoding="utf-8")
    with running([program, "-D", "-e", "-f", str(settings)], port):
        yield port


@contextmanager
def samba_of_user(folder: Path, state: Path) -> Iterator[int]:
    """Serve a folder by Samba as the share `in` to this user; yields the port."""
    find_program("smbd", "samba")
    with samba(folder, state, getpass.getuser(), PASSWORD) as port:
        yield port


@contextmanager
def served_folder(
    kind: str, folder: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Serve a folder by `sftp` or `smb` to this user; yields its URL.

    Credentials are where the libraries look for them, also for processes that are started.
    """
    if kind == "sftp":
        find_library("paramiko")
        home = state.with_name("home")
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        with openssh(state, home) as port:
            yield f"sftp://127.0.0.1:{port}{folder}"
        return
    find_library("smbprotocol")
    from fsspec import config  # noqa: PLC0415 - an extra

    monkeypatch.setenv("FSSPEC_SMB_USERNAME", getpass.getuser())
    monkeypatch.setenv("FSSPEC_SMB_PASSWORD", PASSWORD)
    found: dict[str, dict[str, object]] = {}
    config.set_conf_env(found)
    monkeypatch.setitem(config.conf, "smb", found["smb"])
    with samba_of_user(folder, state) as port:
        yield f"smb://127.0.0.1:{port}/in"
