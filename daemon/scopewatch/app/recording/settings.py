"""What a store is given of the configuration and the model."""

from collections.abc import Sequence
from typing import Required, TypedDict

from scopewatch.app.recording.announcing import Composer
from scopewatch.core.alerts.rules import AlertRule
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.store.read.judging import Judging
from scopewatch.store.write.measuring import Measuring


class StoreSettings(TypedDict, total=False):
    """Settings of a store by name.

    Parameters
    ----------
    policy
        Days, sites per well, the scored channel, whether all of it is simulated, and what the
        model's card promises of wells.
    composer
        Puts changes of alerts into words.
    max_attempts
        Claims of a frame after which it is quarantined instead of tried again.
    rules
        Those of wells and plates are stepped; others are passed over.
    measuring
        How fluorescence of the final day is measured; None where it is not.
    judging
        What is judged under now: what was refused under anything else is tried again.
    copies
        Whether pictures are copied elsewhere: results then enter which of theirs are due.
    """

    policy: Required[RunPolicy]
    composer: Required[Composer]
    max_attempts: int
    rules: Sequence[AlertRule]
    measuring: Measuring | None
    judging: Judging
    copies: bool
