"""Bundles are replaced whole, whenever a call is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import (
    read_report,
    refuse_foreign,
    restore_bundle,
    write_bundle,
)
from tests.unit.inference.bundles import write_tiny

# Kills itself before the n-th rename or removal of a folder.
KILLED_WRITER = """
import os, shutil, signal, sys
from pathlib import Path
from scopewatch.inference.bundle import load_bundle
from scopewatch_training.bundle.bundle_writer import write_bundle

left = int(sys.argv[3])
def killing(make):
    def change(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return make(*arguments, **options)
    return change

old = load_bundle(Path(sys.argv[1]))
card = old.card.model_copy(update={"description": "the new one"})
Path.rename, shutil.rmtree = killing(Path.rename), killing(shutil.rmtree)
write_bundle(Path(sys.argv[2]), old.model, card, {"note.txt": b"new"})
"""
CHANGES = 4
"""Remove what an earlier call left, move the old bundle aside, move the new one in, remove it."""


def write_killed(source: Path, folder: Path, change: int) -> int:
    root = Path(__file__).parents[3]
    paths = [str(root / part) for part in ("daemon", "training", "simulator")]
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WRITER, str(source), str(folder), str(change)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=False,
        capture_output=True,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "bundle")


@pytest.mark.parametrize("change", range(1, CHANGES + 1))
def test_a_killed_call_leaves_the_old_bundle_or_the_new_one(
    bundle: Path, tmp_path: Path, change: int
) -> None:
    source = write_tiny(tmp_path / "source")
    before = load_bundle(bundle).card.description

    assert write_killed(source, bundle, change) == -signal.SIGKILL
    restore_bundle(bundle)

    found = load_bundle(bundle).card.description
    assert found == ("the new one" if change == CHANGES else before)


def test_a_call_that_is_not_killed_makes_no_further_change(bundle: Path, tmp_path: Path) -> None:
    source = write_tiny(tmp_path / "source")

    assert write_killed(source, bundle, CHANGES + 1) == 0

    assert load_bundle(bundle).card.description == "the new one"
    assert read_report(bundle) == {"note.txt": b"new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "source"]


@pytest.mark.parametrize("change", range(1, CHANGES + 1))
def test_the_next_call_goes_on_after_a_killed_one(
    bundle: Path, tmp_path: Path, change: int
) -> None:
    source = write_tiny(tmp_path / "source")
    write_killed(source, bundle, change)

    old = load_bundle(source)
    card = old.card.model_copy(update={"description": "the newest"})
    write_bundle(bundle, old.model, card, {})

    assert load_bundle(bundle).card.description == "the newest"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "source"]


def test_looking_whether_a_folder_may_be_written_puts_the_old_bundle_back(
    bundle: Path, tmp_path: Path
) -> None:
    moved_in = 3
    write_killed(write_tiny(tmp_path / "source"), bundle, moved_in)
    assert not bundle.exists()

    refuse_foreign(bundle)

    assert load_bundle(bundle).card.description != "the new one"
