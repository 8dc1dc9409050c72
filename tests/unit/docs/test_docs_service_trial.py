"""The trial of the service in a virtual machine, as far as it needs none."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SERVICE = ROOT / "benchmarks" / "service"


def python(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run code beside the scripts, which import each other by their bare names."""
    return subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_commands_that_are_tried_are_those_of_the_page() -> None:
    code = "import luggage; print(*luggage.install_steps(luggage.PAGE.read_text()), sep='\\n')"
    steps = python(SERVICE, code).stdout.splitlines()
    assert steps[0] == "python3 -m venv /opt/scopewatch"
    assert "systemd-sysusers && systemd-tmpfiles --create" in steps
    assert steps[-1] == "systemctl enable --now scopewatch"


def test_what_the_machine_runs_needs_nothing_but_python_itself() -> None:
    # -S: without site-packages, as the Python of the image has none.
    done = subprocess.run(
        [sys.executable, "-B", "-S", "-c", "import scenario"],
        cwd=SERVICE / "guest",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_folder_that_something_is_mounted_in_is_never_removed() -> None:
    code = "import machine, pathlib; machine.remove(pathlib.Path('/proc'))"
    done = python(SERVICE, code)
    assert "mounted below /proc, so it is not removed: umount" in done.stderr


def test_a_trial_that_never_came_to_its_end_is_no_success() -> None:
    code = (
        "import try_service as t\n"
        "kept = {'promise': 'x', 'kept': True, 'seen': ''}\n"
        "over = {'promise': t.END, 'kept': True, 'seen': ''}\n"
        "print(t.verdict([kept])[1], t.verdict([kept, over])[1],"
        " t.verdict([kept | {'kept': False}, over])[1])"
    )
    assert python(SERVICE, code).stdout.split() == ["1", "0", "1"]
