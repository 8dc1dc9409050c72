"""Opens the store and the pictures of a configuration, and gathers facts for the dashboard."""

from contextlib import ExitStack

from scopewatch import __version__
from scopewatch.app.judging import make_judging
from scopewatch.app.measuring import make_measuring
from scopewatch.app.messaging.composing import MessageComposer
from scopewatch.app.recording.store import Store
from scopewatch.app.run_policy import policy_of
from scopewatch.app.shared.places import mark_place, place_to_record
from scopewatch.config import Config
from scopewatch.core.alerts.routing import Route
from scopewatch.core.clock import Clock
from scopewatch.core.errors import StoreError
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.event_log import get_logger
from scopewatch.messages.message import Style
from scopewatch.monitoring.expectation import Standard
from scopewatch.runtime.process.lock import InstanceLock
from scopewatch.store.files.overlays import OverlayFolder
from scopewatch.store.files.whole_files import make_folder
from scopewatch.store.read.reader import Reader
from scopewatch.web.monitor_store import Facts

log = get_logger(__name__)


def open_store(config: Config, card: ModelCard, clock: Clock, held: ExitStack) -> Store:
    """Hold the state folder, and open the database in it or on a server; `held` closes both."""
    make_folder(config.state.folder)
    held.enter_context(InstanceLock(config.state.folder))
    place = place_to_record(config)
    store = Store.open(
        place,
        alone=True,
        policy=policy_of(config.experiment, card),
        composer=message_composer(config),
        clock=clock,
        max_attempts=config.runtime.max_attempts,
        rules=config.stepped_rules(),
        measuring=make_measuring(config, card),
        judging=make_judging(config, card),
        copies=config.picture_copies is not None,
    )
    held.callback(store.close)
    mark_place(config, place)
    return store


def message_composer(config: Config) -> MessageComposer:
    """Return the composer of alert messages."""
    return MessageComposer(style=message_style(config), routes=channel_routes(config))


def message_style(config: Config) -> Style:
    """Return how messages are written."""
    here = f"http://{config.web.here}:{config.web.port}" if config.web.enabled else ""
    return Style(
        language=config.alerts.language,
        dashboard=config.alerts.dashboard_url or here,
        final_day=config.experiment.final_day,
        simulated=config.experiment.simulated,
    )


def channel_routes(config: Config) -> dict[str, Route]:
    """Return what each channel carries."""
    return {channel.name: channel.route() for channel in config.alerts.channels}


def open_overlays(config: Config, card: ModelCard, reader: Reader) -> OverlayFolder:
    """Open the folder of pictures, without what a crash left there: half written, or unnamed."""
    overlays = OverlayFolder(
        config.pictures,
        options=config.overlays,
        policy=policy_of(config.experiment),
        threshold=card.threshold,
        marker=card.labels.marker,
        named=reader.named_with,
    )
    overlays.sweep()
    _discard_unnamed(overlays, reader)
    return overlays


def _discard_unnamed(overlays: OverlayFolder, reader: Reader) -> None:
    """Remove pictures that an earlier run of the daemon drew and never committed.

    Of frames that the ledger knows, and of no others: a database that was restored or begun again
    knows too little for anything else to be called superfluous.
    """
    left = 0
    for key in reader.without_result():
        try:
            left += overlays.discard(key)
        except StoreError as error:
            event = {"key": str(key), "why": str(error)}
            log.warning("picture without a result stays", **event)
    if left:
        log.info("pictures without a result removed", files=left)


def gather_facts(config: Config, card: ModelCard) -> Facts:
    """Gather what the dashboard shows of the configuration and the model."""
    return Facts(
        run=config.experiment.name,
        model_name=card.name,
        model_id=card.model_id,
        simulated=config.experiment.simulated,
        policy=policy_of(config.experiment),
        standard=Standard(
            rules=config.stepped_rules(),
            table=card.forecast,
            final_day=config.experiment.final_day,
        ),
        version=__version__,
        errors=card.errors,
        keep_days=config.overlays.keep_days,
        um_per_px=card.um_per_px,
        state=config.state.folder if config.experiment.fluorescence_channel else None,
        sources=tuple(source.name for source in config.sources),
        acquires=tuple(source.name for source in config.acquiring),
    )
