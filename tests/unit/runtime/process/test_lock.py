import subprocess
import sys
from pathlib import Path

import pytest

from scopewatch.core.errors import ConfigError, StoreError
from scopewatch.runtime.process.lock import InstanceLock


def test_a_second_holder_is_refused_until_the_first_lets_go(tmp_path: Path) -> None:
    with (
        InstanceLock(tmp_path),
        pytest.raises(ConfigError, match="another scopewatch works in this state folder"),
    ):
        InstanceLock(tmp_path)
    InstanceLock(tmp_path).release()


def test_a_process_that_dies_leaves_no_lock_behind(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path;"
        "from scopewatch.runtime.process.lock import InstanceLock;"
        "held = InstanceLock(Path(sys.argv[1])); os._exit(7)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=30)
    assert done.returncode == 7
    InstanceLock(tmp_path).release()


def test_releasing_twice_does_no_harm(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path)
    lock.release()
    lock.release()


def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="state folder cannot be written to"):
        InstanceLock(tmp_path / "none")
