"""How a bundle's training labels were made, read from its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scopewatch.core.errors import ModelError, complaint
from scopewatch.core.imaging.binarise import Thresholds
from scopewatch.inference.bundle import Bundle
from scopewatch_training.bundle.fit_record import PREPARED, read_fit
from scopewatch_training.dataset.settings import LabelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """Thresholds and settings of the bundle's training labels, by which other runs are labelled.

    Parameters
    ----------
    prepared
        Settings by which its data set was prepared; empty of a bundle of an earlier version.
    gate
        How the int8 network differs from the float one; empty likewise.
    """

    labels: LabelSettings
    thresholds: Thresholds
    prepared: Mapping[str, Any]
    gate: Mapping[str, Any]


def read_label_rule(bundle: Bundle) -> LabelRule:
    """Read the label rule of a bundle from its report.

    Raises
    ------
    ModelError
        When the record is missing, damaged or of another version.
    """
    record = read_fit(bundle.folder)
    prepared = record.get(PREPARED, {})
    if not isinstance(prepared, dict):
        raise ModelError(
            complaint(
                "bundle's record of its data set is damaged",
                where=bundle.folder,
                expected="settings of prepare",
                got=type(prepared).__name__,
                do="copy the whole bundle folder again",
            )
        )
    try:
        return LabelRule(
            labels=LabelSettings(**record["settings"]["labels"]),
            thresholds=Thresholds.from_json(record["thresholds"]),
            prepared=prepared,
            gate=record.get("int8_against_float", {}),
        )
    except (KeyError, TypeError) as error:
        raise ModelError(
            complaint(
                "bundle's record of its labels is of another version",
                where=bundle.folder,
                got=error,
                do="fit it again",
            )
        ) from error
