"""Checks whether a microscope could take the configured time-lapse: from files, or from its core.

By files alone nothing of the hardware is touched. With `connect` the core is loaded, its devices as
Micro-Manager loads them but without the preset `System/Startup`, and nothing is moved.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from scopewatch.app.checking.finding import Finding
from scopewatch.config import Config, MicroManagerSourceConfig
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.errors import ConfigError, FrameError, SourceError, complaint
from scopewatch.messages.summary import name_some
from scopewatch.runtime.process.lock import is_held
from scopewatch.sources.base.reading import reading_settings
from scopewatch.sources.micromanager.devices.bridge import probe_bridge
from scopewatch.sources.micromanager.devices.cores import require_pycromanager
from scopewatch.sources.micromanager.examining import Examined, examine, examine_running
from scopewatch.sources.micromanager.images import PlannedFrames, events_of, planned_key
from scopewatch.sources.micromanager.plans.limits import too_long
from scopewatch.sources.micromanager.plans.projection import project
from scopewatch.sources.micromanager.plans.settled import settle_plan
from scopewatch.sources.micromanager.setup_files import (
    Hardware,
    adapters_folder,
    hardware_file,
    missing_libraries,
    read_hardware,
)
from scopewatch.sources.micromanager.stacks.planes import z_stack_of

# Intervals that differ by less are the same: 12 h may be written with a few seconds more.
_SAME = 0.01
_HOUR_S = 3600.0


def check_microscopes(config: Config, *, connect: bool) -> Iterator[Finding]:
    """Look at each source that acquires; a finding for each thing that is wrong with it."""
    for source in config.acquiring:
        subject = f"source {source.name}"
        try:
            source = settle_plan(source, config.experiment)  # noqa: PLW2901
        except ConfigError:
            continue  # the check of the source itself reports it
        problems = list(_problems(source, config))
        for problem in problems:
            yield Finding(subject=subject, text=problem, failed=True)
        if not problems:
            yield Finding(subject=subject, text=_sum_up(source))
        for note in _notes(source, config):
            yield Finding(subject=subject, text=note, advice=True)
        if connect:
            yield from _connect(source, config)


def _sum_up(source: MicroManagerSourceConfig) -> str:
    stack = z_stack_of(source)
    images = sum(len(stack.planes(channel)) for _, _, channel in events_of(source, 0))
    first, *later = source.timing
    times = f"{first.time_points} time points of {images} images, every {first.interval_s:g} s"
    for phase in later:
        times += f", then {phase.time_points} every {phase.interval_s:g} s"
    return f"{times}; what {source.backend} backend needs is there"


def _problems(source: MicroManagerSourceConfig, config: Config) -> Iterator[str]:
    yield from _judge_channels(source, config)
    yield from _judge_times(source, config)
    try:
        if source.backend == "java":
            probe_bridge(source.port)
            return
        require_pycromanager()
        adapters = adapters_folder(source)
        path = hardware_file(source, adapters)
        hardware = read_hardware(path)
    except SourceError as error:
        yield str(error)
        return
    yield from _judge_hardware(hardware, path, adapters)
    yield from _judge_presets(source, hardware.presets, path)


def _judge_channels(source: MicroManagerSourceConfig, config: Config) -> Iterator[str]:
    phase, taken = config.experiment.phase_channel, _channels(source, config)
    if taken and phase not in taken:
        yield complaint(
            "no channel that is acquired is the phase_channel, so that no frame would be scored",
            where=f"channels of the source {source.name!r}",
            expected=repr(phase),
            got=", ".join(repr(each) for each in taken),
            do="set experiment.phase_channel to the preset, or channel_names of the source",
        )


def _notes(source: MicroManagerSourceConfig, config: Config) -> Iterator[str]:
    marker, taken = config.experiment.fluorescence_channel, _channels(source, config)
    if marker is not None and marker not in taken:
        yield (
            f"fluorescence_channel {marker!r} is none of the channels that are acquired"
            f" ({', '.join(repr(each) for each in taken)}): no well is measured by it"
        )
    yield from _note_sites(source, config)
    weak = any(rule.kind is RuleKind.WEAK_FORECAST for rule in config.alert_rules())
    if source.acts.more_sites is not None and not weak:
        yield (
            "acts.more_sites is on, and no alert rule is of kind weak-forecast, which has the"
            " target: no well gets further sites unless somebody asks for them"
        )
    places: dict[tuple[float, float, float | None], str] = {}
    for position in source.positions:
        place = (position.x_um, position.y_um, position.z_um)
        first = places.setdefault(place, position.label)
        if first != position.label:
            yield f"positions {first!r} and {position.label!r} are one place of the stage"


def _note_sites(source: MicroManagerSourceConfig, config: Config) -> Iterator[str]:
    """Note wells of more sites than a time point is judged by, or of fewer than it waits for."""
    settings = reading_settings(source, config.experiment)
    sites: dict[tuple[str, str], set[int]] = {}
    for place in events_of(source, 0):
        try:
            key = planned_key(place, settings)
        except FrameError:
            continue  # the check of the source itself reports it
        sites.setdefault((key.plate, key.well), set()).add(key.site)
    expected = config.experiment.sites_per_well
    other = {well: len(each) for (_, well), each in sites.items() if len(each) != expected}
    if other:
        named = name_some(tuple(f"{count} of {well}" for well, count in other.items()))
        yield (
            f"experiment.sites_per_well is {expected}, and other numbers of sites are acquired"
            f" ({named}): a time point is judged once {expected} of a well are in"
        )


def _channels(source: MicroManagerSourceConfig, config: Config) -> list[str]:
    """Return the channels that are acquired, as frames will be named."""
    settings = reading_settings(source, config.experiment)
    taken: dict[str, None] = {}
    for place in events_of(source, 0):
        try:
            taken[planned_key(place, settings).channel] = None
        except FrameError:
            continue  # the check of the source itself reports it
    return list(taken)


def _judge_times(source: MicroManagerSourceConfig, config: Config) -> Iterator[str]:
    expected_s = config.experiment.interval_h * _HOUR_S
    longest_s = max(phase.interval_s for phase in source.timing)
    if abs(longest_s / expected_s - 1) > _SAME:
        yield complaint(
            "interval_s is not the interval_h of the experiment, by which silence is judged",
            where=f"interval_s of the source {source.name!r}",
            expected=f"{expected_s:g} s ({config.experiment.interval_h:g} h)",
            got=f"{longest_s:g} s ({longest_s / _HOUR_S:.3g} h)",
            do="correct the one or the other",
        )
    wells = PlannedFrames.of(source, reading_settings(source, config.experiment)).wells
    longer = too_long(project(source, wells), f"interval_s of the source {source.name!r}")
    if longer is not None:
        yield str(longer)


def _judge_hardware(hardware: Hardware, path: Path, adapters: Path) -> Iterator[str]:
    missing = missing_libraries(hardware, adapters)
    if missing:
        yield complaint(
            "device adapters that the hardware configuration names are not there",
            where=adapters,
            got=name_some(
                tuple(f"{library} (of {device!r})" for device, library in missing.items())
            ),
            do=f"correct mm_app_path, or the devices of {path}",
        )


def _judge_presets(
    source: MicroManagerSourceConfig, presets: Mapping[str, tuple[str, ...]], where: object
) -> Iterator[str]:
    flagged = source.acts.fluorescence_of_flagged
    for channel in (*source.channels, *(() if flagged is None else (flagged,))):
        known = presets.get(channel.group)
        if known is None:
            yield complaint(
                "group of a channel is not in the hardware configuration",
                where=where,
                expected=f"one of {name_some(tuple(repr(group) for group in presets)) or 'none'}",
                got=f"group {channel.group!r} of preset {channel.preset!r}",
                do=f"correct the channels of the source {source.name!r}, or mm_config",
            )
        elif channel.preset not in known:
            yield complaint(
                "preset of a channel is not in the hardware configuration",
                where=where,
                expected=f"one of {name_some(tuple(repr(preset) for preset in known)) or 'none'}",
                got=f"preset {channel.preset!r} of group {channel.group!r}",
                do=f"correct the channels of the source {source.name!r}, or mm_config",
            )


def _connect(source: MicroManagerSourceConfig, config: Config) -> Iterator[Finding]:
    """Load the core of a source, unless a daemon has it, or ask the one that runs."""
    subject = f"source {source.name}"
    running = source.backend == "java"
    # A running Micro-Manager answers several programs; a core of our own would be a second one.
    if not running and is_held(config.state.folder):
        text = "not connected: a daemon with this state folder runs, and has the microscope"
        yield Finding(subject=subject, text=text, advice=True)
        return
    try:
        found = examine_running(source) if running else examine(source)
    except SourceError as error:
        yield Finding(subject=subject, text=str(error), failed=True)
        return
    problems = list(_judge_core(source, found))
    for problem in problems:
        yield Finding(subject=subject, text=problem, failed=True)
    if not problems:
        text = "the core loads"
        if running:
            text = f"Micro-Manager runs ({found.version}; devices {name_some(found.devices)})"
        text += f": camera {found.camera}, stage {found.xy_stage}"
        text += f", focus {found.focus or 'none'}; nothing was moved"
        yield Finding(subject=subject, text=text)


def _judge_core(source: MicroManagerSourceConfig, found: Examined) -> Iterator[str]:
    yield from _judge_presets(source, found.presets, "the core as it was loaded")
    needed = [
        ("camera", found.camera, "images need one"),
        ("xy stage", found.xy_stage, "positions need one"),
    ]
    if any(position.z_um is not None for position in source.positions):
        needed.append(("focus drive", found.focus, "z_um of the positions needs one"))
    elif source.z_stack is not None:
        needed.append(("focus drive", found.focus, "z_stack of the source needs one"))
    elif source.focus.searches:
        needed.append(("focus drive", found.focus, "the focus of the source needs one"))
    if source.focus.searches:
        needed.append(("autofocus device", found.autofocus, "the focus of the source needs one"))
    for device, name, why in needed:
        if not name:
            yield complaint(
                f"the core has no {device}",
                where="the core as it was loaded",
                expected=why,
                do="add it in Micro-Manager's configuration wizard, as default of the core",
            )
