"""The health check `/healthz`: whether the daemon is well and judges its runs."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from scopewatch.monitoring.state import Level, RunState
from scopewatch.notify.breaker import Receiver
from scopewatch.web.api.acquisition import answer_of
from scopewatch.web.dashboard_context import GivenContext

routes = APIRouter()


class StateAnswer(BaseModel):
    """State of a run: whether an all-clear may be given, or what is missing."""

    run: str
    level: str = Field(description="clear, finished, waiting, degraded or failing")
    cause: str
    sentence: str
    advice: str = Field(description="what to do; empty where there is nothing to do")
    details: list[str]


@routes.get("/healthz")
def healthz(context: GivenContext) -> JSONResponse:
    """Whether the daemon is well and judges its runs: 200, or 503 with what is wrong.

    A run of which some wells are not judged is degraded, which is no failure.
    """
    health = context.health()
    runs = context.states.current()
    levels = {each.state.level for each in runs}
    healthy = health.well and Level.FAILING not in levels
    detail = list(health.complaints)
    detail += [
        f"{each.run}: {each.state.line}"
        for each in runs
        if each.state.needs_somebody and each.state.of_the_run
    ]
    return JSONResponse(
        {
            "healthy": healthy,
            "degraded": not healthy or Level.DEGRADED in levels,
            "detail": detail,
            "runs": [state_answer(each).model_dump() for each in runs],
            "pausing": context.pausing(),
            "receivers": [_receiver(receiver) for receiver in context.receivers()],
            "acquisitions": [
                answer_of(each).model_dump(mode="json") for each in context.acquisitions()
            ],
        },
        status_code=200 if healthy else 503,
    )


def state_answer(each: RunState) -> StateAnswer:
    """Return the state of a run as the API shows it."""
    state = each.state
    return StateAnswer(
        run=each.run,
        level=state.level.value,
        cause=state.cause.value,
        sentence=str(state.sentence),
        advice=str(state.advice or ""),
        details=[str(line) for line in state.details],
    )


def _receiver(receiver: Receiver) -> dict[str, object]:
    until = receiver.open_until
    return {
        "channel": receiver.channel,
        "circuit": receiver.circuit.value,
        "open_until": until.isoformat() if until is not None else None,
        "failures": receiver.failures,
        "error": receiver.error,
    }
