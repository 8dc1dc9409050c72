"""The places where the program writes to a disk, collected from its source by static analysis.

A place is `module function call`: `files.py write_whole write_bytes`. A call
counts by its name alone, so that a name that also means something harmless (a stream in memory) is
a place too, and somebody has to list it with the reason.
"""

import ast
from collections.abc import Iterator

from tests.unit.docs.written_events import PACKAGE, trees

# Names of methods and functions that change a file system, of any type.
WRITERS = {
    "chmod", "copy", "copy2", "copyfile", "copyfileobj", "copytree", "fsync", "ftruncate",
    "hardlink_to", "imwrite", "link", "makedirs", "mkdir", "mkdtemp", "mkstemp", "move",
    "NamedTemporaryFile", "pwrite", "remove", "removedirs", "rename", "renames", "rmdir", "rmtree",
    "save", "savez", "sendfile", "SpooledTemporaryFile", "symlink", "symlink_to",
    "TemporaryDirectory", "TemporaryFile", "tofile", "touch", "truncate", "unlink", "utime",
    "write", "write_bytes", "write_text", "writelines", "writerow", "writerows", "writestr",
    "FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler",
    "SqliteDict", "memmap", "dump", "to_csv", "dump_traceback",
}  # fmt: skip
# Transactions that may write.
TRANSACTIONS = {"write_unit", "begin"}
# Those of `open` and of what opens like it.
MODES = set("wax+")


def places() -> set[str]:
    """Return every place of the daemon and of what people call, beside `cli` and `demo`."""
    return {
        f"{module} {function} {call}"
        for module, tree in trees().items()
        for function, call in _found(tree, "")
    }


def _found(node: ast.AST, inside: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        here = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            here = f"{inside}.{child.name}".lstrip(".")
        if isinstance(child, ast.ClassDef):
            yield from ((here, name) for base in child.bases if (name := _name(base)) in WRITERS)
        if isinstance(child, ast.Call) and _writes(child):
            yield inside, _name(child.func)
        yield from _found(child, here)


def _writes(call: ast.Call) -> bool:
    name = _name(call.func)
    if name in WRITERS or name in TRANSACTIONS:
        return True
    if name == "open":
        # `os.open` has flags; the table explains them.
        return _owner(call.func) == "os" or _has_mode(call)
    if name == "ZipFile":
        return _has_mode(call)
    # Of a path: methods of strings, times and dataclasses have more or named arguments.
    return name == "replace" and len(call.args) == 1 and not call.keywords


def _has_mode(call: ast.Call) -> bool:
    given = [*call.args, *(each.value for each in call.keywords if each.arg == "mode")]
    return any(
        isinstance(each, ast.Constant)
        and isinstance(each.value, str)
        and len(each.value) <= 3
        and bool(MODES & set(each.value))
        for each in given
    )


def _name(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _owner(node: ast.expr) -> str:
    return _name(node.value) if isinstance(node, ast.Attribute) else ""


__all__ = ["PACKAGE", "places"]
