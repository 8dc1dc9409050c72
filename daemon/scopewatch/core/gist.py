"""An alert in one line, for tables and the terminal; what is sent is written by `core.message`."""

from collections.abc import Callable
from typing import Final

from scopewatch.core.alert import Evidence, RuleKind

# More names than these do not fit into a line.
_MOST_NAMES: Final = 12


def gist(kind: RuleKind, evidence: Evidence) -> str:
    """Say what an alert was raised on: figures, no advice.

    >>> gist(RuleKind.BLIND, Evidence(measures={"silent_h": 25.0, "interval_h": 12.0}))
    'no frame for 25.0 h'
    """
    return _GISTS[kind](evidence)


def name_some(names: tuple[str, ...]) -> str:
    """Write names in a row, and how many more there are.

    >>> name_some(("A1", "A2"))
    'A1, A2'
    """
    shown = ", ".join(names[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{shown} and {left} more" if left > 0 else shown


def _weak_forecast(evidence: Evidence) -> str:
    told = evidence.forecast
    if told is None or evidence.probability is None or evidence.final_day is None:
        return evidence.cannot_forecast or "no forecast"
    return (
        f"{told.value:.0%} ({told.low:.0%} to {told.high:.0%}) expected on day"
        f" {evidence.final_day:g}, below {evidence.target or 0:.0%} with probability"
        f" {evidence.probability:.0%}"
    )


def _weak_now(evidence: Evidence) -> str:
    target = "" if evidence.target is None else f", target {evidence.target:.0%}"
    if evidence.points:
        return f"reads {evidence.points[-1].efficiency:.0%}{target}"
    return f"reads {evidence.now.value:.0%}{target}" if evidence.now else f"reads nothing{target}"


def _plate_collapse(evidence: Evidence) -> str:
    return f"{len(evidence.wells)} of {evidence.out_of} wells fail: {name_some(evidence.wells)}"


def _outlier_well(evidence: Evidence) -> str:
    now = f"{evidence.now.value:.0%}" if evidence.now else "?"
    return f"reads {now}, its replicates {evidence.measures.get('median', float('nan')):.0%}"


def _sudden_change(evidence: Evidence) -> str:
    cause = evidence.cause.value if evidence.cause else "change gone back"
    jumps = {
        name.removesuffix("_before"): (value, evidence.measures.get(f"{base}_after"))
        for name, value in evidence.measures.items()
        if name.endswith("_before") and (base := name.removesuffix("_before"))
    }
    told = ", ".join(
        f"{name} {before:.2g} to {after:.2g}"
        for name, (before, after) in jumps.items()
        if after is not None
    )
    return f"{cause}: {told}" if told else cause


def _unfit_frames(evidence: Evidence) -> str:
    in_a_row = evidence.measures.get("in_a_row", 0)
    if not in_a_row:
        return "its frames can be judged"
    return f"no frame could be judged for {in_a_row:.0f} time points ({evidence.detail})"


def _measured(text: str, name: str) -> Callable[[Evidence], str]:
    def say(evidence: Evidence) -> str:
        return text.format(evidence.measures.get(name, float("nan")))

    return say


def _detail(evidence: Evidence) -> str:
    return evidence.detail or "in order"


def _source_dead(evidence: Evidence) -> str:
    if not evidence.detail:
        return "all sources watch"
    dead_min = 60 * evidence.measures.get("dead_h", float("nan"))
    return f"nothing for {dead_min:.0f} min from {evidence.detail}"


def _ended_early(evidence: Evidence) -> str:
    last = evidence.measures.get("last_day", float("nan"))
    return f"last frame on day {last:.1f} of {evidence.final_day or 0:g}"


_GISTS: Final[dict[RuleKind, Callable[[Evidence], str]]] = {
    RuleKind.WEAK_FORECAST: _weak_forecast,
    RuleKind.WEAK_NOW: _weak_now,
    RuleKind.PLATE_COLLAPSE: _plate_collapse,
    RuleKind.OUTLIER_WELL: _outlier_well,
    RuleKind.SUDDEN_CHANGE: _sudden_change,
    RuleKind.UNFIT_FRAMES: _unfit_frames,
    RuleKind.BLIND: _measured("no frame for {:.1f} h", "silent_h"),
    RuleKind.SOURCE_DEAD: _source_dead,
    RuleKind.ENDED_EARLY: _ended_early,
    RuleKind.DISK_LOW: _measured("{:.1f} GB free", "free_gb"),
    RuleKind.RESTARTED: _measured("was away for {:.1f} h", "down_h"),
    RuleKind.MODEL_REFUSED: _detail,
    RuleKind.RELOAD_REFUSED: _detail,
}
