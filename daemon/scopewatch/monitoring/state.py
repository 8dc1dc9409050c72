"""The state of a run, as pages, `status`, /healthz and the digest show it."""

from dataclasses import dataclass
from enum import StrEnum

from scopewatch.core.phrases import Phrase
from scopewatch.monitoring import run_state_words as words


class Level(StrEnum):
    """How good a state is. The values are part of the HTTP API: never rename one."""

    CLEAR = "clear"
    FINISHED = "finished"
    WAITING = "waiting"
    DEGRADED = "degraded"
    FAILING = "failing"


class Cause(StrEnum):
    """What a state comes from. The values are part of the HTTP API: never rename one."""

    JUDGED = "judged"
    FINISHED = "finished"
    STARTING = "starting"
    DAEMON = "daemon"
    DATABASE = "database"
    NO_FRAME_YET = "no-frame-yet"
    NO_FRAMES = "no-frames"
    REFUSED = "refused"
    OTHER_CHANNEL = "other-channel"
    UNFIT = "unfit"
    WELLS_MISSING = "wells-missing"
    SCORING = "scoring"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of a run.

    Parameters
    ----------
    level
        CLEAR: every expected well was judged recently. FINISHED: the run is over. WAITING: nothing
        is amiss, but not all is judged yet. DEGRADED: some wells are not judged. FAILING: nothing
        is judged, or most frames cannot be, or scopewatch itself is not well.
    advice
        What to do; None where there is nothing to do, or the details name it.
    details
        Further lines: figures, other things that are missing.
    """

    level: Level
    cause: Cause
    sentence: Phrase
    advice: Phrase | None = None
    details: tuple[Phrase, ...] = ()

    @property
    def line(self) -> str:
        """One line for logs and programs: what is the case, and what to do."""
        sentence = str(self.sentence)
        if self.advice is None:
            return sentence
        return f"{sentence.rstrip('.')}; {self.advice}"

    @property
    def all_clear(self) -> bool:
        """Whether "no well is flagged" means that all is well."""
        return self.level is Level.CLEAR

    @property
    def of_the_run(self) -> bool:
        """Whether it comes from the run, and not from the daemon, which has its own complaints."""
        return self.cause not in (Cause.STARTING, Cause.DAEMON)

    @property
    def needs_somebody(self) -> bool:
        """Whether a person has to do something."""
        return self.level in (Level.DEGRADED, Level.FAILING)


def database_away(why: str) -> State:
    """Return the state where nothing can be read."""
    return State(
        level=Level.FAILING,
        cause=Cause.DATABASE,
        sentence=Phrase(words.DATABASE),
        details=(words.plainly(why),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A run and its state."""

    run: str
    state: State
