"""Checks whether the files in the sources are read as frames, and what does not fit."""

from collections.abc import Iterator

from scopewatch.app.checking.finding import Finding
from scopewatch.app.explain.explanation import Explanation
from scopewatch.app.explain.places import explain_source
from scopewatch.config import Config, SourceConfig
from scopewatch.core.alerts.scope import any_well, well_order
from scopewatch.core.errors import ConfigError, complaint
from scopewatch.core.imaging.model_card.card import ModelCard

_MOST_NOTES = 5
_MOST_WELLS = 12


def check_all_files(config: Config, card: ModelCard | None) -> Iterator[Finding]:
    """Check the files of all sources, and whether the wells of the groups are among them."""
    wells: set[str] = set()
    for source in config.sources:
        yield from check_files(source, config, card, wells)
    if not wells:
        return
    for name, patterns in config.experiment.well_groups.items():
        silent = [each for each in patterns if not any(any_well((each,), well) for well in wells)]
        if silent:
            text = (
                f"group {name!r}: no well of the files is meant by {', '.join(silent)}; there are"
                f" {', '.join(sorted(wells, key=well_order)[:_MOST_WELLS])}"
            )
            yield Finding(subject="well groups", text=text, advice=True)


def check_files(
    source: SourceConfig,
    config: Config,
    card: ModelCard | None,
    wells: set[str] | None = None,
) -> Iterator[Finding]:
    """Look at what lies in a source, as it would be read; nothing where it is empty.

    Parameters
    ----------
    card
        Of the model; None where there is none.
    wells
        Takes the wells that are found.
    """
    subject = f"files of {source.name}"
    try:
        explanations = list(explain_source(source, config))
    except (ConfigError, OSError):
        return  # the check of the source itself reports it
    for explanation in explanations:
        if wells is not None:
            wells |= {well for case in explanation.cases for well in case.values["well"]}
        if explanation.listed:
            yield from _judge(subject, explanation, config)
            yield from _judge_scale(subject, explanation, card)


def _judge_scale(
    subject: str, explanation: Explanation, card: ModelCard | None
) -> Iterator[Finding]:
    scaleless = sum(
        case.frames for case in explanation.cases if case.scored and "um_per_px" not in case.values
    )
    if scaleless and card is not None and card.um_per_px:
        text = (
            f"{scaleless} frames do not say their pixel size, so that the model's"
            f" {card.um_per_px:g} um/px is not checked; set um_per_px of the source"
        )
        yield Finding(subject=subject, text=text, advice=True)


def _judge(subject: str, explanation: Explanation, config: Config) -> Iterator[Finding]:
    place = explanation.place
    if not explanation.frames:
        first = explanation.skipped[0]
        text = complaint(
            "none of the files is a frame",
            where=place,
            got=f"{explanation.listed} files, the first: {first.reason}",
            do="correct `pattern` of the source; `scopewatch explain` shows how each is read",
        )
        yield Finding(subject=subject, text=text, failed=True)
        return
    if explanation.doubles:
        first_double = explanation.doubles[0]
        text = complaint(
            "two files are the same frame",
            where=first_double.key,
            got=f"{' and '.join(first_double.places)}, and {explanation.doubled} such in all",
            do=first_double.advice,
        )
        yield Finding(subject=subject, text=text, failed=True)
    if not explanation.scored:
        found = ", ".join(
            f"{count} of {channel}" for channel, count in explanation.channels.items()
        )
        text = complaint(
            "no frame is of the channel that is scored",
            where=place,
            expected=f"phase_channel {config.experiment.phase_channel!r}",
            got=found,
            do="set experiment.phase_channel, or channel_names of the source",
        )
        yield Finding(subject=subject, text=text, failed=True)
    elif not explanation.doubles:
        text = f"{explanation.frames} frames, {explanation.scored} of the channel that is scored"
        yield Finding(subject=subject, text=text)
    notes = [
        f"{each.files} files are skipped, the first: {each.reason}" for each in explanation.skipped
    ]
    notes += [
        f"{count} frames with a contradiction: {each}" for count, each in explanation.contradictions
    ]
    notes += explanation.warnings
    for note in notes[:_MOST_NOTES]:
        yield Finding(subject=subject, text=note, advice=True)
