"""The time of day of another process, which a test sets while it runs; the machine's stays."""

from pathlib import Path

import pytest

# The one for programs of many threads; its folder is named after the machine's architecture.
_PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")
LIBRARY = "libfaketimeMT.so.1"


class SettableClock:
    """The clock of a process that is started with `environ`, by libfaketime.

    Only the time of day is set: what is monotonic, or the time of a file, stays as it is. While it
    is loaded, Python's `time.sleep` raises (github.com/wolfcw/libfaketime/issues/426, mended after
    0.9.10), which the daemon does not use.
    """

    def __init__(self, folder: Path) -> None:
        found = [
            library
            for place in _PLACES
            for library in Path("/").glob(f"{place.removeprefix('/')}/{LIBRARY}")
        ]
        if not found:
            pytest.skip(f"the clock of a process is set by {LIBRARY}: install Debian's libfaketime")
        self._clock_file = folder / "clock"
        self.set_by(0)
        self.environ = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock_file),
            # Read it at each call.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_by(self, seconds: int) -> None:
        """Set the clock so many seconds off the machine's."""
        begun = self._clock_file.with_suffix(".part")
        begun.write_text(f"{seconds:+d}\n", encoding="ascii")
        begun.rename(self._clock_file)
