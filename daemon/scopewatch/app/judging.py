"""Identifies the configuration and model that the ledger's verdicts are made under.

Settings of how to watch, when or how fast decide no verdict. They are listed here, so that a new
setting counts until somebody lists it.
"""

import hashlib
import json
from typing import Any, Final

from scopewatch import __version__
from scopewatch.config import Config, SourceConfig
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.store.read.judging import Judging, SourceSettings

# Of sources: how they are watched, and what a time-lapse of our own takes.
WATCHING: Final = frozenset(
    {
        *("name", "recursive", "observer", "poll_s", "settle_s", "give_up_s"),
        *("mode", "backend", "mm_app_path", "mm_config", "port"),
        *("positions", "plan", "plate", "channels", "interval_s", "time_points", "phases"),
        *("focus", "medium", "projection"),
    }
)
# How a frame is read, but not whose it is.
SCALE: Final = frozenset({"path", "um_per_px"})
# Of the run: what names its frames. A new name of the run leaves frames with the run they
# came in.
NAMING: Final = ("started_at", "interval_h", "phase_channel", "fluorescence_channel")


def make_judging(config: Config, card: ModelCard) -> Judging:
    """Return what is judged under now."""
    return Judging(
        sources={source.name: _settings(config, source) for source in config.sources},
        model=_digest(card.model_dump(mode="json")),
    )


def _settings(config: Config, source: SourceConfig) -> SourceSettings:
    settings = source.model_dump(mode="json", exclude=set(WATCHING))
    scale = {name: settings.pop(name, None) for name in SCALE}
    run = config.experiment.model_dump(mode="json", include=set(NAMING))
    # A newer version may read what this one refuses, and names otherwise.
    names = _digest({"source": settings, "experiment": run, "version": __version__})
    limits = config.limits.model_dump(mode="json")
    return SourceSettings(names=names, reading=_digest({"names": names, "limits": limits, **scale}))


def _digest(settings: dict[str, Any]) -> str:
    """Return twelve digits that change where anything of it does."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]
