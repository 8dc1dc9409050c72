"""Follows one NDTiff data set while it grows.

Two sources list its images: the chain of directories in the TIFF, which is there as soon as the
image is, and `NDTiff.index`, which lags (the Python storage does not flush it) but still locates
images when a chain is damaged. An image is reported once, by whichever lists it first. A TIFF that
is empty, missing or damaged does not stop the others.
"""

import hashlib
import json
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

from scopewatch.core.errors import FrameError, complaint
from scopewatch.event_log import get_logger
from scopewatch.sources.ndtiff.file import Follower, Image, read_image_facts
from scopewatch.sources.ndtiff.find import list_files
from scopewatch.sources.ndtiff.header import Head, VersionError, read_head
from scopewatch.sources.ndtiff.index import IndexEntry, parse_index
from scopewatch.sources.ndtiff.missing_files import MissingFiles
from scopewatch.sources.ndtiff.pyramid import INDEX, refuse_copy
from scopewatch.sources.ndtiff.sighting import Sighting
from scopewatch.sources.readers.planes import ReadLimits

log = get_logger(__name__)

_INDEX_PER_LOOK = 4 * 1024 * 1024
PER_LOOK = 1000


class DataSet:
    """Follows the data set in one folder. Files are opened for each look and closed again.

    Parameters
    ----------
    patience_s
        How long the index may name a missing file before that is reported.
    """

    def __init__(self, folder: Path, limits: ReadLimits, patience_s: float) -> None:
        self._folder = folder
        self._limits = limits
        self._used = 0
        self._signature: tuple[tuple[str, int, int], ...] | None = None
        self._heads: dict[str, Head] = {}
        self._followers: dict[str, Follower] = {}
        self._sizes: dict[str, int] = {}
        self._reported: dict[str, set[int]] = {}
        self._logged_texts: dict[str, set[int]] = {}
        self._indexed: dict[tuple[str, int], IndexEntry] = {}
        self._nameless: dict[tuple[str, int], Image] = {}
        self._missing = MissingFiles(patience_s)
        self._refused: Hashable = None
        self._first: tuple[Image, Head] | None = None
        self.trouble: str | None = None

    @property
    def identity(self) -> str | None:
        """Identity of the acquisition, by its summary and first image; None before they are known.

        It is the same for a copy, and after a restart.
        """
        if self._first is None:
            return None
        image, head = self._first
        text = json.dumps([head.summary, image.fingerprint], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()

    def replaced(self) -> bool:
        """Return whether another acquisition now lies in its folder, by the first image.

        A data set that could not be read at all counts as replaced as soon as its files differ.

        Raises
        ------
        OSError
            When the file of the first image cannot be read.
        """
        if self._refused is not None:
            return list_files(self._folder)[1] != self._refused
        if self._first is None:
            return False
        image = self._first[0]
        path = self._folder / image.block.file
        size = path.stat().st_size
        with path.open("rb") as file:
            now = read_image_facts(file, image.block, size, self._limits)
        # An unreadable file proves nothing: it may be damaged, or only begun.
        return now is not None and now.fingerprint != image.fingerprint

    @property
    def waiting(self) -> int:
        """Number of known images that are not complete."""
        return len(self._indexed) + len(self._nameless)

    @property
    def undecided(self) -> int:
        """Number of images in the index whose pixels are still waited for."""
        return sum(name not in self._missing.reported for name, _ in self._indexed)

    @property
    def ended(self) -> bool:
        """Whether its writer closed it: the index is there, all files are truncated, all is read.

        A data set that cannot be read at all has ended too.
        """
        if self._refused is not None:
            return True
        followers = dict(self._followers)
        closed = [each.closed(self._sizes.get(name, 0)) for name, each in followers.items()]
        return bool(closed) and all(closed) and self._used > 0 and not self.waiting

    def glance(self) -> Hashable:
        """Return something that changes while it grows. Raises OSError."""
        return list_files(self._folder)[1]

    def look(self, now_s: float, at_most: int = PER_LOOK) -> list[Sighting]:
        """Return images completed since the last look, at most `at_most` of each file.

        Raises
        ------
        OSError
            When the folder cannot be read.
        """
        if self._refused is not None:
            return []
        files, signature = list_files(self._folder)
        copy = refuse_copy(self._folder)
        if copy is not None:
            return [self._refuse(self._folder.name, copy, signature)]
        idle = signature == self._signature and not self.waiting
        if idle and all(follower.ended for follower in self._followers.values()):
            return []
        self._signature = signature
        sightings = list(self._read_index(files.get(INDEX)))
        files.pop(INDEX, None)
        for name, size in files.items():
            try:
                sightings += self._read_file(name, size, at_most)
            except VersionError as error:
                return [self._refuse(name, str(error), signature)]
            except (OSError, FrameError) as error:
                self._complain(" ".join(str(error).split()))
        names = [name for name, _ in self._indexed]
        sightings += self._missing.report(names, files, self._folder.name, now_s)
        if len(sightings) >= at_most:
            self._signature = None  # there is more to read
        return sightings

    def _refuse(self, name: str, reason: str, signature: Hashable) -> Sighting:
        """Return why nothing can be read; it is not read again while its files stay unchanged."""
        self._refused = signature
        return Sighting(name=name, axes={}, summary={}, image=None, reason=reason)

    def _read_index(self, size: int | None) -> Iterator[Sighting]:
        if size is None or size <= self._used or self.waiting >= self._limits.max_planes:
            return
        with (self._folder / INDEX).open("rb") as file:
            file.seek(self._used)
            data = file.read(_INDEX_PER_LOOK)
        part = parse_index(data)
        self._used += part.used
        if part.damage is not None:
            self._complain(f"{INDEX}: {part.damage}")
            self._used = 2**63  # nothing after it can be read
        elif len(data) == _INDEX_PER_LOOK:
            self._signature = None
        for entry in part.entries:
            if entry.reason:
                yield Sighting(
                    name=entry.file,
                    axes=entry.axes,
                    summary={},
                    image=None,
                    reason=self._unreadable(entry.axes, entry.reason),
                )
            elif entry.start not in self._reported.get(entry.file, ()):
                self._indexed[(entry.file, entry.start)] = entry

    def _read_file(self, name: str, size: int, at_most: int) -> Iterator[Sighting]:
        with (self._folder / name).open("rb") as file:
            head = self._heads.get(name) or read_head(file, self._folder / name, self._limits)
            if head is None:
                return
            self._heads[name] = head
            follower = self._followers.setdefault(name, Follower(name, head))
            self._sizes[name] = size
            images = follower.look(file, size, self._limits, at_most)
            if follower.trouble is not None:
                self._complain(follower.trouble)
            for place in [place for place in self._indexed if place[0] == name]:
                block = self._indexed[place].block
                if block is None or len(images) >= at_most:
                    continue
                image = read_image_facts(file, block, size, self._limits)
                if image is not None:
                    images.append(image)
                elif follower.ended and block.end > size:
                    yield self._beyond(self._indexed.pop(place), head)
        images += [image for place, image in self._nameless.items() if place[0] == name]
        for image in images:
            yield from self._report(name, head, image)

    def _report(self, name: str, head: Head, image: Image) -> Iterator[Sighting]:
        place = (name, image.block.start)
        reported = self._reported.setdefault(name, set())
        entry = self._indexed.pop(place, None)
        self._nameless.pop(place, None)
        axes = image.tags.get("Axes")
        if not isinstance(axes, dict):
            axes = entry.axes if entry is not None else None
        texts = self._logged_texts.setdefault(name, set())
        # Metadata belong to one image: a second place for its pixels is a damaged index entry.
        garbled = image.block.text_size > 0 and image.block.text_start in texts
        if image.block.start in reported or garbled:
            return
        if axes is None:
            self._nameless[place] = image  # the index may name it later
            return
        reported.add(image.block.start)
        texts.add(image.block.text_start)
        self._first = self._first or (image, head)
        reason = self._unreadable(axes, image.reason) if image.reason else ""
        yield Sighting(name=name, axes=axes, summary=head.summary, image=image, reason=reason)

    def _beyond(self, entry: IndexEntry, head: Head) -> Sighting:
        self._reported.setdefault(entry.file, set()).add(entry.start)
        name, axes = entry.file, entry.axes
        reason = self._unreadable(axes, f"it lies beyond the end of {name}")
        return Sighting(name=name, axes=axes, summary=head.summary, image=None, reason=reason)

    def _unreadable(self, axes: dict[str, Any], why: str) -> str:
        return complaint(
            "image of the data set cannot be read",
            where=f"{self._folder.name} {json.dumps(axes)}",
            got=why,
            do="acquire or copy it again",
        )

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning(
                "data set is damaged, the rest of it is followed",
                data_set=str(self._folder),
                reason=trouble,
            )
        self.trouble = trouble
