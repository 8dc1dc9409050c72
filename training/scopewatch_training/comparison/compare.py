"""`compare`: scores the same held-out wells with two bundles, and judges the difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.label_rule import LabelRule, read_label_rule
from scopewatch_training.comparison.common_ground import choose_runs, refuse_other_labels
from scopewatch_training.comparison.conclusion import caveats, conclude
from scopewatch_training.comparison.differences import Difference, differences
from scopewatch_training.comparison.tallies import tally
from scopewatch_training.comparison.trivial import MEAN, Trivial, trivial_methods
from scopewatch_training.dataset.checks.matching import refuse_other_views
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.evaluation.assessment import ScoredField
from scopewatch_training.evaluation.evaluate import score_fields
from scopewatch_training.evaluation.label_check import check_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoScores:
    """A field as both bundles score it, with one truth for both.

    Parameters
    ----------
    well
        `run/plate/well`.
    """

    well: str
    first: ScoredField
    second: ScoredField

    @property
    def decided_otherwise(self) -> float:
        """Share of the counted tiles that one bundle calls positive and the other does not."""
        counted = self.first.counted
        one = self.first.probability[counted] >= self.first.threshold
        two = self.second.probability[counted] >= self.second.threshold
        return float(np.mean(one != two))

    @property
    def same(self) -> bool:
        """Whether all scores, decisions and efficiencies are equal."""
        return (
            np.array_equal(self.first.probability, self.second.probability)
            and self.first.threshold == self.second.threshold
            and self.first.corrected == self.second.corrected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two bundles on the same wells; the first is called A and the second B.

    Parameters
    ----------
    names
        Name and model id of both.
    fields
        Those with a tile that counts.
    trivial
        What simple methods reach on the same fields.
    """

    names: tuple[str, str]
    runs: tuple[str, ...]
    wells: int
    fields: tuple[TwoScores, ...]
    differences: tuple[Difference, ...]
    trivial: tuple[Trivial, ...]
    conclusion: str
    caveats: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "first": self.names[0],
            "second": self.names[1],
            "runs": list(self.runs),
            "wells": self.wells,
            "conclusion": self.conclusion,
            "caveats": list(self.caveats),
            "figures": {each.figure: each.to_json() for each in self.differences},
            "trivial": {each.name: each.to_json() for each in self.trivial},
            "fields": [
                {
                    "id": each.first.id,
                    "well": each.well,
                    "true": each.first.truth,
                    "first": each.first.corrected,
                    "second": each.second.corrected,
                    "decided_otherwise": each.decided_otherwise,
                }
                for each in self.fields
            ],
        }


def compare(
    first: Bundle,
    second: Bundle,
    dataset: Dataset,
    *,
    runs: Sequence[str] = (),
    threads: int,
    seed: int = 0,
) -> Comparison:
    """Compare two bundles on runs that neither was trained on.

    Parameters
    ----------
    runs
        Which; none for all that neither bundle saw.

    Raises
    ------
    ConfigError
        When a bundle saw one of the runs, the bundles label tiles differently, or the data set
        was normalised or scaled otherwise than a bundle's.
    """
    for bundle in (first, second):
        refuse_other_views(bundle, dataset)
    ground = choose_runs(first, second, dataset, runs)
    chosen = ground.runs
    rules = read_label_rule(first), read_label_rule(second)
    refuse_other_labels((first, second), rules)
    one, two = (score_fields(each, dataset, chosen, rules[0], threads) for each in (first, second))
    well_of = {pair.id: pair.group for pair in dataset.accepted}
    fields = tuple(
        TwoScores(well=well_of[a.id], first=a, second=b)
        for a, b in zip(one, two, strict=True)
        if a.counted.any()
    )
    if not fields:
        raise ConfigError(
            complaint(
                "no tile to judge by",
                where=", ".join(chosen),
                do="check labels and registration in the data set's report",
            )
        )
    wells = [each.well for each in fields]
    present = tuple(dict.fromkeys(each.first.run for each in fields))
    found = differences(
        tally([each.first for each in fields]),
        tally([each.second for each in fields]),
        wells=wells,
        runs=[each.first.run for each in fields],
        rng=np.random.default_rng(seed),
    )
    mae = next(each for each in found if each.figure == "mae")
    trivial = trivial_methods([each.first for each in fields], dataset, first.card.tile_px)
    return Comparison(
        names=(_name(first), _name(second)),
        runs=present,
        wells=len(set(wells)),
        fields=fields,
        differences=found,
        trivial=trivial,
        conclusion=conclude(mae, len(set(wells)), present, same=all(each.same for each in fields)),
        caveats=(
            *caveats(
                present,
                mae,
                guess_mae=next(each.mae for each in trivial if each.name == MEAN),
                simulated=dataset.simulated,
                other_labels=_count_other_labels(dataset, chosen, rules),
            ),
            *dataset.corrections_note(),
            *_list_other_settings((first, second), rules, dataset, chosen),
            *ground.notes,
        ),
    )


def _count_other_labels(
    dataset: Dataset, runs: Sequence[str], rules: tuple[LabelRule, LabelRule]
) -> int:
    """Count the tiles that thresholds learnt on other training runs label differently."""
    pairs = dataset.of_runs(runs)
    one, two = (rule.thresholds.per_pair(pairs) for rule in rules)
    count = 0
    for pair in pairs:
        if one[pair.id] != two[pair.id]:
            labels = [dataset.label(pair, cut[pair.id], rules[0].labels) for cut in (one, two)]
            count += int(np.count_nonzero(labels[0] != labels[1]))
    return count


def _list_other_settings(
    bundles: tuple[Bundle, Bundle],
    rules: tuple[LabelRule, LabelRule],
    dataset: Dataset,
    runs: Sequence[str],
) -> list[str]:
    """Return the lines on settings behind labels in which the data set differs from a bundle's."""
    lines: dict[str, None] = {}
    for bundle, rule in zip(bundles, rules, strict=True):
        lines |= dict.fromkeys(check_labels(bundle, rule, dataset, runs).lines)
    return list(lines)


def _name(bundle: Bundle) -> str:
    return f"{bundle.card.name} {bundle.card.model_id}"
