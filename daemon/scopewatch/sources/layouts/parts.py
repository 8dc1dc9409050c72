"""Regular expressions shared by the patterns of several layouts."""

# Beginning of the file name proper.
NAME = r"(?<![^/])"
# End of the file name. A second suffix (`.ome`) belongs to it.
END = r"(?:\.ome)?\.\w+$"
# A well as most programs write it, with or without zeros: rows A to Z and AA to AF.
WELL = r"(?P<well>(?:[A-Z]|A[A-F]|[a-p])0{0,2}[1-9]\d?)(?!\d)"
# A name, up to the next part; mostly of a plate.
PLATE = r"(?P<plate>[^/]+?)"


def token(letter: str, group: str, end: str = "[_.]") -> str:
    """Return an optional look-ahead for a letter and a number within the name."""
    return rf"(?=(?:[^/]*?_{letter}(?P<{group}>\d+){end})?)"
