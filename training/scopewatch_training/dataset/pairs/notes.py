"""Notes on exceptional processing of pairs: their words, which checks look for."""

from dataclasses import replace
from typing import Final

from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.pictures import GreyPicture

MISFIT_NOTE: Final = "not registered, and fits"
"""Begin of the note of a pair that was not to be registered and does not fit as it lies."""
BORROWED_NOTE: Final = "too little signal to register by: offset of the run's other pairs"
"""Note of a pair whose offset was not measured on itself."""
UNSHIFTED_NOTE: Final = "too little signal to register by: used where it lies"
"""Note of such a pair where the run's other pairs have no offset."""
LOOSE_NOTE: Final = "used where it lies, not registered"
"""Note of a mask that fits its phase frame at no shift."""
BINNING_NOTE: Final = "taken for a binning"
"""Part of the note of a pair whose sizes are no whole multiples of each other."""
_ROUNDED_PX: Final = 2


def add_note(pair: Pair, note: str) -> Pair:
    """Return a pair with one more note."""
    return replace(pair, note=join_notes(pair.note, note))


def join_notes(*notes: str) -> str:
    """Join the notes that are not empty."""
    return "; ".join(each for each in notes if each)


def describe_resampling(factor: float) -> str:
    """Return the note of a phase frame that was resampled by a factor; '' for 1."""
    return "" if factor == 1.0 else f"resampled by {factor:.3f}"


def describe_sizes(phase: GreyPicture, fluorescence: GreyPicture) -> str:
    """Return what two sizes are taken for; '' where they are equal. A crop looks like a binning."""
    if phase.pixels.shape == fluorescence.pixels.shape:
        return ""
    one, other = ("{} x {}".format(*each.pixels.shape) for each in (fluorescence, phase))
    return f"with {one} px {BINNING_NOTE} of the {other} px of the phase frame"


def describe_odd_sizes(phase: GreyPicture, fluorescence: GreyPicture) -> str:
    """Return the note on two pictures of which none is a binning of the other by whole pixels."""
    small, large = sorted((phase.pixels.shape[0], fluorescence.pixels.shape[0]))
    binning = round(large / small)
    # A side that the binning does not divide leaves fewer pixels than it.
    odd = abs(large - binning * small) >= max(binning, _ROUNDED_PX)
    return describe_sizes(phase, fluorescence) if odd else ""
