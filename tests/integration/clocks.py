"""Set the time of day of another process while it runs; the machine's clock is not changed."""

from pathlib import Path

import pytest

# The library for programs of many threads; its folder is named after the architecture.
_PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")
LIBRARY = "libfaketimeMT.so.1"


class SettableClock:
    """The clock of a process that is started with `environ`, by libfaketime.

    Only the time of day is set: the monotonic clock and file times stay as they are. While it
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
            # libfaketime reads the file at each call.
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_by(self, seconds: int) -> None:
        """Set the clock so many seconds off the machine's."""
        begun = self._clock_file.with_suffix(".part")
        begun.write_text(f"{seconds:+d}\n", encoding="ascii")
        begun.rename(self._clock_file)
