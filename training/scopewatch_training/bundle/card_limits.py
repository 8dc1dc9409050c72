"""What limits the figures of a card, in sentences: what was held out, and what is refused."""

from typing import Final

from scopewatch.core.imaging.model_card.card import ModelCard
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors

MOST_FALSE_REFUSALS: Final = 0.05
"""Above it people are advised what to do."""


def held_out_words(errors: HeldOutErrors | None) -> str:
    """Return what was held out when the errors of a card were measured, in words."""
    if errors is None:
        return "nothing"
    runs = sorted(errors.run_residuals)
    if len(runs) == 1:
        return f"wells of run {runs[0]} in turn, no whole run"
    return f"runs {', '.join(runs)}, each once"


def interval_words(errors: HeldOutErrors | None) -> str:
    """Return the interval of a card in words; none where a single run was all there was."""
    if errors is None:
        return "unknown"
    if errors.half_width is None or len(errors.run_residuals) == 1:
        return "none from one run"
    return f"+-{100 * errors.half_width:.1f} points"


def describe_limits(card: ModelCard) -> tuple[str, ...]:
    """Return what limits the figures of a card as its fields show it, a sentence each."""
    lines = []
    errors = card.errors
    if errors is not None and len(errors.run_residuals) == 1:
        (run,) = errors.run_residuals
        lines.append(
            f"One training run, {run}: its wells were held out in turn, so that no figure and no"
            " interval says how the model does on another run; add runs, at least 2, better 5."
        )
    rate = card.quality.false_refusal_rate
    if rate is not None and rate > MOST_FALSE_REFUSALS:
        held, others = ("well", "wells") if len(card.trained_on) == 1 else ("run", "runs")
        lines.append(
            f"{rate:.0%} of the frames of a training {held} are refused by the limits of the other"
            f" {others} (at most {MOST_FALSE_REFUSALS:.0%} is usual), and the daemon will refuse"
            f" good frames of new runs as often: add {others} that span what it will see, or look"
            f" for the {held} that is unlike the others and --exclude its run."
        )
    return tuple(lines)


def list_limits(card: ModelCard) -> tuple[str, ...]:
    """Return the notes of a card; those that follow from its fields also for an older card."""
    return tuple(dict.fromkeys((*card.notes, *describe_limits(card))))


def renew_notes(card: ModelCard, before: ModelCard) -> ModelCard:
    """Return a card whose notes on its fields are those of its present fields."""
    outdated = describe_limits(before)
    kept = [note for note in before.notes if note not in outdated]
    return card.model_copy(update={"notes": (*kept, *describe_limits(card))})
