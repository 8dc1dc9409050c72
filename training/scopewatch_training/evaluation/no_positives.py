"""Says of which runs no tile is positive: their figures judge false positives alone."""

from collections.abc import Sequence

from scopewatch.core.errors import complaint
from scopewatch_training.evaluation.assessment import ScoredField


def describe_runs_without_positives(fields: Sequence[ScoredField]) -> tuple[str, ...]:
    """Return one line for the runs without a positive tile; none where each has one."""
    runs = dict.fromkeys(field.run for field in fields)
    positive = {field.run for field in fields if bool((field.labels == 1).any())}
    barren = [run for run in runs if run not in positive]
    if not barren:
        return ()
    return (
        complaint(
            "no tile of a run is positive, so that its figures show false positives alone",
            where=", ".join(barren),
            expected="tiles with the marker, by the bundle's threshold and cut-off",
            got="none",
            do="right for a control; else look at its fluorescence: a stain that failed, another"
            " channel, or an exposure that the bundle's threshold does not fit",
        ),
    )
