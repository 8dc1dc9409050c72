"""The files that a core of our own is started with: device adapters and hardware configuration.

The configuration is the text file that Micro-Manager's wizard saves: one command a line, its fields
parted by commas (MMCore, `CMMCore::loadSystemConfiguration`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint

INSTALL = "install it: pip install 'scopewatch[micromanager]'"
_DEMO = "MMConfig_demo.cfg"
_MOST_BYTES = 16 * 1024 * 1024
# `ConfigGroup,Group,Preset,Device,Property,Value`, `Device,Label,Library,Name`.
_PRESET_FIELDS = 4
_DEVICE_FIELDS = 4
_LIBRARIES = ("libmmgr_dal_", "mmgr_dal_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a hardware configuration defines.

    Parameters
    ----------
    presets
        By group, in the order of the file.
    libraries
        Device labels by the library that drives them.
    """

    presets: Mapping[str, tuple[str, ...]]
    libraries: Mapping[str, str]


def adapters_folder(config: MicroManagerSourceConfig) -> Path:
    """Return the folder of the device adapters.

    Raises
    ------
    SourceError
        When it is not there, or pycro-manager is not.
    """
    folder = config.mm_app_path or _installed()
    if folder is None or not folder.is_dir():
        raise SourceError(
            complaint(
                "Micro-Manager's device adapters are not there",
                where=folder or "mm_app_path is not set",
                do="set mm_app_path to the Micro-Manager folder",
            )
        )
    return folder


def hardware_file(config: MicroManagerSourceConfig, adapters: Path) -> Path:
    """Return the hardware configuration. Raises SourceError when it is not there."""
    path = config.mm_config or adapters / _DEMO
    if not path.is_file():
        raise SourceError(
            complaint(
                "hardware configuration is not there",
                where=path,
                do="set mm_config to the file saved by Micro-Manager's configuration wizard",
            )
        )
    return path


def read_hardware(path: Path) -> Hardware:
    """Read a hardware configuration. Raises SourceError when it cannot be read."""
    presets: dict[str, dict[str, None]] = {}
    libraries: dict[str, str] = {}
    for fields in commands(path):
        if fields[0] == "ConfigGroup" and len(fields) > 1:
            group = presets.setdefault(fields[1], {})
            if len(fields) >= _PRESET_FIELDS:
                group[fields[2]] = None
        elif fields[0] == "Device" and len(fields) >= _DEVICE_FIELDS:
            libraries[fields[1]] = fields[2]
    return Hardware(
        presets=MappingProxyType({group: tuple(names) for group, names in presets.items()}),
        libraries=MappingProxyType(libraries),
    )


def commands(path: Path) -> Iterator[list[str]]:
    """Yield the fields of each command of a hardware configuration. Raises SourceError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    except OSError as error:
        raise SourceError(
            complaint(
                "hardware configuration cannot be read",
                where=path,
                got=error.strerror,
                do="give the daemon's user the right to read it",
            )
        ) from error
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield stripped.split(",")


def missing_libraries(hardware: Hardware, adapters: Path) -> dict[str, str]:
    """Return the devices whose library is not among the adapters, with its name."""
    try:
        files = {entry.name.partition(".")[0] for entry in adapters.iterdir()}
    except OSError:
        return {}  # whoever loads the core says so
    return {
        device: library
        for device, library in hardware.libraries.items()
        if library and not any(f"{prefix}{library}" in files for prefix in _LIBRARIES)
    }


def not_installed(missing: ImportError) -> SourceError:
    """Return the refusal where pycro-manager, or what comes with it, cannot be imported."""
    return SourceError(complaint("pycro-manager is not installed", where=missing.name, do=INSTALL))


def _installed() -> Path | None:
    try:
        from mmpycorex import find_existing_mm_install  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise not_installed(error) from error
    try:
        return Path(find_existing_mm_install())
    except (FileNotFoundError, ValueError):
        return None  # none at the usual place; Linux has no usual place
