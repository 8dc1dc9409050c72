"""Compares all settings behind the labels of a data set with those of a bundle's training.

Signals are made when a data set is prepared, so that other settings there are another truth. Tile
size, cut-off and threshold are the bundle's in any case: `evaluate` labels by its rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from scopewatch.core.errors import complaint
from scopewatch.core.imaging.label_settings import BinariseSettings
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.label_rule import LabelRule
from scopewatch_training.dataset.annotation import MASK_NOTE
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import LabelSettings

Facts = Mapping[str, Any]

_OF_SIGNAL: Final = ("smooth_px", "glow_px", "glow_share")
_OF_PLACE: Final = ("register", "max_shift_px", "min_confidence")
_OPTIONS: Final = {
    "marker": "--marker",
    "smooth_px": "--smooth-px",
    "glow_px": "--glow-px",
    "glow_share": "--glow-share",
    "max_shift_px": "--max-shift-px",
    "um_per_px": "--um-per-px",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSetting:
    """A setting that bundle and data set do not share."""

    setting: str
    bundle: Any
    data_set: Any

    def to_json(self) -> dict[str, Any]:
        """Return the setting as JSON values."""
        return {"setting": self.setting, "bundle": self.bundle, "data_set": self.data_set}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCheck:
    """Settings behind labels, compared.

    Parameters
    ----------
    differ
        Settings by which the data set was prepared and that make its labels another truth.
    overruled
        Settings of the data set that the bundle's replace.
    unknown
        Settings that the bundle does not state: of an earlier version.
    where, stated_in
        The data set, and the bundle, for messages.
    """

    differ: tuple[OtherSetting, ...]
    overruled: tuple[OtherSetting, ...]
    unknown: tuple[str, ...]
    where: str
    stated_in: str

    @property
    def lines(self) -> list[str]:
        """What differs, a line for each kind."""
        lines = []
        if self.differ:
            lines.append(
                self._contrast(
                    "labels of the data set were made otherwise than the bundle's",
                    self.differ,
                    do=f"the figures compare with another truth: prepare it {_advise(self.differ)}",
                )
            )
        if self.overruled:
            lines.append(
                self._contrast(
                    "tiles are labelled as the bundle's were, not as the data set was prepared",
                    self.overruled,
                    do="nothing, where this is meant",
                )
            )
        if self.unknown:
            lines.append(
                complaint(
                    "some settings behind the labels cannot be compared",
                    where=self.stated_in,
                    expected=f"{', '.join(self.unknown)} in its record",
                    got="a bundle of an earlier version",
                    do="fit it again, or make sure that the data set was prepared as its own was",
                )
            )
        return lines

    def _contrast(self, what: str, others: Sequence[OtherSetting], *, do: str) -> str:
        return complaint(
            what,
            where=self.where,
            expected=", ".join(f"{each.setting} {_show(each.bundle)}" for each in others),
            got=", ".join(f"{each.setting} {_show(each.data_set)}" for each in others),
            do=do,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        return {
            "label_settings": {
                "differ": [each.to_json() for each in self.differ],
                "overruled": [each.to_json() for each in self.overruled],
                "unknown": list(self.unknown),
            }
        }


def check_labels(
    bundle: Bundle, rule: LabelRule, dataset: Dataset, runs: Sequence[str]
) -> LabelCheck:
    """Compare how runs of a data set and a bundle's training runs came to their labels."""
    own = prepared_as(bundle, rule)
    masks = all(pair.note.startswith(MASK_NOTE) for pair in dataset.of_runs(runs))
    theirs = _facts_of(dataset)
    names = ["marker", *(() if masks else _OF_SIGNAL), *_OF_PLACE, "um_per_px"]
    applied = _rule_facts(rule.labels, rule.thresholds.settings)
    recorded = _rule_facts(dataset.labels, dataset.binarise)
    return LabelCheck(
        differ=tuple(
            OtherSetting(setting=name, bundle=own[name], data_set=theirs[name])
            for name in names
            if name in own and own[name] != theirs[name] and _matters(name, own, theirs)
        ),
        overruled=tuple(
            OtherSetting(setting=name, bundle=applied[name], data_set=recorded[name])
            for name in applied
            if applied[name] != recorded[name] and not (masks and name.startswith("binarise"))
        ),
        unknown=tuple(name for name in names if name not in own),
        where=str(dataset.folder),
        stated_in=str(bundle.folder),
    )


def prepared_as(bundle: Bundle, rule: LabelRule) -> dict[str, Any]:
    """Return the settings by which training signals were made, as far as a bundle states them."""
    card = bundle.card
    facts = {"marker": card.labels.marker, "um_per_px": card.um_per_px}
    recipe = card.labels.recipe
    if recipe is not None:
        facts |= {name: getattr(recipe, name) for name in _OF_SIGNAL}
    recorded = rule.prepared
    return {name: recorded[name] for name in _OF_PLACE if name in recorded} | facts


def _facts_of(dataset: Dataset) -> dict[str, Any]:
    settings = dataset.settings
    return {
        **{name: getattr(settings, name) for name in (*_OF_SIGNAL, *_OF_PLACE)},
        "marker": dataset.marker,
        "um_per_px": dataset.um_per_px,
    }


def _rule_facts(labels: LabelSettings, binarise: BinariseSettings) -> dict[str, Any]:
    facts = binarise.to_json() | {"scope": binarise.effective_scope}
    return {**labels.to_json(), **{f"binarise {name}": value for name, value in facts.items()}}


def _matters(setting: str, own: Facts, theirs: Facts) -> bool:
    if setting == "glow_share":
        return bool(own["glow_px"] or theirs["glow_px"])
    if setting in ("max_shift_px", "min_confidence"):
        return bool(own["register"] and theirs["register"])
    if setting == "um_per_px":
        # Two scales that are stated are within the tolerance, or refused before.
        return own[setting] is None or theirs[setting] is None
    return True


def _advise(differ: Sequence[OtherSetting]) -> str:
    """Return the options that would make the data set like the bundle's."""
    options = [
        f"{_OPTIONS[each.setting]} {_quote(each.bundle)}"
        for each in differ
        if each.setting in _OPTIONS and each.bundle is not None
    ]
    options += [
        "--register" if each.bundle else "--no-register"
        for each in differ
        if each.setting == "register"
    ]
    return f"again with {' '.join(options)}" if options else "again as the bundle's was"


def _quote(value: object) -> str:
    return f"'{value}'" if " " in str(value) else str(value)


def _show(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not stated" if value is None else str(value)
