"""Finds the OME-XML of a TIFF: its own, or that of a file beside it to which its own refers.

`BinaryOnly` names the companion file or the master TIFF of a set. Programs write its whole path on
the machine where it was written: only the last part counts, and the file is expected beside the
TIFF. Recent documents are cached: all files of a set refer to one, and are checked often.
"""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as Xml

from scopewatch.core.errors import FrameError, complaint
from scopewatch.sources.readers.ome.document import OmeFile, parse_ome, read_document
from scopewatch.sources.readers.planes import ReadLimits
from scopewatch.sources.readers.tiff import ifd
from scopewatch.sources.readers.tiff.header import read_layout
from scopewatch.sources.readers.tiff.tags import read_bytes

_TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
_KEPT_FILES, _KEPT_PLANES = 256, 20_000
_KEPT_DOCUMENTS, _LARGEST_KEPT = 4, 8 * 1024 * 1024

_Version = tuple[Path, int, int]  # path, bytes, modification time


class OmeDocuments:
    """Bounded cache of the documents that were used last; thread-safe."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._files: OrderedDict[tuple[object, ...], OmeFile] = OrderedDict()
        self._documents: OrderedDict[_Version, Xml.Element] = OrderedDict()

    def read(self, path: Path, text: str, *, utc: bool) -> OmeFile:
        """Return the content of the OME-XML of a TIFF, or of the document it refers to.

        Parameters
        ----------
        text
            Text of its own OME-XML.
        utc
            Whether times without a zone are UTC.

        Raises
        ------
        FrameError
            When the XML is damaged, or the file that it refers to is missing.
        """
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()
        own = (path, digest, utc)
        known = self._known(own)
        if known is not None:
            return known
        root = parse_ome(text, path.name)
        refers = root.find("{*}BinaryOnly")
        if refers is None:
            return self._keep(own, read_document(root, path.name, self._limits, utc=utc))
        target = _beside(path, refers.get("MetadataFile"))
        try:
            state = target.stat()
            version = (target, state.st_size, state.st_mtime_ns)
            known = self._known((*own, version))
            if known is not None:
                return known
            document = self._document(path, version)
        except OSError as error:
            raise _missing(path, target.name, error.strerror) from error
        uuid = root.get("UUID", "")
        document_file = read_document(document, path.name, self._limits, uuid=uuid, utc=utc)
        return self._keep((*own, version), document_file)

    @property
    def kept(self) -> int:
        """Number of planes held in memory."""
        with self._lock:
            return sum(len(each.planes) for each in self._files.values())

    def _document(self, path: Path, version: _Version) -> Xml.Element:
        with self._lock:
            root = self._documents.get(version)
        if root is not None:
            return root
        target, size, _ = version
        text = _read_text(target, size, self._limits)
        root = parse_ome(text, target.name)
        if root.find("{*}BinaryOnly") is not None:
            raise _missing(path, target.name, "a file that refers to another itself")
        if len(text) <= _LARGEST_KEPT:
            with self._lock:
                self._documents[version] = root
                while len(self._documents) > _KEPT_DOCUMENTS:
                    self._documents.popitem(last=False)
        return root

    def _known(self, key: tuple[object, ...]) -> OmeFile | None:
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def _keep(self, key: tuple[object, ...], document_file: OmeFile) -> OmeFile:
        with self._lock:
            self._files[key] = document_file
            planes = sum(len(each.planes) for each in self._files.values())
            while len(self._files) > _KEPT_FILES or (planes > _KEPT_PLANES and self._files):
                _, forgotten = self._files.popitem(last=False)
                planes -= len(forgotten.planes)
        return document_file


def _beside(path: Path, metadata_file: str | None) -> Path:
    name = PurePosixPath((metadata_file or "").replace("\\", "/")).name
    if name in ("", "..") or name == path.name:
        raise _missing(path, metadata_file or "", "a reference that leads nowhere")
    return path.with_name(name)


def _read_text(target: Path, size: int, limits: ReadLimits) -> str:
    """Read a companion file, or the first image description of a TIFF."""
    with target.open("rb") as file:
        if target.suffix.lower() in _TIFF_SUFFIXES:
            layout = read_layout(file, target)
            try:
                first = ifd.read_directory(file, layout, layout.first, size)
            except ifd.UnfinishedError as why:
                raise FrameError(
                    complaint(
                        "metadata of the image are in a file that is not written yet",
                        where=target,
                        got=why,
                        do="let its writer finish",
                    )
                ) from why
            raw = read_bytes(file, first.tags.get(ifd.DESCRIPTION), limits.max_text_bytes)
        else:
            raw = file.read(limits.max_text_bytes + 1)
            raw = b"" if len(raw) > limits.max_text_bytes else raw
    return raw.rstrip(b"\x00 ").decode("utf-8", "replace")


def _missing(path: Path, name: str, got: object) -> FrameError:
    return FrameError(
        complaint(
            "metadata of the image are in another file, which cannot be read",
            where=path,
            expected=f"{name} beside it",
            got=got,
            do="copy that file beside the images",
        )
    )
