"""What two bundles can be compared on: runs that neither has seen, and labels common to both."""

from collections.abc import Sequence
from dataclasses import dataclass

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.label_rule import LabelRule
from scopewatch_training.bundle.training_copies import Copy, check_copies
from scopewatch_training.dataset.prepared import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRuns:
    """Runs to compare on.

    Parameters
    ----------
    notes
        Which runs were left out as copies, and what could not be checked; a line each.
    """

    runs: tuple[str, ...]
    notes: tuple[str, ...]


def choose_runs(first: Bundle, second: Bundle, dataset: Dataset, runs: Sequence[str]) -> ChosenRuns:
    """Return the runs to compare on: those given, or all that neither bundle saw.

    Raises
    ------
    ConfigError
        When a given run was seen by a bundle, under its own name or another, or every run was.
    ModelError
        When a bundle's list of training frames is not the one that its card names.
    """
    names = dataset.runs()
    seen = {
        run: f"seen by {bundle.folder}"
        for bundle in (first, second)
        for run in (*bundle.card.trained_on, *bundle.card.recalibrated_on)
        if run in names
    }
    copied: dict[str, str] = {}
    unchecked: dict[str, None] = {}
    for bundle in (first, second):
        found = check_copies(bundle, dataset, [run for run in names if run not in seen])
        unchecked |= dict.fromkeys(found.unchecked)
        for copy in found.copies:
            copied.setdefault(copy.run, _describe(bundle, copy))
    seen = copied | seen
    asked = tuple(dict.fromkeys(runs))
    chosen = asked or tuple(run for run in names if run not in seen)
    wrong = [run for run in chosen if run in seen]
    if wrong or not chosen:
        flattered = wrong or list(seen)
        raise ConfigError(
            complaint(
                "bundles would be compared on training runs",
                where=dataset.folder,
                expected="runs that neither bundle was trained or recalibrated on",
                got="; ".join(f"{run}, {seen[run]}" for run in flattered),
                do="prepare a data set of another run, or fit both with one held out",
            )
        )
    dataset.of_runs(chosen)
    left_out = [f"Run {run} is left out: {why}." for run, why in copied.items() if not asked]
    return ChosenRuns(runs=chosen, notes=(*left_out, *unchecked))


def _signal_facts(bundle: Bundle) -> dict[str, object]:
    """Return how the fluorescence of a bundle's training runs became signals."""
    recipe = bundle.card.labels.recipe
    if recipe is None:
        return {}
    share = recipe.glow_share if recipe.glow_px else None
    return {"smooth_px": recipe.smooth_px, "glow_px": recipe.glow_px, "glow_share": share}


def _describe(bundle: Bundle, copy: Copy) -> str:
    how = "has the same pixels as" if copy.same_pixels else "shows the same picture as"
    return (
        f"copied from training frames of {bundle.folder}, as {copy.frame} {how} {copy.known_frame}"
    )


def refuse_other_labels(bundles: Sequence[Bundle], rules: tuple[LabelRule, LabelRule]) -> None:
    """Refuse bundles whose tiles differ in size, or are called positive by another rule."""
    facts = [
        {
            **rule.labels.to_json(),
            "binarise": rule.thresholds.settings.method,
            "scope": rule.thresholds.settings.effective_scope,
            "um_per_px": bundle.card.um_per_px,
            **_signal_facts(bundle),
        }
        for bundle, rule in zip(bundles, rules, strict=True)
    ]
    # A bundle of an earlier version may not state all of them.
    both = [name for name in facts[0] if name in facts[1]]
    other = [name for name in both if facts[0][name] != facts[1][name]]
    if other:
        one, two = (", ".join(_name(name, each[name]) for name in other) for each in facts)
        raise ConfigError(
            complaint(
                "bundles label tiles differently, so that no truth is common to both",
                where=", ".join(str(each.folder) for each in bundles),
                expected=one,
                got=two,
                do="fit one of them again with the settings of the other, or evaluate each",
            )
        )


def _name(setting: str, value: object) -> str:
    """Return a setting with its value in words."""
    if value is None:
        return f"{setting} {'not stated' if setting == 'um_per_px' else 'none'}"
    return f"{setting} {value}"
