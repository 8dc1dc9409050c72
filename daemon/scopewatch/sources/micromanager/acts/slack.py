"""How long an image beyond the plan takes at worst, and how many fit before the next time point."""

from typing import Final

from scopewatch.config import MicroManagerSourceConfig

# The figures of `projection` are estimates: an act begins only where twice its time is left.
MARGIN: Final = 2.0


def act_s(
    config: MicroManagerSourceConfig, exposure_ms: float, *, refocus: bool, planes: int = 1
) -> float:
    """Return how long one image, or z-stack, takes at worst, in seconds, with `MARGIN`.

    The stage may come from the other end of the plate, and has to go back there afterwards.
    """
    settings = config.projection
    away_um = max(
        (
            max(positions) - min(positions)
            for positions in (
                [each.x_um for each in config.positions],
                [each.y_um for each in config.positions],
            )
        ),
        default=0.0,
    )
    travel_s = 2 * (away_um / settings.stage_um_per_s + settings.settle_s)
    focus = config.focus
    focus_s = 0.0
    if (refocus and focus.searches) or focus.method == "lock":
        focus_s = max(settings.focus_s, focus.wait_s if focus.method == "lock" else 0.0)
    return MARGIN * (travel_s + focus_s + planes * (exposure_ms / 1000 + settings.image_s))


def judged_planes(config: MicroManagerSourceConfig) -> int:
    """Return how many images one of the phase channel is: its planes."""
    return 1 if config.z_stack is None else len(config.z_stack.planes_um)


def longest_exposure_ms(config: MicroManagerSourceConfig) -> float:
    """Return the longest exposure of an image that is planned; 0 where presets give none."""
    exposures_ms = [each.exposure_ms for each in config.channels]
    exposures_ms += [own for each in config.positions for own in each.exposures_ms.values()]
    return max(exposures_ms, default=0.0)


def longest_act_s(config: MicroManagerSourceConfig) -> float:
    """Return how long the longest act takes that is switched on; 0 where none takes an image."""
    acts = config.acts
    longest = 0.0
    if acts.reimage_unfit or acts.more_sites is not None:
        longest = act_s(
            config,
            longest_exposure_ms(config),
            refocus=acts.reimage_unfit,
            planes=judged_planes(config),
        )
    if acts.fluorescence_of_flagged is not None:
        exposure_ms = acts.fluorescence_of_flagged.exposure_ms
        longest = max(longest, act_s(config, exposure_ms, refocus=False))
    return longest
