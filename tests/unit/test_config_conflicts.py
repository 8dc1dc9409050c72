"""Sources that would take each other's frames are refused: at start, at reload and by check."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scopewatch.config import load_config
from scopewatch.core.errors import ConfigError


def source(name: str, path: Path, kind: str = "micromanager", **settings: Any) -> dict[str, Any]:
    if kind == "micromanager":
        settings = {"mode": "acquire", **settings}
    if settings.get("mode") == "acquire":
        settings["positions"] = [{"label": "A1", "x_um": 0, "y_um": 0}]
    return {"kind": kind, "name": name, "path": str(path), **settings}


def problems(folder: Path, *sources: dict[str, Any]) -> list[str]:
    path = folder / "config.yaml"
    settings = {
        "experiment": {"name": "run 1"},
        "model": {"bundle": "models/m"},
        "sources": list(sources),
    }
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    try:
        load_config(path)
    except ConfigError as error:
        return [line.replace(str(folder), "") for line in str(error).splitlines()]
    return []


def test_a_second_core_in_one_process_is_refused(tmp_path: Path) -> None:
    one, other = source("left", tmp_path / "a"), source("right", tmp_path / "b")
    assert problems(tmp_path, one, other) == [
        "two sources would drive one Micro-Manager core, of which a process has only one:"
        " /config.yaml: sources 'left' and 'right' (expected one source of mode acquire where one"
        " has backend python, got backends python and python); run a second scopewatch with its own"
        " state folder for the other microscope"
    ]


@pytest.mark.parametrize(
    ("one", "other", "reported"),
    [
        (
            {"backend": "python"},
            {"backend": "java"},
            "two sources would drive one Micro-Manager core",
        ),
        (
            {"backend": "java"},
            {"backend": "python"},
            "two sources would drive one Micro-Manager core",
        ),
        (
            {"backend": "java"},
            {"backend": "java"},
            "two sources would drive one running Micro-Manag",
        ),
        ({"backend": "java"}, {"backend": "java", "port": 4828}, None),
        ({"backend": "python"}, {"mode": "follow"}, None),
        ({"mode": "follow"}, {"mode": "follow"}, None),
    ],
)
def test_sources_that_would_drive_one_microscope_are_refused(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], reported: str | None
) -> None:
    lines = problems(
        tmp_path, source("one", tmp_path / "a", **one), source("two", tmp_path / "b", **other)
    )
    assert len(lines) == (0 if reported is None else 1)
    assert reported is None or lines[0].startswith(reported)


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        (("micromanager", "a"), ("ndtiff", "a"), True),
        (("ndtiff", "a"), ("ndtiff", "a"), True),
        (("ndtiff", "a"), ("micromanager", "a/b"), True),
        (("ndtiff", "a/b"), ("micromanager", "a"), True),
        (("ndtiff", "link"), ("micromanager", "a"), True),
        (("ome-zarr", "a"), ("ome-zarr", "a"), True),
        (("ndtiff", "a"), ("ndtiff", "ab"), False),
        (("ome-zarr", "a"), ("ndtiff", "a"), False),
        (("folder", "a"), ("folder", "a"), False),
        (("folder", "a"), ("micromanager", "a"), False),
    ],
)
def test_sources_that_would_take_each_others_data_sets_are_refused(
    tmp_path: Path, one: tuple[str, str], other: tuple[str, str], refused: bool
) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    sources = [
        source(name, tmp_path / path, kind)
        for name, (kind, path) in zip(("one", "two"), (one, other), strict=True)
    ]
    lines = problems(tmp_path, *sources)
    assert [line.partition(":")[0] for line in lines] == (
        ["two sources would take each other's data sets"] if refused else []
    )


def test_two_sources_that_acquire_into_one_folder_are_reported_both(tmp_path: Path) -> None:
    lines = problems(tmp_path, source("one", tmp_path / "a"), source("two", tmp_path / "a"))
    assert len(lines) == 2
    assert lines[1].endswith(
        "sources 'one' and 'two' (expected paths that lie apart, got /a); give each its own"
        " folder, or leave one out"
    )
