"""Reads foreign XML within bounds: no entities, and streams of records one at a time.

Expat, the parser of the standard library, reads no external files. Entities that a document
declares itself can fill the memory, so a document with a declaration is refused: no microscope
writes one.
"""

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree as Xml
from xml.parsers import expat

_CHUNK_BYTES = 65_536
# Limit of the attributes and texts of one record; a longer one is cut.
_RECORD_CHARS = 1_000_000

# Errors of expat for an unknown or unsupported encoding.
_ENCODINGS = (LookupError, ValueError)

Record = dict[str, str]


class XmlError(ValueError):
    """Why a text is not read, in a few words."""


def parse_xml(text: str) -> Xml.Element:
    """Parse a whole document.

    Raises
    ------
    XmlError
        When the text is no XML, or declares entities.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise XmlError("entity declarations")
    try:
        return Xml.fromstring(text)  # noqa: S314 - expat, without entities (checked above)
    except (Xml.ParseError, *_ENCODINGS) as error:
        raise XmlError(str(error)) from error


def read_records(file: BinaryIO, names: frozenset[str]) -> Iterator[tuple[str, Record]]:
    """Yield the elements of some names: (name, attributes and texts of the elements within).

    Prefixes of namespaces are removed. The own text of the element has the key ''. A document that
    ends early yields its complete records, since its program may still write it; one that holds
    anything but XML yields what comes before.

    Raises
    ------
    XmlError
        When it declares entities.
    """
    reader = _Reader(names)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.declaration
    while chunk := file.read(_CHUNK_BYTES):
        try:
            parser.Parse(chunk, False)
        except XmlError:
            raise
        except (expat.ExpatError, *_ENCODINGS):
            break
        finally:
            yield from reader.take()


class _Reader:
    """Collects records from the events of expat."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._path: list[str] = []
        self._depth = 0
        self._record: Record = {}
        self._chars = 0
        self._found: list[tuple[str, Record]] = []

    def take(self) -> list[tuple[str, Record]]:
        """Return the records that were completed since the last call."""
        found, self._found = self._found, []
        return found

    def declaration(self, *_: object) -> None:
        # At once: a declaration could be used in the same chunk.
        raise XmlError("entity declarations")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        self._path.append(local)
        if not self._depth and local in self._names:
            self._depth = len(self._path)
            self._record = {"": ""} | {_local(key): value for key, value in attributes.items()}
            self._chars = 0
        elif self._depth:
            # Of elements with one name within a record the last one counts.
            self._record[local] = ""

    def text(self, text: str) -> None:
        if self._depth and self._chars < _RECORD_CHARS:
            self._chars += len(text)
            key = "" if len(self._path) == self._depth else self._path[-1]
            self._record[key] += text

    def end(self, name: str) -> None:
        if self._depth == len(self._path):
            self._found.append((_local(name), {k: v.strip() for k, v in self._record.items()}))
            self._depth = 0
        self._path.pop()


def _local(name: str) -> str:
    return name.rpartition(":")[2]
