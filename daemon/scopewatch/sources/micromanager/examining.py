"""What a core of our own finds when its devices are loaded, and nothing is moved.

The preset `System/Startup` of the hardware configuration, which Micro-Manager applies as it loads
it, may turn an objective or open a shutter: it is left out.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.sources.micromanager.devices.bridge import expect_answers, probe_bridge, within
from scopewatch.sources.micromanager.devices.cores import core_of
from scopewatch.sources.micromanager.devices.engine import sum_up
from scopewatch.sources.micromanager.devices.pycro_manager import PycroManagerMicroscope
from scopewatch.sources.micromanager.setup_files import adapters_folder, commands, hardware_file

_RUNNING_S = 20.0
_STARTUP = ["ConfigGroup", "System", "Startup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The devices that a core has; '' for one that it has not.

    Parameters
    ----------
    presets
        By group.
    version, devices
        Of a running Micro-Manager, and of the server of its bridge.
    """

    camera: str
    xy_stage: str
    focus: str
    autofocus: str
    presets: Mapping[str, tuple[str, ...]]
    version: str = ""
    devices: tuple[str, ...] = ()


def examine(config: MicroManagerSourceConfig) -> Examined:
    """Load the core, look at what it has, and let it go again; nothing is moved.

    Raises
    ------
    SourceError
        When it does not load, or has no camera.
    """
    setup = hardware_file(config, adapters_folder(config))
    with _quiet_setup(setup) as quiet:
        microscope = PycroManagerMicroscope(config.model_copy(update={"mm_config": quiet}), "check")
        microscope.open()
        try:
            return _look(core_of(config))
        finally:
            microscope.close()


def examine_running(config: MicroManagerSourceConfig) -> Examined:
    """Ask a running Micro-Manager over its bridge what it has; nothing is moved.

    Raises
    ------
    SourceError
        When it does not answer, or not in time.
    """
    bridge = probe_bridge(config.port)
    expect_answers(config.port)
    core = core_of(config)
    with within(_RUNNING_S, config.port):
        found = _look(core)
        version = f"{core.get_version_info()}, bridge {bridge}"
        return replace(found, version=version, devices=tuple(core.get_loaded_devices()))


@contextmanager
def _quiet_setup(setup: Path) -> Iterator[Path]:
    """Write the configuration without its preset of the start into a file that goes again."""
    text = _without_startup(setup)
    with ExitStack() as held:
        try:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="scopewatch-"))
            quiet = Path(folder) / "without-startup.cfg"
            quiet.write_text(text, encoding="utf-8")
        except OSError as error:
            raise SourceError(
                complaint(
                    "hardware configuration cannot be copied without its preset System/Startup",
                    where="the folder for temporary files",
                    got=error.strerror,
                    do="free space there, or set TMPDIR to another folder",
                )
            ) from error
        yield quiet


def _without_startup(setup: Path) -> str:
    kept = [fields for fields in commands(setup) if fields[:3] != _STARTUP]
    return "".join(f"{','.join(fields)}\n" for fields in kept)


def _look(core: Any) -> Examined:
    try:
        groups = core.get_available_config_groups()
        return Examined(
            camera=core.get_camera_device(),
            xy_stage=core.get_xy_stage_device(),
            focus=core.get_focus_device(),
            autofocus=core.get_auto_focus_device(),
            presets=MappingProxyType(
                {group: tuple(core.get_available_configs(group)) for group in groups}
            ),
        )
    except SourceError:
        raise
    except Exception as error:  # device adapters raise what they like
        raise SourceError(
            complaint(
                "core cannot be looked at",
                where="the core as it was loaded",
                got=sum_up(error),
                do="see the core's log, check the devices in Micro-Manager",
            )
        ) from error
