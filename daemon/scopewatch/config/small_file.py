"""Reads small text files that people write."""

from pathlib import Path


def read_small_file(path: Path, most_bytes: int, encoding: str = "utf-8") -> str:
    """Return the text of a file.

    Raises
    ------
    ValueError
        With the problem in a few words: the file cannot be read, is too large, or is no such text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise ValueError(error.strerror or str(error)) from error
    if len(content) > most_bytes:
        raise ValueError(f"more than {most_bytes >> 10} kB")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8 text") from error
