"""An explanation as text for a terminal and as JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any

from scopewatch.app.explain.explanation import Case, Explanation
from scopewatch.app.oneshot.listing import natural
from scopewatch.core.public_names import public_name
from scopewatch.sources.base.facts import PlaneFacts

_NAMES = {"time_point": "time point", "um_per_px": "um/px"}
_PUBLIC = {each.name: public_name(each) for each in fields(PlaneFacts)}
_MOST_SHOWN = 6
_MOST_CASES = 20


def describe(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of an explanation: cases, what is skipped and why, what does not fit."""
    yield from _head(explanation)
    for case in explanation.cases[:_MOST_CASES]:
        yield ""
        yield from _case(case)
    hidden = explanation.cases[_MOST_CASES:]
    if hidden:
        frames = sum(case.frames for case in hidden)
        yield f"... and {len(hidden)} more cases with {frames} frames; --json lists all"
    if explanation.skipped:
        yield ""
    for skipped in explanation.skipped:
        yield f"{_count(skipped.files, 'file')} skipped, the first {skipped.example}"
        yield f"    {skipped.reason}"
    if explanation.doubles:
        first = explanation.doubles[0]
        yield ""
        yield f"{_count(explanation.doubled, 'frame')} with more than one file: {first.key} is"
        yield f"    {first.places[0]} and {first.places[1]}"
        yield f"    one of them is scored; {first.advice}"
    for count, contradiction in explanation.contradictions:
        yield ""
        yield f"contradiction in {_count(count, 'frame')}: {contradiction}"
    for warning in explanation.warnings:
        yield ""
        yield f"warning: {warning}"


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as plain values, for `--json`."""
    plain = asdict(explanation)
    for case in plain["cases"]:
        case["values"] = {
            _PUBLIC.get(name, name): in_order(values) for name, values in case["values"].items()
        }
        case["who"] = {_PUBLIC.get(name, name): who for name, who in case["who"].items()}
    plain["doubles"] = [
        {"key": str(each.key), "places": list(each.places)} for each in explanation.doubles
    ]
    plain["contradictions"] = [
        {"frames": count, "first": str(each)} for count, each in explanation.contradictions
    ]
    return plain | {"frames": explanation.frames, "scored": explanation.scored}


def in_order(values: Iterable[str]) -> list[str]:
    """Sort values as a person would, `A2` before `A10`."""
    return sorted(values, key=natural)


def _head(explanation: Explanation) -> Iterator[str]:
    what = "image" if explanation.kind != "folder" else "file"
    line = f"{explanation.place}: {_count(explanation.listed, what)}"
    if explanation.opened < explanation.listed:
        line += f", {explanation.opened} of them opened, the others by their names"
    yield line
    if explanation.named < explanation.listed:
        yield f"the counts below are of {explanation.named} of them; all names were compared"
    if explanation.pattern:
        yield f"names are read as: {explanation.pattern}"
    yield f"times without a zone are read in: {explanation.zone}"
    yield (
        f"{_count(explanation.frames, 'frame')}, {explanation.scored} of the channel that is scored"
    )


def _case(case: Case) -> Iterator[str]:
    mark = "" if case.scored else "   (not scored: another channel)"
    yield f"{_count(case.frames, 'frame')}, the first {case.example}{mark}"
    for name, values in case.values.items():
        shown = _days(case, values) if name == "moment" else _shown(values)
        label = "day" if name == "moment" else _NAMES.get(name, name)
        yield f"    {label:<11} {shown:<34} {case.who[name]}"
    if "um_per_px" not in case.values:
        yield f"    {'um/px':<11} {'not known':<34} set um_per_px"
    if case.sizes_px:
        shown = ", ".join(f"{width} x {height}" for height, width in case.sizes_px[:_MOST_SHOWN])
        yield f"    {'pixels':<11} {shown}"


def _days(case: Case, values: Iterable[str]) -> str:
    if case.days is None:
        return _shown(values)
    first, last = case.days
    span = f"{first:.2f}" if last - first < 0.005 else f"{first:.2f} to {last:.2f}"
    return f"{span} (from {min(values)})" if len(list(values)) == 1 else span


def _shown(values: Iterable[str]) -> str:
    ordered = in_order(values)
    if len(ordered) <= _MOST_SHOWN:
        return ", ".join(ordered)
    return f"{ordered[0]} ... {ordered[-1]} ({len(ordered)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
