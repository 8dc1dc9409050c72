"""CPU seconds of one `prepare` by the code on PYTHONPATH: of this process and its workers."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from scopewatch_training.cli.main import main


def prepare(manifest: Path) -> float:
    """Prepare a manifest from nothing; return user and system time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        before = sum(os.times()[:4])
        call = ["prepare", str(manifest), "--out", f"{folder}/data", "--workers", "1"]
        with contextlib.redirect_stdout(sys.stderr):
            try:
                main(call)
            except SystemExit as end:
                if end.code:
                    raise
        return sum(os.times()[:4]) - before


if __name__ == "__main__":
    print(prepare(Path(sys.argv[1])))
