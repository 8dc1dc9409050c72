"""The worked notebook runs from its first cell to its last, and shows what a run shows.

Written again, where the words of commands change: `jupyter execute --inplace train_a_model.ipynb`
in `examples`, and `ruff format examples`.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [pytest.mark.training, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[3]
NOTEBOOK = ROOT / "examples" / "train_a_model.ipynb"
MOST_BYTES = 250_000


def read() -> Any:
    """Return the committed notebook."""
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def outputs(notebook: Any) -> list[str]:
    """Return the text that each cell of code printed."""
    texts = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            printed = "".join(each.text for each in cell.outputs if each.output_type == "stream")
            texts.append(printed)
    return texts


def words(text: str) -> list[str]:
    """Return the lines about files, pairs and verdicts, without their numbers."""
    kept = ("verdict:", "wrote ", "bundle written", "labels were corrected", "simulated:")
    return [re.sub(r"\d+", "#", line) for line in text.splitlines() if line.startswith(kept)]


def test_the_notebook_is_as_a_run_left_it_and_small() -> None:
    notebook = read()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(each.output_type == "error" for cell in code for each in cell.outputs)
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert "\\u001b" not in text
    assert "/tmp/" not in text
    assert "simulated" in notebook.cells[0].source


def test_every_cell_runs_and_says_what_the_committed_outputs_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    # The notebook finds the shipped bundle beside the folder of examples.
    here = tmp_path / "examples"
    here.mkdir()
    shutil.copytree(ROOT / "models", tmp_path / "models")
    notebook = read()
    before = [words(text) for text in outputs(notebook)]

    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(here)}},
    )
    client.execute()

    assert [words(text) for text in outputs(notebook)] == before
    assert list(here.iterdir()) == []
