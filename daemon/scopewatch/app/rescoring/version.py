"""A version of an archive: one model and one way of reading, and the folder of its results."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from scopewatch import __version__
from scopewatch.config import FolderSourceConfig, RunConfig
from scopewatch.core.errors import ConfigError, StoreError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch.inference.runtimes import open_runtime, runtime_version
from scopewatch.store.files.whole_files import write_whole

MANIFEST: Final = "version.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a result follows from, besides the pixels.

    Parameters
    ----------
    model_id
        First twelve hex digits of the model's SHA-256.
    model_sha256
        Of the network.
    card_sha256
        Of the card: normalisation, threshold, calibration, limits.
    scopewatch
        Version of the program: normalising and judging are its code.
    runtime
        What the network runs under, and its version: others round otherwise.
    reading
        How names and metadata are read, and which channel is scored.
    """

    model_id: str
    model_sha256: str
    card_sha256: str
    scopewatch: str
    runtime: str
    reading: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the version: the model, and a digest of all else."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.model_id}-{sha256(text.encode()).hexdigest()[:8]}"


def version_of(bundle: Bundle, source: FolderSourceConfig, run: RunConfig) -> Version:
    """Return the version that a bundle and the settings of a call make.

    Raises
    ------
    ModelError
        When no runtime is installed.
    """
    runtime, _ = open_runtime(None)
    card = bundle.card.model_dump_json()
    return Version(
        model_id=bundle.card.model_id,
        model_sha256=bundle.card.model_sha256,
        card_sha256=sha256(card.encode()).hexdigest(),
        scopewatch=__version__,
        runtime=f"{runtime} {runtime_version(runtime)}",
        reading={
            "source": source.model_dump(mode="json", exclude={"path"}),
            "channel": run.phase_channel,
            "interval_h": run.interval_h,
        },
    )


def open_version(archive: Path, version: Version) -> Path:
    """Return the folder of a version; its manifest is written where it is new.

    Raises
    ------
    StoreError
        When the disk refuses, or the folder holds another version's manifest.
    """
    folder = archive / version.name
    manifest = folder / MANIFEST
    text = json.dumps(asdict(version), indent=2, sort_keys=True) + "\n"
    if not manifest.exists():
        write_whole(manifest, text.encode())
    elif manifest.read_text(encoding="utf-8") != text:
        raise StoreError(
            complaint(
                "version of the archive was edited",
                where=manifest,
                expected=f"the manifest of {version.name}",
                do="move this folder away, and rescore into a new one",
            )
        )
    return folder


def read_otherwise(archive: Path, version: Version) -> list[str]:
    """Return the versions of the same model and scopewatch that differ in the reading alone."""
    found = []
    for manifest in sorted(archive.glob(f"{version.model_id}-*/{MANIFEST}")):
        kept = json.loads(manifest.read_text(encoding="utf-8"))
        if kept != asdict(version) and kept | {"reading": version.reading} == asdict(version):
            found.append(manifest.parent.name)
    return found


def find_version(archive: Path, name: str) -> Path:
    """Return the folder of a version by its name, or by the beginning of it.

    Raises
    ------
    ConfigError
        When there is none, or several begin so.
    """
    known = sorted(path.parent.name for path in archive.glob(f"*/{MANIFEST}"))
    found = [each for each in known if each.startswith(name)]
    if len(found) != 1:
        raise ConfigError(
            complaint(
                "archive has no such version" if not found else "several versions begin so",
                where=f"--against {name}",
                expected=f"one of {', '.join(found or known) or 'none yet'}",
                do="name one of them, an export (.csv), or lines of score (.jsonl)",
            )
        )
    return archive / found[0]
