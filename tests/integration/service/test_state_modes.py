"""Only owner and group can read the daemon's files, whatever its umask."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.daemon import Daemon
from tests.unit.inference.bundles import write_tiny

UNDER_UMASK = "import os, sys; os.umask(int(sys.argv[1], 8)); os.execv(sys.argv[2], sys.argv[2:])"


@pytest.mark.skipif(os.name != "posix", reason="file modes are those of POSIX")
@pytest.mark.parametrize("umask", ["000", "077"])
def test_state_is_for_owner_and_group_alone_under_any_umask(
    tmp_path: Path, eventually: Callable[..., None], umask: str
) -> None:
    daemon = Daemon(tmp_path, write_tiny(tmp_path / "bundle"), eventually)
    daemon.settings["logging"] = {"file": "logs/scopewatch.log"}
    daemon.through = (sys.executable, "-c", UNDER_UMASK, umask)
    daemon.start_ready()
    try:
        modes = {
            path: stat.S_IMODE(path.stat().st_mode)
            for path in (daemon.state, *daemon.state.rglob("*"))
        }
    finally:
        assert daemon.end() == 0
    assert {daemon.state / "scopewatch.db", daemon.state / "logs/scopewatch.log"} <= set(modes)
    wrong = {
        str(path.relative_to(tmp_path)): oct(mode)
        for path, mode in modes.items()
        if mode != (0o750 if path.is_dir() else 0o640)
    }
    assert wrong == {}
