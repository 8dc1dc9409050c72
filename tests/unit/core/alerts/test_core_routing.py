import pytest

from scopewatch.core.alerts.routing import Route
from scopewatch.core.alerts.rules import Severity


@pytest.mark.parametrize(
    ("route", "severity", "run", "taken"),
    [
        (Route(), Severity.INFO, "run 7", True),
        (Route(min_severity=Severity.CRITICAL), Severity.WARNING, "run 7", False),
        (Route(min_severity=Severity.CRITICAL), Severity.CRITICAL, "run 7", True),
        (Route(runs=("run 7",)), Severity.INFO, "run 8", False),
        (Route(runs=("HES*", "run ?")), Severity.INFO, "run 8", True),
        (
            Route(runs=("run ?",), min_severity=Severity.WARNING),
            Severity.INFO,
            "run 8",
            False,
        ),
    ],
)
def test_a_channel_gets_messages_of_its_runs_that_are_severe_enough(
    route: Route, severity: Severity, run: str, taken: bool
) -> None:
    assert route.takes(severity, run) is taken
