"""What the operator reads."""

from scopewatch.core.alert import AlertRule, Change, Observation, Severity, Transition
from scopewatch.core.message import Message, WellName, compose

WELL = WellName(experiment="run7", plate="P1", well="B3")
RULE = AlertRule(
    name="weak",
    target=0.5,
    from_day=8,
    consecutive=3,
    hysteresis=0.05,
    severity=Severity.CRITICAL,
)


def make(change: Change, *, simulated: bool = False, overlay: str | None = None) -> Message:
    transition = Transition(
        rule=RULE, change=change, observation=Observation(day=9.04, efficiency=0.314)
    )
    return compose(WELL, transition, simulated=simulated, key="run7-B3-1", overlay=overlay)


def test_a_weak_well_is_named_with_its_reading_target_and_rule() -> None:
    message = make(Change.RAISED)
    assert message.title == "B3: weak differentiation, 31% on day 9.0"
    assert message.body.startswith(
        "run7 / P1 / B3 reads 31% on day 9.0, below its target of 50%"
        " for 3 time points in a row (rule 'weak')."
    )
    assert "decide whether to go on" in message.body
    assert message.severity is Severity.CRITICAL
    assert message.idempotency_key == "run7-B3-1"


def test_a_recovered_well_needs_nothing_done() -> None:
    message = make(Change.RESOLVED)
    assert message.title == "B3: recovered, 31% on day 9.0"
    assert message.body.endswith("(rule 'weak'). Nothing to do.")


def test_simulated_images_are_marked_in_title_and_body() -> None:
    message = make(Change.RAISED, simulated=True)
    assert message.title.startswith("[SIMULATED] B3: weak")
    assert message.body.endswith("are simulated: not a result.")
    assert "imulated" not in make(Change.RAISED).title + make(Change.RAISED).body


def test_the_overlay_is_attached_where_there_is_one() -> None:
    assert make(Change.RAISED).attachments == ()
    assert make(Change.RAISED, overlay="B3/t15.png").attachments == ("B3/t15.png",)


def test_a_well_reads_as_experiment_plate_and_well() -> None:
    assert str(WELL) == "run7 / P1 / B3"
