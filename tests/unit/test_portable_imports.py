"""Modules of one operating system are imported behind a check; slow ones when they are needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSIX_ONLY = frozenset(
    {"crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty"}
)
PARTS = ("daemon", "simulator", "training")
MODULES = [path for part in PARTS for path in sorted((ROOT / part).rglob("*.py"))]


def unguarded(tree: ast.AST) -> Iterator[str]:
    """Yield the POSIX-only modules that are imported outside any `if` or `try`."""
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If | ast.Try):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in POSIX_ONLY)
        elif isinstance(node, ast.ImportFrom) and node.module in POSIX_ONLY:
            yield node.module
        else:
            waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_of_one_system_is_imported_unasked(path: Path) -> None:
    assert list(unguarded(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_the_check_sees_an_import_within_a_function_and_passes_a_guarded_one() -> None:
    assert list(unguarded(ast.parse("def f():\n    import fcntl"))) == ["fcntl"]
    assert list(unguarded(ast.parse("if sys.platform != 'win32':\n    import fcntl"))) == []


def test_what_is_slow_to_load_is_not_loaded_before_it_is_needed() -> None:
    listing = "import sys, scopewatch.app.daemon_runner; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", listing], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "scopewatch.app.daemon" in loaded
    assert {"alembic", "psycopg", "scipy", "zarr", "nd2", "pycromanager"}.isdisjoint(loaded)
