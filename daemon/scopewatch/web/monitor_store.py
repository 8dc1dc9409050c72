"""Protocols of what the dashboard needs from the rest of the daemon.

The pages know no database: they read plain records through `Reader` (`store.read.reader.Reader` in
the daemon), answer alerts through `AlertAnswers` (`app.recording.store.Store`), and `app`
plugs these in.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.acquisition.standing import AcquisitionStanding
from scopewatch.core.imaging.model_card.held_out import HeldOutErrors
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.expectation import Standard
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.state import RunState, State
from scopewatch.notify.breaker import Receiver
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.final_results import RunEnd
from scopewatch.store.read.records.alerts import AlertRow
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.quarantine import (
    ReasonRow,
    RefusedRow,
    RetryAnswer,
    RetrySelection,
)
from scopewatch.store.read.records.runs_and_wells import (
    CoursePoint,
    Outlook,
    Overview,
    RunRow,
    Shot,
    WellRow,
)

Health = Callable[[], Condition]
Receivers = Callable[[], Sequence[Receiver]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stays the same while the daemon runs.

    Parameters
    ----------
    run
        The differentiation run named in the configuration.
    model_id
        First twelve hex digits of the model's SHA-256.
    simulated
        True when the images or the model are simulated: every page says so.
    standard
        What single wells are measured against.
    policy
        How the run is planned.
    errors
        What the model's card promises; None where it knows no error rates.
    um_per_px
        Pixel size that the model expects; None where any will do.
    keep_days
        How long pictures are kept; None where their age removes none.
    state
        The state folder, where proposals to recalibrate lie; None where none are made.
    sources, acquires
        Names of the sources that are configured, and of those whose time-lapse scopewatch runs.
    """

    run: str
    model_name: str
    model_id: str
    simulated: bool
    policy: RunPolicy
    standard: Standard
    version: str
    errors: HeldOutErrors | None = None
    state: Path | None = None
    sources: tuple[str, ...] = ()
    acquires: tuple[str, ...] = ()
    keep_days: float | None = None
    um_per_px: float | None = None

    def target(self, run: str) -> float | None:
        """Return the efficiency that a run's wells should reach, 0 to 1; None without a rule."""
        return self.standard.main_target(run)


class Reader(Protocol):
    """Reads the result database. Every method may raise StoreError; all are thread-safe."""

    def runs(self) -> Sequence[RunRow]:
        """Return the differentiation runs, the newest first."""
        ...

    def journal(self, run: str | None, limit: int) -> Sequence[JournalEntry]:
        """Return the newest entries of the journal of time-lapses (of a run), oldest first."""
        ...

    def dead_wells(self, run: str) -> Sequence[JournalEntry]:
        """Return the entry of each well of a run that is marked dead, oldest first."""
        ...

    def wells_with_sites(self, run: str) -> Sequence[JournalEntry]:
        """Return the entry of each well of a run that has further sites, oldest first."""
        ...

    def counts(self, run: str | None = None) -> Counts:
        """Count the frames of a run, or of the whole database."""
        ...

    def wells(self, run: str | None = None) -> Sequence[WellRow]:
        """Return every well (of a run), those of the newest run first."""
        ...

    def overview(self, run: str) -> Overview:
        """Return the wells of a run with the counts of its frames.

        Forecasts have their errors where a well is flagged.
        """
        ...

    def flagged(self, run: str, also: WellName | None = None) -> Overview:
        """Return the wells of a run that are flagged, and one more, with the counts of the run."""
        ...

    def course(self, name: WellName, limit: int) -> Sequence[CoursePoint]:
        """Return the newest `limit` time points of a well, oldest first."""
        ...

    def whole_course(self, name: WellName, most: int) -> Sequence[CoursePoint]:
        """Return at most so many time points of a well, evenly from its first to its newest."""
        ...

    def shots(self, name: WellName, limit: int) -> Sequence[Shot]:
        """Return the newest `limit` pictures of a well, newest first."""
        ...

    def has_overlay(self, relative: str) -> bool:
        """Whether the database knows an overlay of this relative path."""
        ...

    def uncopied(self, overlays: Collection[str]) -> set[str]:
        """Return which of these pictures wait to be copied elsewhere."""
        ...

    def quarantined(
        self, name: WellName | None, limit: int, offset: int = 0, *, run: str | None = None
    ) -> Sequence[RefusedRow]:
        """Return quarantined frames (of a well, a run) and refused files, newest first."""
        ...

    def reasons(self, run: str | None = None) -> Sequence[ReasonRow]:
        """Count what is in quarantine or was missed (of a run) by reason, the commonest first."""
        ...

    def pictures_removed_until(self) -> datetime | None:
        """Return up to when pictures were written that retention removed; None where it has not."""
        ...

    def ends(self, run: str | None = None) -> Sequence[RunEnd]:
        """Return fluorescence results of the final day, by run, with estimates and forecasts."""
        ...

    def outlooks(self, name: WellName, limit: int, *, errors: bool = True) -> Sequence[Outlook]:
        """Return what was known of a well at its newest `limit` time points, oldest first."""
        ...

    def alerts(
        self,
        name: WellName | None,
        limit: int,
        *,
        open_only: bool = False,
        runs: Collection[str] | None = None,
        courses: bool = True,
    ) -> Sequence[AlertRow]:
        """Return alerts (of some runs), open ones first; of one well, those that name it.

        Parameters
        ----------
        courses
            Whether evidence holds all points of a course, and not the newest alone.
        """
        ...

    def wider_alerts(self, limit: int, *, runs: Collection[str]) -> Sequence[AlertRow]:
        """Return open alerts of plates and of the monitor, newest first."""
        ...


class Acquisitions(Protocol):
    """States of the time-lapses that scopewatch acquires; quick, never raises."""

    def __call__(self) -> Sequence[AcquisitionStanding]:
        """Return one for each source that acquires."""
        ...


class States(Protocol):
    """States of the runs."""

    def of(self, run: str) -> State:
        """Return the state of a run. Raises StoreError."""
        ...

    def current(self) -> Sequence[RunState]:
        """Return the states of the runs that are watched now, the newest first; never raises."""
        ...


class AlertAnswers(Protocol):
    """Accepts answers to alerts, and requests to try frames again.

    Answers raise StoreError where there is no such alert.
    """

    def acknowledge(self, alert: int, now: datetime) -> None:
        """Acknowledge an alert."""
        ...

    def snooze(self, alert: int, until: datetime) -> None:
        """Snooze an alert until then."""
        ...

    def take_back(self, alert: int) -> None:
        """Forget the answer that was given."""
        ...

    def order(
        self,
        source: str,
        run: str,
        act: Act,
        by: str,
        target: Target | None = None,
        reason: str = "",
    ) -> int:
        """Write down what somebody wants of a time-lapse; return its number."""
        ...

    def ask_again(
        self, wanted: RetrySelection, sources: Collection[str], asked_by: str
    ) -> RetryAnswer:
        """Have what is selected in quarantine tried again, as far as its source is configured."""
        ...
