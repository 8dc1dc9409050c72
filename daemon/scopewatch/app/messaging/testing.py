"""`scopewatch alert test`: messages as they would come, sent or written to files."""

from dataclasses import dataclass
from pathlib import Path

from scopewatch.app.messaging.delivering import make_heartbeat, open_notifier
from scopewatch.app.results import message_style
from scopewatch.app.shared.places import place_of
from scopewatch.config import Config
from scopewatch.messages.message import Message
from scopewatch.notify.announcement import announce_test, write_test
from scopewatch.notify.written import write_message
from scopewatch.runtime.clock import SystemClock
from scopewatch.store.read.reader import Reader
from scopewatch.store.schema.engine import has_results
from scopewatch.store.schema.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Well:
    """The condition of a daemon that is well, for a heartbeat without a daemon."""

    ready: bool = True
    complaints: tuple[str, ...] = ()


def send_tests(config: Config) -> dict[str, str | None]:
    """Send test messages to every channel; for each None, or why it was not delivered."""
    channels = [channel.name for channel in config.alerts.channels]
    return announce_test(open_notifier(config), channels, _messages(config))


def write_tests(config: Config, folder: Path) -> list[Path]:
    """Write test messages into a folder; return the files. Raises DeliveryError."""
    written: list[Path] = []
    stems = ("alert", "digest")
    for stem, message in zip(stems, _messages(config), strict=False):
        written += write_message(message, folder, stem, overlay_folder=config.pictures)
    return written


def call_heartbeat(config: Config) -> bool | None:
    """Call the heartbeat once, as if all were well; None where there is none."""
    heartbeat = make_heartbeat(config, SystemClock(), _Well)
    return None if heartbeat is None else bool(heartbeat.beat())


def _messages(config: Config) -> list[Message]:
    return write_test(
        config.experiment.name,
        SystemClock().now(),
        style=message_style(config),
        overlay=_newest_overlay(place_of(config)),
        digest=config.alerts.digest is not None,
    )


def _newest_overlay(place: Place) -> str | None:
    """Return a picture to attach, where the daemon has drawn one."""
    if not has_results(place):
        return None
    reader = Reader.open(place)
    try:
        newest = reader.newest_frames(20)
    finally:
        reader.close()
    return next((frame.overlay for frame in newest if frame.overlay), None)
