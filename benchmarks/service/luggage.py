"""The files for the virtual machine: a release as an operator has it, frames, the trial.

The installation steps are read from docs/operating.md, so that the trial tests that page.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import tifffile
from machine import remove

from scopewatch_simulator.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "operating.md"
FRAMES = 4
SIZE_PX = 512
AHEAD = ("python3 -m venv ", "/opt/scopewatch/bin/pip ")
# The Python of the image, independent of the one that runs here.
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")


def install_steps(page: str) -> list[str]:
    """Return the commands under "Running as a service", each as one shell line."""
    return _commands(page, "## Running as a service")


def raw_data_steps(page: str) -> list[str]:
    """Return the commands that name the folder of the raw data."""
    return _commands(page, "**Raw data.**")


def _commands(page: str, after: str) -> list[str]:
    """Return the lines of the first indented block after a line with a given beginning."""
    _, found, rest = page.partition(f"\n{after}")
    block = re.search(r"\n\n((?:    .*\n|\n)+)", rest)
    if not found or block is None:
        message = f"no commands after {after!r} in {PAGE}"
        raise LookupError(message)
    return [line.strip() for line in block[1].splitlines() if line.strip()]


def gather_wheels(folder: Path) -> None:
    """Fetch the dependencies by their hashes, and build the wheel of this tree."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    lock = ROOT / "requirements.lock"
    kept = folder / lock.name
    if not kept.exists() or kept.read_bytes() != lock.read_bytes():
        platforms = [f"--platform={name}" for name in PLATFORMS]
        subprocess.run(
            [
                *(*pip, "download", "--no-deps", "--only-binary=:all:", "--python-version=3.11"),
                *(*platforms, "--require-hashes", "-r", str(lock), "-d", str(folder)),
            ],
            check=True,
        )
        shutil.copyfile(lock, kept)
    built = list(folder.glob("scopewatch-*.whl"))
    if len(built) != 1 or built[0].stat().st_mtime < _newest_source():
        for old in built:
            old.unlink()
        subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)


def _newest_source() -> float:
    """Return the time of the last change of the wheel's sources, in seconds of the system clock."""
    parts = [path for name in ("daemon", "training", "models") for path in (ROOT / name).rglob("*")]
    files = [path for path in parts if path.is_file() and path.suffix != ".pyc"]
    return max(path.stat().st_mtime for path in (*files, ROOT / "pyproject.toml"))


def pack(tree: Path, wheels: Path, only: str) -> list[str]:
    """Lay everything out below `tree`, which is made again; return the steps for the image.

    These are the first steps of the page, which need no running system: environment and wheel.
    """
    remove(tree)
    release = tree / "release"
    shutil.copytree(ROOT / "systemd", release / "systemd")
    shutil.copytree(ROOT / "models", release / "models")
    for name in ("config.yaml", "constraints.txt"):
        shutil.copyfile(ROOT / name, release / name)
    (wheel,) = wheels.glob("scopewatch-*.whl")
    shutil.copyfile(wheel, release / wheel.name)
    shutil.copytree(Path(__file__).parent / "guest", tree / "guest")
    page = PAGE.read_text(encoding="utf-8")
    steps = install_steps(page)
    ahead = [step for step in steps if step.startswith(AHEAD)]
    plan = {"install": steps[len(ahead) :], "raw_data": raw_data_steps(page), "only": only}
    (tree / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (tree / "out").mkdir()
    (tree / "frames").mkdir()
    simulation = Simulation(seed=1, size_px=SIZE_PX)
    for index in range(FRAMES):
        tifffile.imwrite(
            tree / "frames" / f"{index}.tif",
            simulation.frame(0, 0, 0, 4 * index),
            resolution=(1e4, 1e4),
            resolutionunit="CENTIMETER",
        )
    # All files belong to root, as after unpacking a release.
    for path in (tree, *tree.rglob("*")):
        shutil.chown(path, "root", "root")
    return ahead
