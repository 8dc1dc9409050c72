"""Whether an acquisition fits into its interval and onto its disk; its figures in words."""

from scopewatch.config import MicroManagerSourceConfig
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.sources.micromanager.acts.slack import judged_planes, longest_act_s
from scopewatch.sources.micromanager.plans.projection import Projection


def too_long(projection: Projection, where: object) -> ConfigError | None:
    """Return why the time points do not fit into their interval; None where they do."""
    if projection.time_points == 1 or projection.time_point_s < projection.interval_s:
        return None
    return ConfigError(
        complaint(
            "a time point takes longer than the interval, so that every other one is missed",
            where=where,
            expected=f"less than {projection.interval_s:g} s",
            got=f"{projection.time_point_s:.0f} s ({projection.images} images: travel"
            f" {projection.travel_s:.0f} s, focus {projection.focus_s:.0f} s, exposures"
            f" {projection.exposure_s:.0f} s, presets, readout and disk"
            f" {projection.other_s:.0f} s)",
            do="set a longer interval_s or fewer positions; the speeds are those of `projection`",
        )
    )


def too_large(
    projection: Projection, over: int, free_bytes: int, where: object
) -> ConfigError | None:
    """Return why the images do not fit onto their disk; None where they do.

    Parameters
    ----------
    over
        How many time points are over.
    """
    needed = projection.disk_from(over)
    if needed <= free_bytes:
        return None
    return ConfigError(
        complaint(
            "the images of the run do not fit onto the disk",
            where=where,
            expected=f"{in_bytes(needed)} for {projection.time_points - over} time points,"
            f" images of {projection.frame.width_px} x {projection.frame.height_px} px"
            f" ({projection.frame.origin})",
            got=f"{in_bytes(free_bytes)} free",
            do="free space there, or set another path",
        )
    )


def acts_that_fit(config: MicroManagerSourceConfig, projection: Projection) -> int:
    """Return how many images beyond the plan fit between two time points, each at its longest."""
    longest_s = longest_act_s(config)
    left_s = projection.interval_s - projection.time_point_s
    return max(0, int(left_s // longest_s)) if longest_s else 0


def no_time_for_acts(
    config: MicroManagerSourceConfig, projection: Projection, where: object
) -> ConfigError | None:
    """Return why no image beyond the plan could be taken; None where one could, or none may."""
    if not config.acts.takes_images or acts_that_fit(config, projection):
        return None
    left_s = projection.interval_s - projection.time_point_s
    return ConfigError(
        complaint(
            "acts are switched on, and no time is left for an image beyond the plan",
            where=where,
            expected=f"{longest_act_s(config):.0f} s between the end of a time point and the next",
            got=f"{max(left_s, 0.0):.0f} s",
            do="set a longer interval_s, or leave `acts` out",
        )
    )


def acts_in_words(config: MicroManagerSourceConfig, projection: Projection, left: int) -> str:
    """Return what images beyond the plan take at most; '' where none are switched on.

    Parameters
    ----------
    left
        Time points that are still to come.
    """
    if not config.acts.takes_images:
        return ""
    acts, fit = config.acts, acts_that_fit(config, projection)
    most = acts.most_per_time_point if acts.reimage_unfit or acts.fluorescence_of_flagged else 0
    sites = 0
    if acts.more_sites is not None:
        sites = acts.more_sites.most_wells * len(acts.more_sites.offsets_um)
    planes = judged_planes(config) if sites else 1
    extra = in_bytes(planes * min(most + sites, fit) * left * projection.frame.image_bytes)
    light = []
    if acts.reimage_unfit:
        unfocused = " (not those out of focus: `focus` is none)"
        light.append("each image of a site once more" + (unfocused * (not config.focus.searches)))
    if acts.fluorescence_of_flagged is not None:
        flagged = acts.fluorescence_of_flagged
        light.append(f"{flagged.preset} {flagged.exposure_ms:g} ms per flag")
    if sites:
        light.append("further sites as the planned ones")
    return (
        f"images beyond the plan: at most {most + sites} at a time point ({fit} fit, each up to"
        f" {in_time(longest_act_s(config))}), {extra} more disk, light at most {', '.join(light)}"
    )


def in_bytes(count: int) -> str:
    """Spell a number of bytes.

    >>> in_bytes(1_610_612_736), in_bytes(900)
    ('1.6 GB', '900 B')
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


def in_time(seconds: float) -> str:
    """Spell a duration.

    >>> in_time(42.4), in_time(605), in_time(7_500), in_time(820_800)
    ('42 s', '10 min 5 s', '2 h 5 min', '9 d 12 h')
    """
    whole = round(seconds)
    for (unit, size), (less, part) in (
        (("d", 86_400), ("h", 3600)),
        (("h", 3600), ("min", 60)),
        (("min", 60), ("s", 1)),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {less}" if rest else "")
    return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
