"""`config.yaml`: strict models that become core types, and the functions that read it."""

from scopewatch.config.acts import ActsConfig, FlaggedFluorescenceConfig, MoreSitesConfig
from scopewatch.config.delivery import ChannelUrl, DigestConfig, HeartbeatConfig
from scopewatch.config.file import Sections, load_config, read_sections
from scopewatch.config.focus import FocusConfig, MediumConfig, ZStackConfig
from scopewatch.config.models import (
    AlertsConfig,
    Config,
    LimitsConfig,
    ModelConfig,
    RuntimeConfig,
    StateConfig,
)
from scopewatch.config.plates import PlateConfig, ProjectionConfig, SitesConfig
from scopewatch.config.rules import RuleConfig
from scopewatch.config.run import RunConfig
from scopewatch.config.sources import (
    ChannelConfig,
    FolderSourceConfig,
    MicroManagerSourceConfig,
    NDTiffSourceConfig,
    OmeZarrSourceConfig,
    PhaseConfig,
    PositionConfig,
    ReadingConfig,
    SourceConfig,
)
from scopewatch.config.store import OverlayConfig, StoreConfig
from scopewatch.config.web import WebConfig

__all__ = [
    "ActsConfig",
    "AlertsConfig",
    "ChannelConfig",
    "ChannelUrl",
    "Config",
    "DigestConfig",
    "FlaggedFluorescenceConfig",
    "FocusConfig",
    "FolderSourceConfig",
    "HeartbeatConfig",
    "LimitsConfig",
    "MediumConfig",
    "MicroManagerSourceConfig",
    "ModelConfig",
    "MoreSitesConfig",
    "NDTiffSourceConfig",
    "OmeZarrSourceConfig",
    "OverlayConfig",
    "PhaseConfig",
    "PlateConfig",
    "PositionConfig",
    "ProjectionConfig",
    "ReadingConfig",
    "RuleConfig",
    "RunConfig",
    "RuntimeConfig",
    "Sections",
    "SitesConfig",
    "SourceConfig",
    "StateConfig",
    "StoreConfig",
    "WebConfig",
    "ZStackConfig",
    "load_config",
    "read_sections",
]
