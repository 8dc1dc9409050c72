"""Fills a folder with every wheel that an installation needs, for machines without a network.

    python release/wheelhouse.py dist

Beside the wheel of scopewatch in `dist` there are then `wheelhouse-linux` and `wheelhouse-windows`:
x86-64, the Python that runs this. What Linux gets is installed from the folder alone, without an
index, into an environment of its own; for Windows pip resolves the same from its folder, since
nothing can be run for it here.
"""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

EXTRAS = "micromanager,vendors,zarr"
# Needed on Windows alone, which pip's markers do not say when it runs on another system.
WINDOWS_ONLY = ("colorama", "tzdata")
PROJECT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Fill both folders and try them."""
    dist = Path(sys.argv[1]).resolve()
    (wheel,) = dist.glob("scopewatch-*.whl")
    linux, windows = (_empty(dist / f"wheelhouse-{name}") for name in ("linux", "windows"))
    # Some come as sources only: `wheel` builds those, `download` would leave them as they are.
    pip("wheel", "-c", str(PROJECT / "constraints.txt"), "-w", str(linux), f"{wheel}[{EXTRAS}]")
    native = []
    for each in sorted(linux.glob("*.whl")):
        if each.stem.endswith("-any"):
            shutil.copy(each, windows)
        else:
            native.append(_requirement(each))
    fetch = ("download", *_windows(), "--no-deps", "-d", str(windows))
    pip(*fetch, "-c", str(PROJECT / "constraints.txt"), *native, *WINDOWS_ONLY)
    try_linux(linux)
    with tempfile.TemporaryDirectory() as scratch:
        found = ("--no-index", "--find-links", str(windows), "-d", scratch)
        pip("download", *_windows(), *found, f"scopewatch[{EXTRAS}]", *WINDOWS_ONLY)
    for folder in (linux, windows):
        wheels = list(folder.glob("*.whl"))
        megabytes = sum(each.stat().st_size for each in wheels) / 1e6
        sys.stdout.write(f"{folder.name}: {len(wheels)} wheels, {megabytes:.0f} MB\n")
    return 0


def try_linux(wheelhouse: Path) -> None:
    """Install from the folder alone into a fresh environment, and start the command."""
    with tempfile.TemporaryDirectory() as scratch:
        run(sys.executable, "-m", "venv", scratch)
        python = Path(scratch) / "bin" / "python"
        pip(
            *("install", "--no-index", "--find-links", str(wheelhouse)),
            f"scopewatch[{EXTRAS}]",
            python=python,
        )
        run(str(Path(scratch) / "bin" / "scopewatch"), "--version")


def pip(*arguments: str, python: Path = Path(sys.executable)) -> None:
    """Run pip; end with its exit status where it fails."""
    run(
        str(python),
        "-m",
        "pip",
        arguments[0],
        "--quiet",
        "--disable-pip-version-check",
        *arguments[1:],
    )


def run(*command: str) -> None:
    """Run a command; end with its exit status where it fails."""
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _windows() -> Sequence[str]:
    version = sysconfig.get_python_version()
    return (
        *("--platform", "win_amd64", "--python-version", version),
        *("--implementation", "cp", "--only-binary=:all:"),
    )


def _requirement(wheel: Path) -> str:
    name, version, *_ = wheel.name.split("-")
    return f"{name}=={version}"


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
