"""Asks the package index whether everything that is pinned has a wheel for 64-bit ARM boards.

    python release/aarch64.py

The pins of `requirements.lock` (the daemon) must have one; exits with 1
where one has none and nothing is known to do about it. The extras are reported. pip resolves for
another platform without running anything for it: this says what installs, not that it works.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12")
EXTRAS = (
    "micromanager",
    "vendors",
    "zarr",
    "dask",
    "postgres",
    "remote",
    "openvino",
    "demo",
)
# Compiled packages that those of the extras need.
BEHIND = ("bcrypt", "cffi", "cryptography", "psycopg-binary", "pynacl")
# Debian 12, Raspberry Pi OS 12: glibc 2.36. pip does not conclude from a newer to an older one.
PLATFORMS = ("manylinux2014_aarch64", *(f"manylinux_2_{minor}_aarch64" for minor in range(17, 37)))
# What has no wheel, and what to do about it.
KNOWN = {
    "mm-test-adapters": "leave the extra demo out; its camera runs on x86-64 alone",
}
_MISSING = re.compile(r"No matching distribution found for ([\w.-]+)==")
_NAME = re.compile(r"[\w.-]+")


def main() -> int:
    """Report all Pythons."""
    locked = pins((PROJECT / "requirements.lock").read_text(encoding="utf-8"))
    constrained = pins((PROJECT / "constraints.txt").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*locked, *of_extras(project["optional-dependencies"], constrained)]
    lines, failed = [], False
    for python in PYTHONS:
        here = [pin for pin in wanted if fits(pin, python)]
        missing = without_wheel(here, partial(ask, python=python))
        lines += [
            f"Python {python}: {len(here) - len(missing)} of {len(here)} have an aarch64 wheel"
        ]
        for name in missing:
            must = name in {canonical(pin) for pin in locked}
            advice = KNOWN.get(name, "nothing is known to do" if must else "leave its extra out")
            lines.append(f"  {name} has none: {advice}")
            failed |= must and name not in KNOWN
    sys.stdout.write("\n".join(lines) + "\n")
    return int(failed)


def pins(text: str) -> list[str]:
    r"""Return `name==version`, with its marker where it has one, of each pin in a file.

    >>> pins("A.b==1.0 \\\n    --hash=sha256:0\n# via x\nc==2 ; python_version < '3.12'\n")
    ['A.b==1.0', "c==2 ; python_version < '3.12'"]
    """
    found = re.findall(r"^([\w.-]+==[^\s\\;]+)[ ]*(;[^\\\n]*)?", text, re.MULTILINE)
    return [f"{pin} {marker.strip()}".strip() for pin, marker in found]


def of_extras(extras: dict[str, list[str]], constrained: Iterable[str]) -> list[str]:
    """Return the pins of what the extras name themselves, and of what is compiled behind it."""
    names = {
        canonical(match[0])
        for extra in EXTRAS
        for requirement in extras[extra]
        if (match := _NAME.match(requirement)) is not None
    }
    return [pin for pin in constrained if canonical(pin) in {*names, *BEHIND}]


def canonical(pin: str) -> str:
    """Return the normalised name of a pin.

    >>> canonical("Backports.Zstd==1.8.0")
    'backports-zstd'
    """
    match = _NAME.match(pin)
    return "" if match is None else re.sub(r"[-_.]+", "-", match[0]).lower()


def fits(pin: str, python: str) -> bool:
    """Return whether the marker of a pin is for a Python, as far as it is about Python alone."""
    match = re.search(r"python_version\s*<\s*['\"](\d+)\.(\d+)['\"]", pin)
    return match is None or tuple(map(int, python.split("."))) < (int(match[1]), int(match[2]))


def without_wheel(wanted: list[str], asked: Callable[[list[str]], str]) -> list[str]:
    """Return the names that have no wheel.

    Parameters
    ----------
    asked
        Returns what pip complains of for some pins; '' where all have one. pip stops at the first.

    Raises
    ------
    RuntimeError
        Where pip complains of anything else.
    """
    missing: list[str] = []
    left = [pin.split(";")[0].strip() for pin in wanted]
    while complaint := asked(left):
        match = _MISSING.search(complaint)
        if match is None or all(canonical(pin) != canonical(match[1]) for pin in left):
            raise RuntimeError(complaint)
        missing.append(canonical(match[1]))
        left = [pin for pin in left if canonical(pin) != missing[-1]]
    return missing


def ask(wanted: list[str], python: str) -> str:
    """Let pip resolve pins for a Python on aarch64; return what it complains of."""
    platforms = (word for platform in PLATFORMS for word in ("--platform", platform))
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"),
                *("--disable-pip-version-check", "--only-binary=:all:", "--target", target),
                *("--implementation", "cp", "--python-version", python, *platforms, *wanted),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    return "" if done.returncode == 0 else done.stderr or f"pip ended with {done.returncode}"


if __name__ == "__main__":
    sys.exit(main())
