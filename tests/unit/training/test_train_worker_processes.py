"""Worker processes: they call their start function first, and end with their parent."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from scopewatch_training.dataset.worker_processes import count_workers, open_pool

PARENT = """
import os, sys
sys.path.insert(0, {root!r})
from scopewatch_training.dataset.worker_processes import count_workers, open_pool
from tests.unit.training.test_train_worker_processes import name_process, stay
if __name__ == "__main__":
    with open_pool(2) as pool:
        print(*pool.map(name_process, range(2)), flush=True)
        list(pool.map(stay, range(2)))
"""


def name_process(_: int) -> int:
    return os.getpid()


def stay(_: int) -> None:
    signal.pause()


def remember(value: str) -> None:
    os.environ["SCOPEWATCH_BEGUN_WITH"] = value


def recall(_: int) -> str:
    return os.environ["SCOPEWATCH_BEGUN_WITH"]


@pytest.fixture
def pool() -> ProcessPoolExecutor:
    return open_pool(1, remember, "a word")


def test_a_process_calls_its_start_function_before_it_works(pool: ProcessPoolExecutor) -> None:
    with pool:
        assert pool.submit(recall, 0).result() == "a word"
    assert "SCOPEWATCH_BEGUN_WITH" not in os.environ


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_processes_end_when_their_parent_is_killed(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(root=str(Path(__file__).parents[3])))
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        children = parent.stdout.readline().split()
        parent.send_signal(signal.SIGKILL)
        parent.wait()

    assert children
    eventually(lambda: not any(running(child) for child in children), within_s=20)


def running(pid: str) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_core_each_where_there_are_pairs_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert [count_workers(pairs) for pairs in (1, 31, 32, 64, 9000)] == [1, 1, 2, 4, 4]
