import pytest

from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.state_machine import Severity


@pytest.mark.parametrize(
    ("route", "severity", "experiment", "taken"),
    [
        (Route(), Severity.INFO, "run 7", True),
        (Route(min_severity=Severity.CRITICAL), Severity.WARNING, "run 7", False),
        (Route(min_severity=Severity.CRITICAL), Severity.CRITICAL, "run 7", True),
        (Route(experiments=("run 7",)), Severity.INFO, "run 8", False),
        (Route(experiments=("HES*", "run ?")), Severity.INFO, "run 8", True),
        (
            Route(experiments=("run ?",), min_severity=Severity.WARNING),
            Severity.INFO,
            "run 8",
            False,
        ),
    ],
)
def test_a_channel_carries_what_is_grave_enough_of_its_experiments(
    route: Route, severity: Severity, experiment: str, taken: bool
) -> None:
    assert route.takes(severity, experiment) is taken
