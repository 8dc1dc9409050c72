"""What the operator reads when an alert changes."""

from dataclasses import dataclass

from scopewatch.core.alert import Change, Severity, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class WellName:
    """Which well of which plate of which differentiation run."""

    experiment: str
    plate: str
    well: str

    def __str__(self) -> str:
        return f"{self.experiment} / {self.plate} / {self.well}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message ready to deliver.

    Parameters
    ----------
    idempotency_key
        Equal for every attempt at the same message, so that a receiver can drop repeats.
    body, html
        The words as plain text and, for channels that show it, as HTML; '' where there is none.
    attachments
        Paths of files to attach, as text; those that are gone by then are left out.
    """

    idempotency_key: str
    severity: Severity
    title: str
    body: str
    html: str = ""
    attachments: tuple[str, ...] = ()


def compose(
    well: WellName, transition: Transition, *, simulated: bool, key: str, overlay: str | None
) -> Message:
    """Write the message for a transition of one well."""
    rule, seen = transition.rule, transition.observation
    mark = "[SIMULATED] " if simulated else ""
    now = f"{seen.efficiency:.0%} on day {seen.day:.1f}"
    if transition.change is Change.RAISED:
        title = f"{mark}{well.well}: weak differentiation, {now}"
        body = (
            f"{well} reads {now}, below its target of {rule.target:.0%}"
            f" for {rule.consecutive} time points in a row (rule {rule.name!r})."
            " Look at the virtual stain and at the well, and decide whether to go on with it."
        )
    else:
        title = f"{mark}{well.well}: recovered, {now}"
        body = (
            f"{well} reads {now}, above its target of {rule.target:.0%} again"
            f" (rule {rule.name!r}). Nothing to do."
        )
    if simulated:
        body += " These images, or the model that judged them, are simulated: not a result."
    return Message(
        idempotency_key=key,
        severity=rule.severity,
        title=title,
        body=body,
        attachments=(overlay,) if overlay else (),
    )
