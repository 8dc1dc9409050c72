"""A Micro-Manager core: our own (backend python) and the bridge to a running one (java)."""

from collections.abc import Callable
from typing import Any

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import SourceError, complaint
from scopewatch.event_log import get_logger
from scopewatch.sources.micromanager.devices.bridge import BoundedCore, expect_answers, probe_bridge
from scopewatch.sources.micromanager.devices.engine import Failed, listen, print_to_log, sum_up
from scopewatch.sources.micromanager.setup_files import (
    adapters_folder,
    hardware_file,
    not_installed,
)

log = get_logger(__name__)

# Memory the core sets aside for hardware sequences, of which there are none here; its default
# of 1 GB takes seconds to get.
_SEQUENCE_MB = 64


def start_core(config: MicroManagerSourceConfig, failed: Failed) -> None:
    """Start a core in this process, which loads the devices.

    Parameters
    ----------
    failed
        Called for each image that fails; see `engine.listen`.

    Raises
    ------
    SourceError
        When pycro-manager, the adapters, the configuration or the camera is missing.
    """
    try:
        from mmpycorex import Core  # noqa: PLC0415
        from pycromanager import start_headless  # noqa: PLC0415
    except ImportError as error:
        raise not_installed(error) from error
    adapters = adapters_folder(config)
    setup = hardware_file(config, adapters)
    print_to_log()
    try:
        start_headless(str(adapters), str(setup), python_backend=True, buffer_size_mb=_SEQUENCE_MB)
        listen(failed)
        camera = Core().get_camera_device()
    except Exception as error:  # device adapters raise what they like
        stop_core()
        raise blamed(config, sum_up(error)) from error
    if not camera:
        # An Acquisition without a camera would leave a thread that never ends.
        stop_core()
        raise blamed(config, "the configuration has no camera")


def join_core(config: MicroManagerSourceConfig, interrupted: Callable[[], bool]) -> None:
    """Connect to the core of the Micro-Manager that runs, over its bridge.

    Raises
    ------
    SourceError
        When pycro-manager is not installed, none answers, or it has no camera.
    """
    probe_bridge(config.port)
    expect_answers(config.port)
    print_to_log()
    try:
        camera = core_of(config, interrupted).get_camera_device()
    except SourceError:
        raise
    except Exception as error:  # pyjavaz raises bare Exception
        raise blamed(config, sum_up(error)) from error
    if not camera:
        raise blamed(config, "Micro-Manager has no camera")


def core_of(
    config: MicroManagerSourceConfig, interrupted: Callable[[], bool] = lambda: False
) -> Any:
    """Return the core that is started, or the running one over its bridge."""
    if config.backend == "java":
        return BoundedCore(config.port, interrupted)
    from mmpycorex import Core  # noqa: PLC0415

    return Core()


def blamed(config: MicroManagerSourceConfig, why: str) -> SourceError:
    """Return the error that blames the microscope."""
    return SourceError(
        complaint(
            "microscope failed",
            where=f"{config.backend} backend",
            got=why,
            do="check the devices, the presets and the disk; does Micro-Manager take an image?",
        )
    )


def require_pycromanager() -> None:
    """Raise SourceError where pycro-manager is not installed."""
    try:
        import pycromanager  # noqa: F401, PLC0415 - an optional extra
    except ImportError as error:
        raise not_installed(error) from error


def stop_core() -> None:
    """Let the core go so that it can be started again in this process."""
    from pycromanager import stop_headless  # noqa: PLC0415
    from pycromanager.acquisition.acq_eng_py.internal.engine import Engine  # noqa: PLC0415

    try:
        stop_headless()
    except Exception as error:  # noqa: BLE001
        # Device adapters raise what they like, and this core is given up anyway.
        log.error("devices did not unload", reason=sum_up(error))
    # pycro-manager 1.0.2 keeps an engine with a dead core and ended executors otherwise.
    if hasattr(Engine, "singleton"):
        del Engine.singleton
