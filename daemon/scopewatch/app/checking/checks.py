"""Checks before the daemon runs: each finding says ok, or what to do. Nothing is changed."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from scopewatch.app.checking.copies import check_copies, check_library
from scopewatch.app.checking.finding import Finding
from scopewatch.app.checking.folders import check_folder, check_writable
from scopewatch.app.checking.rules import advise_on_rules, describe_rules
from scopewatch.app.checking.secrets import advise_on_secrets
from scopewatch.app.checking.settings import check_overlaps, check_port
from scopewatch.config import (
    Config,
    FolderSourceConfig,
    MicroManagerSourceConfig,
    ModelConfig,
    SourceConfig,
    load_config,
    read_sections,
)
from scopewatch.config.reference import is_reference
from scopewatch.config.secrets import resolve_here
from scopewatch.core.errors import ConfigError, ModelError, ScopewatchError
from scopewatch.core.imaging.analyse import Scorer
from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.runtime.clock import SystemClock
from scopewatch.sources.folder.walk import network_file_system


def list_problems(path: Path, environ: Mapping[str, str]) -> list[str]:
    """Check all that a start needs; one line for each thing that failed, none when all is well."""
    found = (finding.text for finding in Checks(path, environ).run() if finding.failed)
    return list(dict.fromkeys(found))


def run_checks(
    path: Path, environ: Mapping[str, str], *, connect: bool = False
) -> Iterator[Finding]:
    """Check a configuration, all it names, and how the files that are there are read.

    A finding at a time, as each is made.

    Parameters
    ----------
    connect
        Load the core of a microscope too, and look at its devices; nothing is moved.
    """
    from scopewatch.app.checking.files import check_all_files  # noqa: PLC0415 - loads the readers

    checks = Checks(path, environ)
    yield from checks.run()
    if checks.config is not None:
        yield from check_port(checks.config)
        yield from check_overlaps(checks.config)
        if checks.config.picture_copies is not None:
            # Not at a reload: a place that is away is to hold up nothing.
            config, _ = resolve_here(checks.config, environ)
            yield _tried("copies of pictures", lambda: check_copies(config))
        yield from _check_microscopes(checks.config, connect=connect)
        card = None if checks.scorer is None else checks.scorer.card
        yield from check_all_files(checks.config, card)


class Checks:
    """The checks of one configuration, which keep what they read and opened for who goes on.

    Attributes
    ----------
    config
        As it was read, its secrets still references; None where it cannot be read.
    scorer
        The model, ready to score; None where it was refused.
    """

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._environ = environ
        self.config: Config | None = None
        self.scorer: Scorer | None = None

    def run(self) -> Iterator[Finding]:
        """Check the configuration and all it names; a finding at a time, as each is made."""
        try:
            self.config = load_config(self._path)
        except ScopewatchError as error:
            for line in str(error).splitlines():
                yield Finding(subject="configuration", text=line, failed=True, lasting=True)
            yield from self._check_sections()
            return
        yield Finding(subject="configuration", text=str(self._path))
        for old in self.config.deprecations:
            yield Finding(subject="configuration", text=str(old), advice=True)
        config, missing = resolve_here(self.config, self._environ)
        for each in missing:
            yield Finding(
                subject="secrets",
                text=each.line,
                failed=not each.elsewhere,
                advice=each.elsewhere,
                lasting=not each.elsewhere,
            )
        for line in advise_on_secrets(self.config, self._path):
            yield Finding(subject="secrets", text=line, advice=True)
        yield _tried("model", lambda: self._check_model(config.model, config.state.folder))
        if self.scorer is not None:
            yield from _check_rules(config, self.scorer.card)
        for source in config.sources:
            yield from _check_source(source, config)
        yield _tried("state folder", lambda: check_writable("state.folder", config.state.folder))
        if config.logging.file is not None:
            log = config.logging.file.parent
            yield _tried("log file", lambda: check_writable("logging.file", log))
        if config.overlays.folder is not None:
            yield _tried("pictures", lambda: check_writable("overlays.folder", config.pictures))
        if config.picture_copies is not None:
            yield _tried("copies of pictures", partial(check_library, config.picture_copies))
        url = config.store.url
        # A secret that is missing here is reported above.
        if url is None or not is_reference(url.get_secret_value()):
            yield _tried("database", lambda: _check_database(config))
            yield from _check_run(config)
        yield _tried("alert channels", lambda: _check_channels(config))
        yield from _advise_on_delivery(self.config)

    def _check_sections(self) -> Iterator[Finding]:
        """Check what a configuration names that is wrong elsewhere: report all problems at once."""
        sections = read_sections(self._path)
        if sections.model is not None:
            settings, state = sections.model, sections.state
            kept = None if state is None else state.folder
            yield _tried("model", lambda: self._check_model(settings, kept))
        for source in sections.sources:
            yield _tried(f"source {source.name}", partial(check_folder, source))
        if sections.state is not None:
            folder = sections.state.folder
            yield _tried("state folder", lambda: check_writable("state.folder", folder))

    def _check_model(self, settings: ModelConfig, state: Path | None) -> str:
        from scopewatch.app.model import open_scorer  # noqa: PLC0415 - loads the runtime

        self.scorer = scorer = open_scorer(settings, state)
        card = scorer.card
        scale = f"{card.um_per_px:g} um/px" if card.um_per_px else "any um/px"
        mark = ", trained on SIMULATED frames" if card.simulated else ""
        model = f"{card.name} {card.model_id}, {card.tile_px} px tiles, {scale}{mark}"
        verdict = scorer.verdict
        under = f"under {scorer.runtime}" if verdict is None else f"under {verdict.describe()}"
        return f"{model}; it scores {under}"


def _advise_on_delivery(config: Config) -> Iterator[Finding]:
    alerts = config.alerts
    advice = []
    if alerts.rules and not alerts.channels:
        text = "there are rules but no channels: alerts show on the dashboard only"
        advice.append(("alert channels", text))
    if alerts.digest is not None and not any(channel.digest for channel in alerts.channels):
        advice.append(("digest", "no channel takes it; add one, or set digest: true for one"))
    if alerts.channels and alerts.heartbeat is None:
        text = "without alerts.heartbeat nobody hears that this machine is off"
        advice.append(("heartbeat", text))
    for subject, text in advice:
        yield Finding(subject=subject, text=text, advice=True)


def _tried(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject=subject, text=check())
    except ScopewatchError as error:
        lasting = isinstance(error, ConfigError | ModelError)
        return Finding(subject=subject, text=str(error), failed=True, lasting=lasting)


def _check_rules(config: Config, card: ModelCard) -> Iterator[Finding]:
    yield Finding(subject="alert rules", text=describe_rules(config, card))
    for line in advise_on_rules(config, card):
        yield Finding(subject="alert rules", text=line, advice=True)


def _check_source(source: SourceConfig, config: Config) -> Iterator[Finding]:
    subject = f"source {source.name}"
    yield _tried(subject, lambda: _check_constructs(source, config))
    yield _tried(subject, lambda: check_folder(source))
    native = isinstance(source, FolderSourceConfig) and source.observer == "native"
    kind = network_file_system(source.path)
    if kind is not None and native:
        yield Finding(
            subject=subject,
            text=f"{source.path} is on a network file system ({kind}), where events do not"
            " arrive; set observer: polling",
            advice=True,
        )


def _check_constructs(source: SourceConfig, config: Config) -> str:
    from scopewatch.app.sources import make_source  # noqa: PLC0415 - loads its libraries

    make_source(source, config.experiment, SystemClock(), config.limits)
    return f"kind {source.kind}"


def _check_microscopes(config: Config, *, connect: bool) -> Iterator[Finding]:
    if any(isinstance(source, MicroManagerSourceConfig) for source in config.sources):
        from scopewatch.app.checking.microscope import check_microscopes  # noqa: PLC0415
        from scopewatch.app.planning.acquisitions import check_projections  # noqa: PLC0415

        yield from check_microscopes(config, connect=connect)
        yield from check_projections(config)


def _check_database(config: Config) -> str:
    from scopewatch.app.shared.places import place_to_record  # noqa: PLC0415 - loads SQLAlchemy
    from scopewatch.store.read.reader import Reader  # noqa: PLC0415
    from scopewatch.store.schema.engine import has_results  # noqa: PLC0415

    place = place_to_record(config)
    if not has_results(place):
        return "none yet (made at the start)"
    reader = Reader.open(place)
    try:
        counts = reader.counts()
    finally:
        reader.close()
    return f"{counts.scored} frames scored, {counts.quarantined} quarantined"


def _check_run(config: Config) -> Iterator[Finding]:
    from scopewatch.app.checking.run_changes import check_run  # noqa: PLC0415 - loads SQLAlchemy

    yield from check_run(config, SystemClock().now())


def _check_channels(config: Config) -> str:
    from scopewatch.notify.apprise_channels import AppriseNotifier  # noqa: PLC0415 - loads Apprise

    channels = {channel.name: channel.url for channel in config.alerts.channels}
    AppriseNotifier(channels, config.state.folder)
    names = ", ".join(channels) or "none"
    return f"{names}" + ("; `scopewatch alert test` sends a message" if channels else "")
