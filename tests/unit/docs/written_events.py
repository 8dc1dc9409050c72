"""What the source writes into the log and into the quarantine, collected without running it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "daemon/scopewatch"
# What people call manually: it writes to their terminal.
OF_TERMINALS = ("cli", "demo")
LEVELS = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "exception": "error",
    "critical": "critical",
}
# Errors that end a start or hold up a step; the others end a frame.
NOT_OF_A_FRAME = {"ConfigError", "DeliveryError", "ModelError", "SourceError", "StoreError"}
JUDGING = ("analyse", "fluorescence", "frame", "moment", "fluorescence_signal", "scale", "verdict")
ANYTHING = "..."


@cache
def trees() -> dict[str, ast.Module]:
    """Return the modules of the daemon by their path."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in OF_TERMINALS
    }


def texts(node: ast.expr) -> list[str]:
    """Return what an expression can say; what is filled in is as `...`."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            parts = [text for value in values for text in texts(value) or [ANYTHING]]
            return ["".join(parts)]
        case ast.IfExp(body=body, orelse=orelse):
            return texts(body) + texts(orelse)
        case _:
            return []


@cache
def events() -> set[tuple[str, str]]:
    """Return the name and level of each event in the log."""
    return {
        (text, level)
        for tree in trees().values()
        for call, level in _logged(tree)
        for text in texts(call.args[0])
    }


def odd_events() -> list[str]:
    """Return where something is logged under a name that the source does not spell out."""
    odd = [
        f"{path}:{call.lineno}"
        for path, tree in trees().items()
        for call, level in _logged(tree)
        if not level or not (isinstance(call.args[0], ast.Constant) and texts(call.args[0]))
    ]
    odd += [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and ast.unparse(node.value) == "get_logger(__name__)"
        and ast.unparse(node.targets[0]) != "log"
    ]
    # Loggers of the standard library would take no fields as keyword arguments.
    odd += [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node) == "logging.getLogger(__name__)"
    ]
    odd += [
        f"{path}:{call.lineno}"
        for path, tree in trees().items()
        for call, _ in _logged(tree)
        if any(keyword.arg == "extra" for keyword in call.keywords)
    ]
    return odd


def _logged(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log" | "logging"), attr=name)):
                if name in LEVELS or name in {"log", "fatal", "warn"}:
                    yield node, LEVELS.get(name, "")


@cache
def reasons() -> set[str]:
    """Return how the reasons of the quarantine begin."""
    found: set[str] = set()
    for path, tree in trees().items():
        package, name = path.split("/")[0], path.split("/")[-1].removesuffix(".py")
        # What begins with these is shown of a start, a source or the store.
        others = {
            id(argument)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in NOT_OF_A_FRAME
            for argument in node.args
        }
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id="complaint"), args=[what, *_]):
                    of_frames = package == "sources" or (package, name) == ("runtime", "worker")
                    of_frames |= package == "core" and name in JUDGING
                    if of_frames and id(node) not in others:
                        found.update(texts(what))
                case ast.keyword(arg="problem", value=what) if name == "verdict":
                    found.update(texts(what))
                case (
                    ast.Assign(targets=[ast.Name(id="reason")], value=value)
                    | ast.keyword(arg="reason", value=value)
                ) if package == "store" or path == "app/recording/store.py":
                    found.update(texts(value))
    return found - {""}
