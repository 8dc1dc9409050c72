"""Copy files as Windows does over a share: the final size first, then the content in order.

python transfer_size_first.py SOURCE TARGET BYTES_PER_S

No Windows was available: this does what is known of its copies. A file that is there and
is not the same is copied again from its beginning.
"""

import sys
import time
from pathlib import Path

_BLOCK = 65536


def copy(source: Path, target: Path, bytes_per_s: float) -> None:
    """Copy one file."""
    content = source.read_bytes()
    with target.open("r+b" if target.exists() else "xb", buffering=0) as file:
        file.truncate(len(content))
        for at in range(0, len(content), _BLOCK):
            file.write(content[at : at + _BLOCK])
            time.sleep(_BLOCK / bytes_per_s)


def main() -> None:
    """Copy all files of a folder that are missing or differ at the destination."""
    source, target, rate = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    for path in sorted(source.iterdir()):
        there = target / path.name
        if not there.exists() or there.read_bytes() != path.read_bytes():
            copy(path, there, rate)


if __name__ == "__main__":
    main()
