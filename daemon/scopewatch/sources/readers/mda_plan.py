"""Plans of useq-schema in metadata of pymmcore-plus: what planes of an image must tell apart.

Where not all channels of a plan are taken at each time point and plane (`acquire_every`,
`do_stack`), or positions are its outermost loop, pymmcore-plus 0.18 writes all images one after
the other along the time axis of one image without names. Which is which is lost.
"""

from typing import Any


def mixed_planes(summary: object) -> str | None:
    """Return what the planes of one image without channels are of; None where it is one thing.

    Parameters
    ----------
    summary
        Metadata of the acquisition, as pymmcore-plus writes them.
    """
    plan = _mapping(_mapping(summary).get("mda_sequence"))
    positions, channels = _positions(plan.get("stage_positions")), _length(plan.get("channels"))
    if not channels:
        # A plan without channels has none in its image either.
        return None
    if positions < 2 and channels < 2 and not plan.get("z_plan") and not plan.get("grid_plan"):
        return None
    return (
        f"planes of {_count(positions, 'position')} and {_count(channels, 'channel')} in one series"
    )


def _positions(value: object) -> int:
    if not isinstance(value, dict):
        return max(1, _length(value))
    # A plate: rows and columns of its wells; without a list of them all are visited.
    wells = value.get("selected_wells")
    return _length(wells[0]) if isinstance(wells, list) and wells else 2


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
