"""`config.yaml`: strict models that become core types, and reading them from a file."""

from scopewatch.config.file import load_config
from scopewatch.config.models import (
    AlertsConfig,
    ChannelConfig,
    ChannelUrl,
    Config,
    ExperimentConfig,
    FolderSourceConfig,
    MicroManagerSourceConfig,
    ModelConfig,
    NDTiffSourceConfig,
    OverlayConfig,
    PositionConfig,
    RuleConfig,
    RuntimeConfig,
    SourceConfig,
    StateConfig,
    WebConfig,
)

__all__ = [
    "AlertsConfig",
    "ChannelConfig",
    "ChannelUrl",
    "Config",
    "ExperimentConfig",
    "FolderSourceConfig",
    "MicroManagerSourceConfig",
    "ModelConfig",
    "NDTiffSourceConfig",
    "OverlayConfig",
    "PositionConfig",
    "RuleConfig",
    "RuntimeConfig",
    "SourceConfig",
    "StateConfig",
    "WebConfig",
    "load_config",
]
