"""The daemon's code runs nothing it reads: no pickle, no eval, no shell, no unsafe YAML."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALLS = {"eval", "exec", "compile", "__import__"}
MODULES = {"pickle", "cPickle", "_pickle", "dill", "shelve", "marshal", "jsonpickle"}
ATTRIBUTES = {("os", "system"), ("os", "popen"), ("yaml", "unsafe_load"), ("yaml", "full_load")}


def offences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if (
                module,
                name,
            ) in ATTRIBUTES:
                yield f"{module}.{name}"
            case ast.keyword(arg="shell", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                yield "shell"
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield "allow_pickle"
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield module


def test_no_module_of_the_daemon_runs_what_it_reads() -> None:
    files = sorted((ROOT / "daemon").rglob("*.py"))
    assert len(files) > 100
    found = {str(path): list(offences(ast.parse(path.read_text("utf-8")))) for path in files}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "import pickle",
        "from pickle import loads",
        "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=flag)",
        "os.system('ls')",
        "yaml.unsafe_load('')",
        "np.load(file, allow_pickle=True)",
    ],
)
def test_the_search_finds_what_it_searches_for(code: str) -> None:
    assert list(offences(ast.parse(code)))
