"""Builds of the project to compare: this tree, and a worktree of an earlier commit."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A tree whose code a process can run with the packages of this environment.

    Parameters
    ----------
    variables
        Of its processes, beside those of this one; `PYTHONPATH` goes before the tree's folders.
    runtime
        `model.runtime` of its daemons; None: their default.
    """

    name: str
    tree: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    runtime: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """Variables under which a Python process imports this tree's code."""
        parts = [str(self.tree / part) for part in ("daemon", "training", "simulator")]
        first = self.variables.get("PYTHONPATH")
        path = os.pathsep.join([first, *parts] if first else parts)
        return {**os.environ, **self.variables, "PYTHONPATH": path}

    def run(self, script: Path, *arguments: object) -> str:
        """Run a script with this tree's code; return its standard output. Exits where it fails."""
        path = os.pathsep.join((self.environ["PYTHONPATH"], str(self.tree)))
        done = subprocess.run(
            [sys.executable, str(script), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            env={**self.environ, "PYTHONPATH": path},
        )
        if done.returncode:
            sys.exit(f"{self.name}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    @property
    def model(self) -> Path:
        """Return the bundle that this build ships."""
        return self.tree / "models" / "simulated-cardiomyocyte"


@contextmanager
def baseline(commit: str, variables: Mapping[str, str] | None = None) -> Iterator[Build]:
    """Check out an earlier commit beside this tree, and remove it afterwards."""
    named = _git("rev-parse", "--short", f"{commit}^{{commit}}")
    tree = PROJECT / "build" / f"baseline-{named}"
    if not tree.exists():
        _git("worktree", "add", "--detach", str(tree), named)
    try:
        yield Build(name=named, tree=tree, variables=variables or {})
    finally:
        _git("worktree", "remove", "--force", str(tree))


def this_build(variables: Mapping[str, str] | None = None, runtime: str | None = None) -> Build:
    """Return the tree of this file, as it is on disk."""
    return Build(name="this", tree=PROJECT, variables=variables or {}, runtime=runtime)


def commit_of_this() -> str:
    """Return the commit of this tree, `+` after it where files were changed."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def processor() -> str:
    """Return the name of the processor and its vector instructions for int8 networks."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{os.cpu_count()} cores, processor not known"
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    known = {name.strip(): value.strip() for name, value in facts.items()}
    flags = known.get("flags", "").split()
    vectors = next(
        (
            label
            for flag, label in (
                ("avx512_vnni", "AVX-512 VNNI"),
                ("avx_vnni", "AVX VNNI"),
                ("avx2", "AVX2, no VNNI"),
            )
            if flag in flags
        ),
        "no AVX2",
    )
    return f"{os.cpu_count()} cores of {known.get('model name', 'unknown')} ({vectors})"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
