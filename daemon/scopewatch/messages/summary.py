"""An alert in one line, for tables and the terminal; `alert_message` writes what is sent."""

from collections.abc import Callable
from typing import Final

from scopewatch.core.alerts.observation import Evidence
from scopewatch.core.alerts.rules import RuleKind
from scopewatch.core.estimation.forecast import Silence
from scopewatch.core.faults import Fault
from scopewatch.core.phrases import Language, mark
from scopewatch.messages.alert_texts import CAUSES, SILENCES
from scopewatch.messages.translator import translator

# More names than these do not fit into a line.
_MOST_NAMES: Final = 12


def summarise(kind: RuleKind, evidence: Evidence, language: Language = Language.ENGLISH) -> str:
    """Return what an alert was raised on: figures, no advice.

    >>> summarise(RuleKind.NO_FRAMES, Evidence(measures={"silent_h": 25.0, "interval_h": 12.0}))
    'no frame for 25.0 h'
    """
    return _SUMMARIES[kind](evidence, language)


def name_some(names: tuple[str, ...], language: Language = Language.ENGLISH) -> str:
    """Write names in a row, and how many more there are.

    >>> name_some(("A1", "A2"))
    'A1, A2'
    """
    shown = ", ".join(names[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    if left <= 0:
        return shown
    say = translator(language)
    return say("{names} and {count} more").format(names=shown, count=left)


def why_silent(reason: str, silence: Silence | None, language: Language) -> str:
    """Return why there is no forecast: in English with the figures of the forecast's own line."""
    if language is Language.ENGLISH or silence is None:
        return reason
    return translator(language)(SILENCES[silence])


def name_fault(detail: str, language: Language) -> str:
    """Return the detail of an observation: the label of the fault where it is the code of one."""
    fault = Fault.of(detail)
    return detail if fault is None else translator(language)(fault.label)


def _weak_forecast(evidence: Evidence, language: Language) -> str:
    say, forecast = translator(language), evidence.forecast
    if forecast is None or evidence.probability is None or evidence.final_day is None:
        reason = why_silent(evidence.cannot_forecast, evidence.silence, language)
        return reason or say("no forecast")
    return say(
        "{value} ({low} to {high}) expected on day {final_day}, below {target} with probability"
        " {probability}"
    ).format(
        value=f"{forecast.value:.0%}",
        low=f"{forecast.low:.0%}",
        high=f"{forecast.high:.0%}",
        final_day=f"{evidence.final_day:g}",
        target=f"{evidence.target or 0:.0%}",
        probability=f"{evidence.probability:.0%}",
    )


def _weak_now(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    newest = evidence.now.value if evidence.now else None
    if evidence.points:
        newest = evidence.points[-1].efficiency
    value = say("nothing") if newest is None else f"{newest:.0%}"
    if evidence.target is None:
        return say("reads {value}").format(value=value)
    return say("reads {value}, target {target}").format(
        value=value, target=f"{evidence.target:.0%}"
    )


def _plate_collapse(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    return say("{count} of {out_of} wells fail: {names}").format(
        count=len(evidence.wells),
        out_of=evidence.out_of,
        names=name_some(evidence.wells, language),
    )


def _outlier_well(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    return say("reads {now}, its replicates {median}").format(
        now=f"{evidence.now.value:.0%}" if evidence.now else "?",
        median=f"{evidence.measures.get('median', float('nan')):.0%}",
    )


def _sudden_change(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    if evidence.cause is None:
        cause = say("change gone back")
    elif language is Language.ENGLISH:
        cause = evidence.cause.value
    else:
        cause = say(CAUSES[evidence.cause])
    jumps = {
        name.removesuffix("_before"): (value, evidence.measures.get(f"{base}_after"))
        for name, value in evidence.measures.items()
        if name.endswith("_before") and (base := name.removesuffix("_before"))
    }
    jumped = ", ".join(
        say("{measure} {before} to {after}").format(
            measure=name, before=f"{before:.2g}", after=f"{after:.2g}"
        )
        for name, (before, after) in jumps.items()
        if after is not None
    )
    return f"{cause}: {jumped}" if jumped else cause


def _unfit_frames(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    in_a_row = evidence.measures.get("in_a_row", 0)
    if not in_a_row:
        return say("its frames can be judged")
    return say("no frame could be judged for {count} time points ({detail})").format(
        count=f"{in_a_row:.0f}", detail=name_fault(evidence.detail, language)
    )


def _measured(text: str, name: str) -> Callable[[Evidence, Language], str]:
    def summarise_measure(evidence: Evidence, language: Language) -> str:
        return translator(language)(text).format(
            value=f"{evidence.measures.get(name, float('nan')):.1f}"
        )

    return summarise_measure


def _detail(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    return evidence.detail or say("in order")


def _source_dead(evidence: Evidence, language: Language) -> str:
    say = translator(language)
    if not evidence.detail:
        return say("all sources watch")
    if "dead_h" not in evidence.measures:
        return evidence.detail
    dead_min = 60 * evidence.measures.get("dead_h", float("nan"))
    return say("nothing for {minutes} min from {detail}").format(
        minutes=f"{dead_min:.0f}", detail=evidence.detail
    )


def _ended_early(evidence: Evidence, language: Language) -> str:
    last = evidence.measures.get("last_day", float("nan"))
    say = translator(language)
    return say("last frame on day {day} of {final_day}").format(
        day=f"{last:.1f}", final_day=f"{evidence.final_day or 0:g}"
    )


_SUMMARIES: Final[dict[RuleKind, Callable[[Evidence, Language], str]]] = {
    RuleKind.WEAK_FORECAST: _weak_forecast,
    RuleKind.WEAK_NOW: _weak_now,
    RuleKind.PLATE_COLLAPSE: _plate_collapse,
    RuleKind.OUTLIER_WELL: _outlier_well,
    RuleKind.SUDDEN_CHANGE: _sudden_change,
    RuleKind.UNFIT_FRAMES: _unfit_frames,
    RuleKind.NO_FRAMES: _measured(mark("no frame for {value} h"), "silent_h"),
    RuleKind.SOURCE_DEAD: _source_dead,
    RuleKind.ENDED_EARLY: _ended_early,
    RuleKind.DISK_LOW: _measured(mark("{value} GB free"), "free_gb"),
    RuleKind.RESTARTED: _measured(mark("was away for {value} h"), "down_h"),
    RuleKind.MODEL_REFUSED: _detail,
    RuleKind.RELOAD_REFUSED: _detail,
}
