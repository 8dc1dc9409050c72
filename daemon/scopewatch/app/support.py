"""Writes what a report of trouble needs into one zip without secrets; each part by itself.

A part that cannot be made is replaced by the reason: people want the bundle when things are broken.
"""

import json
import os
import platform
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

import yaml

from scopewatch import __version__
from scopewatch.app.shared.places import place_of
from scopewatch.app.status.asking import ask_daemon
from scopewatch.config import Config, load_config
from scopewatch.config.secrets import known_secrets, resolve_here
from scopewatch.core.errors import ScopewatchError
from scopewatch.core.redaction import redact_settings, redact_text
from scopewatch.runtime.process.log_file import files_of
from scopewatch.store.files.pictures import list_pictures
from scopewatch.store.files.whole_files import FILE_MODE, whole_file
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.place import Place

# Of the quarantine, the newest; and of the card, which may hold large tables.
MOST_REFUSED: Final = 5000
MOST_LINES: Final = 5000
UNIT: Final = "scopewatch"
MOST_CARD_BYTES: Final = 64 * 1024
# Of each file of the log, its newest lines.
MOST_LOG_BYTES: Final = 16_000_000
_JOURNAL_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of the bundle; `trouble` is empty where it could be made."""

    name: str
    text: str
    trouble: str = ""


def write_bundle(
    config_path: Path, out: Path, environ: Mapping[str, str], images: int = 0
) -> list[Part]:
    """Write the bundle; return its parts. Raises StoreError where `out` cannot be written."""
    config: Config | None = None
    trouble = ""
    try:
        config = load_config(config_path)
    except ScopewatchError as error:
        trouble = str(error)
    known: frozenset[str] = frozenset()
    if config is not None:
        # As far as they are to be had: here a missing one is no trouble.
        known = known_secrets(config) | known_secrets(resolve_here(config, environ)[0])
    parts = [_made("versions.json", _versions, known), _made("log.txt", _journal, known)]
    if config is None:
        # The text itself stays out: a mistake may put a secret where none is expected.
        text = redact_text(trouble, known)
        parts.append(Part(name="config.txt", text=text, trouble=text))
    else:
        parts += [_made(name, make, known) for name, make in _of_config(config, environ)]
    pictures = _newest_pictures(config, images) if config and images else []
    with whole_file(out) as begun:
        begun.touch(mode=0o600)
        with zipfile.ZipFile(begun, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as bundle:
            for part in parts:
                bundle.writestr(part.name, part.text)
            for number, picture in enumerate(pictures):
                # Retention may be faster.
                with suppress(FileNotFoundError):
                    bundle.write(picture, f"images/{number:04d}-{picture.name}")
        begun.chmod(FILE_MODE)
    return parts


def _of_config(
    config: Config, environ: Mapping[str, str]
) -> Iterator[tuple[str, Callable[[], str]]]:
    settings = redact_settings(config.model_dump(mode="json"))
    yield "config.yaml", lambda: yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    yield "health.json", lambda: _json(asdict(ask_daemon(config, environ)[0]))
    yield "ledger.json", lambda: _ledger(place_of(config, environ))
    yield "card.yaml", lambda: _card(config.model.bundle / "card.yaml")
    if config.logging.file is not None:
        # A file that is rotated meanwhile is named as missing; the others are there.
        for path in files_of(config.logging.file, config.logging.keep):
            yield f"logs/{path.name}", partial(_log, path)


def _made(name: str, make: Callable[[], str], known: Collection[str]) -> Part:
    try:
        return Part(name=name, text=redact_text(make(), known))
    except Exception as error:  # noqa: BLE001 - whatever is broken, the other parts are needed
        text = redact_text(f"not available: {type(error).__name__}: {error}", known)
        return Part(name=name, text=text, trouble=text)


def _versions() -> str:
    packages = {found.name: found.version for found in distributions() if found.name}
    return _json(
        {
            "scopewatch": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": dict(sorted(packages.items(), key=lambda entry: entry[0].lower())),
        }
    )


def _journal() -> str:
    """Return the newest lines that the service left in the system's journal."""
    answer = subprocess.run(
        ["journalctl", "--unit", UNIT, "--lines", str(MOST_LINES), "--no-pager"],  # noqa: S607
        capture_output=True,
        check=False,
        timeout=_JOURNAL_S,
        encoding="utf-8",
        errors="replace",
    )
    if answer.returncode != 0 or answer.stdout.strip() in {"", "-- No entries --"}:
        raise OSError(answer.stderr.strip() or f"the journal holds no line of {UNIT}")
    return answer.stdout


def _log(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_LOG_BYTES))
        content = file.read(MOST_LOG_BYTES).decode("utf-8", "replace")
    if size <= MOST_LOG_BYTES:
        return content
    # What is left of a line may be the end of a secret that is not known by its end.
    return f"# cut here: {size} bytes in all\n" + content.partition("\n")[2]


def _ledger(place: Place) -> str:
    with closing(Reader.open(place)) as reader:
        counts = reader.counts()
        refused = reader.quarantined(None, MOST_REFUSED)
    faults = Counter(row.fault for row in refused)
    return _json(
        {
            "counts": asdict(counts),
            "quarantine_newest": {"most": MOST_REFUSED, "faults": dict(faults.most_common())},
            "reasons": [
                {"fault": fault, "reason": reason, "count": count}
                for (fault, reason), count in Counter(
                    (row.fault, row.reason) for row in refused
                ).most_common(100)
            ],
        }
    )


def _card(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_CARD_BYTES)
    size = path.stat().st_size
    cut = f"\n# cut here: {size} bytes in all\n" if size > MOST_CARD_BYTES else ""
    return content.decode("utf-8", "replace") + cut


def _newest_pictures(config: Config, count: int) -> list[Path]:
    pictures = (each for each in list_pictures(config.pictures) if each.to_look_at)
    newest = sorted(pictures, key=lambda each: each.written_s, reverse=True)
    return [each.path for each in newest[:count]]


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
