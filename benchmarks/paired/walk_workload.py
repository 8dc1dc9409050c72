"""Walk a folder of settled files several times in one process; time each in CPU seconds.

Run by `compare_walks.py` under each build; prints one number a line.
"""

import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from scopewatch import config as settings
from scopewatch.config import FolderSourceConfig

# The module of the source in builds before its package, and now.
_PLACES = ("scopewatch.sources.folder", "scopewatch.sources.folder.source")
# The name of the settings of a run, now and in older builds.
_RUN_CONFIGS = ("RunConfig", "ExperimentConfig")


class Clock:
    """The real time."""

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()


class Settled:
    """An inbox and a ledger for which everything is settled."""

    def offer(self, *_: Any) -> bool:
        """Fail: a settled file must not be offered."""
        raise AssertionError("a settled file was offered")

    refuse = offer

    def settled(self, _source: str, found: Any, *_: Any) -> set[str]:
        """Return every locator."""
        return {each[0] if isinstance(each, tuple) else each.locator for each in found}

    def names_changed(self, _source: str) -> bool:
        """Return that every name is read as before."""
        return False

    def known_folder(self, _source: str, _path: str) -> None:
        """Return that the folder was not seen before."""

    def record_folder(self, *_: Any) -> None:
        """Record nothing."""


def main() -> None:
    """Walk as often as the call says; the first walk, which fills caches, does not count."""
    folder, walks = Path(sys.argv[1]), int(sys.argv[2])
    config = FolderSourceConfig(kind="folder", path=folder, observer="polling", poll_s=86_400)
    source_type = next(
        module.FolderSource
        for place in _PLACES
        if hasattr(module := import_module(place), "FolderSource")
    )
    run_config = next(getattr(settings, name) for name in _RUN_CONFIGS if hasattr(settings, name))
    source = source_type(config, run_config(name="walk"), Clock())
    settled = Settled()
    source.start(settled, settled)
    # Builds that space their walks would leave out those that are timed.
    intake = getattr(source, "_intake", None)
    end_rest = getattr(intake, "end_rest", lambda: None)
    for _ in range(walks):
        end_rest()
        began_s = time.process_time()
        source.scan()
        print(time.process_time() - began_s, flush=True)
    source.stop()


if __name__ == "__main__":
    main()
