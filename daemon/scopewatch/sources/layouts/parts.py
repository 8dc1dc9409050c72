"""Pieces of the patterns of several layouts."""

# The file's own name begins here.
NAME = r"(?<![^/])"
# Its end. A second suffix (`.ome`) belongs to it.
END = r"(?:\.ome)?\.\w+$"
# A well as most programs write it, with or without zeros: rows A to Z, AA to AF of a plate of 1536.
WELL = r"(?P<well>(?:[A-Z]|A[A-F]|[a-p])0{0,2}[1-9]\d?)(?!\d)"
# A name of something, short of the next part; a plate mostly.
PLATE = r"(?P<plate>[^/]+?)"


def token(letter: str, group: str, end: str = "[_.]") -> str:
    """Return a look ahead for a letter and a number within the name, that may be missing."""
    return rf"(?=(?:[^/]*?_{letter}(?P<{group}>\d+){end})?)"
