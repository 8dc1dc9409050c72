"""Pictures that a fit would learn from and be judged by, since they are in two of its runs."""

from collections import Counter
from collections.abc import Mapping, Sequence

from scopewatch.core.errors import ConfigError
from scopewatch_training.bundle.known_frames import describe_unhashed, know_frame
from scopewatch_training.bundle.training_copies import Copy, describe_copies, find_among
from scopewatch_training.dataset.checks.copies import list_copies
from scopewatch_training.dataset.prepared import Dataset


def describe_shared_pictures(
    dataset: Dataset, training: Sequence[str], held_out: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return a line for each training or held-out run that shares pictures with a training run.

    Raises
    ------
    ConfigError
        When every frame of a held-out run is a copy of a training frame: nothing is held out.
    """
    if not dataset.mark_version:
        return (describe_unhashed(dataset),)
    copies = refuse_copied_runs(dataset, training, held_out)
    sizes = Counter(pair.run for pair in dataset.accepted)
    lines = _describe_held_out(
        copies, sizes, "its figures will flatter: --exclude one of both runs"
    )
    return (
        *lines,
        *describe_copies(
            _among(dataset, training),
            sizes=sizes,
            known="other training frames",
            expected="pictures that are in training once",
            do="error rates and interval of the card will flatter: --exclude one of both runs, or"
            " take the copies out of the manifest",
        ),
    )


def refuse_copied_runs(
    dataset: Dataset, training: Sequence[str], held_out: Sequence[str]
) -> list[Copy]:
    """Return the held-out frames that are copies of training frames; none without hashes.

    Raises
    ------
    ConfigError
        When every frame of a held-out run is a copy of a training frame: nothing is held out.
    """
    if not dataset.mark_version:
        return []
    sizes = Counter(pair.run for pair in dataset.accepted)
    copies = find_among(
        [know_frame(pair) for pair in dataset.of_runs(training)],
        [know_frame(pair) for pair in dataset.of_runs(held_out)],
    )
    for run in held_out:
        found = [each for each in copies if each.run == run]
        if len(found) == sizes[run]:
            raise ConfigError(_describe_held_out(found, sizes, "hold out another run")[0])
    return copies


def _describe_held_out(copies: Sequence[Copy], sizes: Mapping[str, int], do: str) -> list[str]:
    return describe_copies(
        copies,
        sizes=sizes,
        known="training frames",
        expected="held-out runs that share no picture with training",
        do=do,
    )


def _among(dataset: Dataset, training: Sequence[str]) -> list[Copy]:
    """Return the training frames that are copies across what inner folds hold out."""
    pairs = dataset.of_runs(training)
    one_run = len({pair.run for pair in pairs}) == 1
    return [
        Copy(
            run=copy.run,
            frame=str(copy),
            known_run=known.run,
            known_frame=str(known),
            same_pixels=exact,
        )
        for known, copy, exact in list_copies(pairs)
        if (known.group != copy.group if one_run else known.run != copy.run)
    ]
