"""Which channels of a plan are taken as z-stacks, and what a plan with one cannot hold."""

from collections.abc import Iterator

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import ConfigError, FrameError, complaint
from scopewatch.sources.base.reading import ReadingSettings
from scopewatch.sources.micromanager.images import planned_key


def with_stacked_channels(
    config: MicroManagerSourceConfig, settings: ReadingSettings
) -> MicroManagerSourceConfig:
    """Return a source whose channels all say whether they are taken as z-stacks.

    Where nobody says so it is the phase channel alone.
    """
    if config.z_stack is None or all(each.in_z_stack is not None for each in config.channels):
        return config
    channels = tuple(
        each
        if each.in_z_stack is not None
        else each.model_copy(update={"in_z_stack": _is_judged(config, each.preset, settings)})
        for each in config.channels
    )
    return config.model_copy(update={"channels": channels})


def stack_problems(
    config: MicroManagerSourceConfig, settings: ReadingSettings
) -> Iterator[ConfigError]:
    """Name what a settled plan asks of z-stacks that would not be scored, or not be taken so."""
    yield from _without_stack(config)
    if config.z_stack is None:
        return
    where = f"z_stack of the source {config.name!r}"
    if isinstance(settings.z, int):
        yield ConfigError(
            complaint(
                "z names one plane, and the sharpest of the z-stack is scored",
                where=where,
                got=f"z: {settings.z}",
                do="leave z out of the source, or z_stack",
            )
        )
    stacked = [each.preset for each in config.channels if each.in_z_stack]
    judged = [each.preset for each in config.channels if _is_judged(config, each.preset, settings)]
    # Where no channel is the phase channel, which is refused elsewhere, one may be a stack.
    wrong = stacked != judged if judged else len(stacked) != 1
    if config.channels and wrong:
        yield ConfigError(
            complaint(
                "planes are taken of channels that are not scored, or not of the one that is",
                where=where,
                expected=f"a z-stack of the phase_channel alone ({judged[0]!r})"
                if judged
                else "a z-stack of one channel, the phase_channel",
                got=", ".join(map(repr, stacked)) or "none",
                do="correct in_z_stack of the channels, or do_stack of the plan",
            )
        )
    if config.acts.reimage_unfit:
        yield ConfigError(
            complaint(
                "acts.reimage_unfit takes single images again, and no z-stacks",
                where=where,
                do="leave one of them out; the sharpest plane is scored in any case",
            )
        )


def _without_stack(config: MicroManagerSourceConfig) -> Iterator[ConfigError]:
    if config.z_stack is not None:
        return
    stacked = [each.preset for each in config.channels if each.in_z_stack]
    asks = [f"in_z_stack of {each!r}" for each in stacked]
    asks += ["focus.method z-stack"] * (config.focus.method == "z-stack")
    if asks:
        yield ConfigError(
            complaint(
                "planes of a z-stack are asked for, and none is planned",
                where=f"source {config.name!r}",
                expected="z_stack, such as {range_um: 8, step_um: 2}",
                got=", ".join(asks),
                do="set z_stack, or leave it out",
            )
        )


def _is_judged(config: MicroManagerSourceConfig, preset: str, settings: ReadingSettings) -> bool:
    """Tell whether images of a preset are read as the phase channel."""
    if not config.positions:
        return False  # refused elsewhere
    try:
        key = planned_key((0, config.positions[0].label, preset), settings)
    except FrameError:
        return False  # the position is refused where frames are named
    return key.channel == settings.run.phase_channel
