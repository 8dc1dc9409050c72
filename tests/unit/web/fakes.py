"""A run in memory, for the dashboard's tests."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from scopewatch.app.run_states import RunStates
from scopewatch.config import RunConfig
from scopewatch.core.acquisition.journal import (
    JournalEntry,
    wells_marked_dead,
    wells_with_more_sites,
)
from scopewatch.core.acquisition.orders import Act, Target
from scopewatch.core.alerts.observation import Evidence, Reading, Subject
from scopewatch.core.alerts.rules import AlertRule, RuleKind, Severity
from scopewatch.core.clock import Clock
from scopewatch.core.errors import StoreError
from scopewatch.core.estimation.forecast import NoForecast, WellForecast
from scopewatch.core.imaging.efficiency import Efficiency
from scopewatch.core.well_name import WellName
from scopewatch.monitoring.expectation import Standard
from scopewatch.monitoring.policy import RunPolicy
from scopewatch.monitoring.run_facts import DaemonSeen, FrameTally, RunSeen, WellSeen
from scopewatch.runtime.supervision.stages import Condition
from scopewatch.store.read.final_results import RunEnd
from scopewatch.store.read.records.alerts import AlertRow, Posting
from scopewatch.store.read.records.frames import Counts
from scopewatch.store.read.records.quarantine import (
    ReasonRow,
    RefusedRow,
    RetryAnswer,
    RetrySelection,
)
from scopewatch.store.read.records.runs_and_wells import (
    CoursePoint,
    Flag,
    Outlook,
    Overview,
    RunRow,
    Shot,
    WellRow,
)
from scopewatch.web.monitor_store import Facts

NOW = datetime(2026, 3, 7, 9, tzinfo=UTC)

FACTS = Facts(
    run="HES-NKX2.5 run 4",
    model_name="cardio-sim",
    model_id="0123456789ab",
    simulated=False,
    policy=RunPolicy(
        run="run 7", interval_h=12, final_day=10, sites_per_well=1, phase_channel="phase"
    ),
    standard=Standard(rules=(AlertRule(name="weak", target=0.5),), final_day=10),
    version="0.1.0",
    sources=("folder",),
)


def seen(value: float, half_width: float = 0.08) -> Efficiency:
    return Efficiency(
        value=value,
        low=round(max(value - half_width, 0), 6),
        high=round(min(value + half_width, 1), 6),
        corrected=True,
    )


def named(well: str, plate: str = "P1", run: str = FACTS.run) -> WellName:
    return WellName(run=run, plate=plate, well=well)


def well_row(well: str, value: float | None = 0.6, **changes: object) -> WellRow:
    row = WellRow(
        name=named(well),
        time_point=12,
        day=6.5,
        efficiency=None if value is None else seen(value),
        scored=13,
        quarantined=0,
        last_frame_at=NOW - timedelta(minutes=12),
        flags=(),
    )
    row = replace(row, **changes)  # type: ignore[arg-type]  # any field of the row
    if "judged_at" in changes or row.efficiency is None:
        return row
    return replace(row, judged_at=row.last_frame_at)


def flag(alert: int = 1, **changes: object) -> Flag:
    raised = Flag(
        alert=alert,
        rule="weak",
        kind=RuleKind.WEAK_NOW,
        severity=Severity.WARNING,
        target=0.5,
        acknowledged_at=None,
        snoozed_until=None,
    )
    return replace(raised, **changes)  # type: ignore[arg-type]  # any field of the flag


def alert_row(alert: int = 1, well: str = "A2", **changes: object) -> AlertRow:
    row = AlertRow(
        alert=alert,
        subject=Subject(run=FACTS.run, plate="P1", well=well),
        rule="weak",
        kind=RuleKind.WEAK_NOW,
        severity=Severity.WARNING,
        raised_at=NOW - timedelta(hours=3),
        escalated_at=None,
        resolved_at=None,
        day=6.0,
        evidence=Evidence(now=Reading(value=0.22, low=0.14, high=0.3), target=0.5),
        resolution=None,
        acknowledged_at=None,
        snoozed_until=None,
        postings=(Posting(channel="lab", title="A2", state="delivered", attempts=1, why=""),),
    )
    return replace(row, **changes)  # type: ignore[arg-type]  # any field of the row


def outlook(foreseen: WellForecast | NoForecast | None = None, day: float = 6.5) -> Outlook:
    forecast = WellForecast(
        made_on_day=day,
        final_day=10,
        value=0.58,
        low=0.41,
        high=0.75,
        coverage=0.9,
        half_width=0.17,
    )
    return Outlook(
        time_point=int(2 * day),
        day=day,
        now_day=day,
        now=0.46,
        low=0.39,
        high=0.53,
        trend_per_day=0.052,
        final_day=10,
        forecast=foreseen or forecast,
    )


def refused_row(fault: str = "out-of-focus", **changes: object) -> RefusedRow:
    row = RefusedRow(
        what="HES-NKX2.5 run 4/P1/A2/s0/t0011/phase",
        well=named("A2"),
        source="folder",
        locator="/srv/microscope/P1_A2_s0_t0011_phase.tif",
        fault=fault,
        reason="frame is out of focus: cardio-sim (expected focus >= 0.2, got 0.05); focus again",
        attempts=1,
        at=NOW - timedelta(hours=1),
    )
    return replace(row, **changes)  # type: ignore[arg-type]  # any field of the row


@dataclass
class FakeReader:
    """Answers from lists, within the limits that are asked for."""

    rows: list[WellRow] = field(default_factory=list)
    points: list[CoursePoint] = field(default_factory=list)
    known: list[Outlook] = field(default_factory=list)
    ended: list[RunEnd] = field(default_factory=list)
    pictures: list[Shot] = field(default_factory=list)
    quarantine: list[RefusedRow] = field(default_factory=list)
    raised: list[AlertRow] = field(default_factory=list)
    frames: FrameTally = field(default_factory=lambda: FrameTally(scored=12))
    others: dict[str, int] = field(default_factory=dict)
    removed_until: datetime | None = None
    waiting_copies: set[str] = field(default_factory=set)
    scale_stated: bool | None = None
    entries: list[JournalEntry] = field(default_factory=list)
    broken: str = ""

    def runs(self) -> Sequence[RunRow]:
        if self.broken:
            raise StoreError(self.broken)
        names = dict.fromkeys(row.name.run for row in self.rows)
        return [
            RunRow(name=name, started_at=None, first_frame_at=None, simulated=False)
            for name in names
        ]

    def journal(self, run: str | None, limit: int) -> Sequence[JournalEntry]:
        return [each for each in self.entries if run in (None, each.run)][-limit:]

    def dead_wells(self, run: str) -> Sequence[JournalEntry]:
        return wells_marked_dead([each for each in self.entries if each.run == run])

    def wells_with_sites(self, run: str) -> Sequence[JournalEntry]:
        return wells_with_more_sites([each for each in self.entries if each.run == run])

    def active_runs(self, since: datetime) -> Sequence[str]:
        recent = [row for row in self.rows if row.last_frame_at and row.last_frame_at > since]
        return list(dict.fromkeys(row.name.run for row in recent))

    def run_seen(self, name: str, *, recent: timedelta, now: datetime) -> RunSeen:
        return RunSeen(
            name=name,
            began_at=NOW - timedelta(days=6),
            frames=replace(self.frames, other_channels=self.others),
            wells=tuple(
                WellSeen(
                    plate=row.name.plate,
                    well=row.name.well,
                    judged_at=row.judged_at,
                    time_point=row.time_point,
                    day=row.day,
                    efficiency=None if row.efficiency is None else row.efficiency.value,
                    other_at=row.last_frame_at if self.others else None,
                )
                for row in self.wells(name)
            ),
        )

    def counts(self, run: str | None = None) -> Counts:
        rows = self.wells(run)
        newest = [row.last_frame_at for row in rows if row.last_frame_at is not None]
        refused = self.quarantined(None, 9999, run=run)
        return Counts(
            scored=sum(row.scored for row in rows),
            quarantined=len(refused),
            waiting=0,
            skipped=0,
            refused=0,
            last_frame_at=max(newest, default=None),
            newest_day=max((row.day for row in rows if row.day is not None), default=None),
            scale_stated=self.scale_stated,
        )

    def wells(self, run: str | None = None) -> Sequence[WellRow]:
        if self.broken:
            raise StoreError(self.broken)
        return [row for row in self.rows if run in (None, row.name.run)]

    def overview(self, run: str) -> Overview:
        return Overview(wells=tuple(self.wells(run)), counts=self.counts(run))

    def flagged(self, run: str, also: WellName | None = None) -> Overview:
        wells = [row for row in self.wells(run) if row.flags or row.name == also]
        return Overview(wells=tuple(wells), counts=self.counts(run))

    def course(self, name: WellName, limit: int) -> Sequence[CoursePoint]:
        return self.points[-limit:]

    def whole_course(self, name: WellName, most: int) -> Sequence[CoursePoint]:
        step = -(-len(self.points) // most) or 1
        return self.points[::-step][::-1]

    def shots(self, name: WellName, limit: int) -> Sequence[Shot]:
        return self.pictures[:limit]

    def has_overlay(self, relative: str) -> bool:
        return any(shot.overlay == relative for shot in self.pictures)

    def uncopied(self, overlays: Collection[str]) -> set[str]:
        return self.waiting_copies & set(overlays)

    def quarantined(
        self, name: WellName | None, limit: int, offset: int = 0, *, run: str | None = None
    ) -> Sequence[RefusedRow]:
        rows = [row for row in self.quarantine if name is None or row.well == name]
        if run is not None:
            rows = [row for row in rows if row.well is None or row.well.run == run]
        return rows[offset : offset + limit]

    def reasons(self, run: str | None = None) -> Sequence[ReasonRow]:
        rows = self.quarantined(None, 1000, run=run)
        return [
            ReasonRow(
                fault=fault,
                count=count,
                what="",
                reason="",
                at=NOW,
                asked_again=0,
            )
            for fault, count in Counter(row.fault for row in rows).most_common()
        ]

    def pictures_removed_until(self) -> datetime | None:
        return self.removed_until

    def ends(self, run: str | None = None) -> Sequence[RunEnd]:
        return [end for end in self.ended if run in (None, end.run)]

    def outlooks(self, name: WellName, limit: int, *, errors: bool = True) -> Sequence[Outlook]:
        return self.known[-limit:]

    def alerts(
        self,
        name: WellName | None,
        limit: int,
        *,
        open_only: bool = False,
        runs: Collection[str] | None = None,
        courses: bool = True,
    ) -> Sequence[AlertRow]:
        rows = [row for row in self.raised if not (open_only and row.resolved_at)]
        if runs is not None:
            rows = [row for row in rows if row.subject.run in runs]
        return [row for row in rows if name is None or row.well == name][:limit]

    def wider_alerts(self, limit: int, *, runs: Collection[str]) -> Sequence[AlertRow]:
        rows = self.alerts(None, limit, open_only=True, runs=runs)
        return [row for row in rows if row.well is None]


@dataclass
class FakeAnswers:
    """Notes what a person answered."""

    known: set[int] = field(default_factory=lambda: {1})
    acknowledged: list[tuple[int, datetime]] = field(default_factory=list)
    snoozed: list[tuple[int, datetime]] = field(default_factory=list)
    orders: list[tuple[str, str, str, str]] = field(default_factory=list)
    targets: list[tuple[Target | None, str]] = field(default_factory=list)
    taken_back: list[int] = field(default_factory=list)
    retried: list[tuple[RetrySelection, Collection[str], str]] = field(default_factory=list)

    def ask_again(
        self, wanted: RetrySelection, sources: Collection[str], asked_by: str
    ) -> RetryAnswer:
        self.retried.append((wanted, sources, asked_by))
        return RetryAnswer(asked=2, waiting=1, unwatched=("old",), missed=3)

    def order(
        self,
        source: str,
        run: str,
        act: Act,
        by: str,
        target: Target | None = None,
        reason: str = "",
    ) -> int:
        self.orders.append((source, run, act.value, by))
        self.targets.append((target, reason))
        return len(self.orders)

    def acknowledge(self, alert: int, now: datetime) -> None:
        self._find(alert)
        self.acknowledged.append((alert, now))

    def snooze(self, alert: int, until: datetime) -> None:
        self._find(alert)
        self.snoozed.append((alert, until))

    def take_back(self, alert: int) -> None:
        self._find(alert)
        self.taken_back.append(alert)

    def _find(self, alert: int) -> None:
        if alert not in self.known:
            raise StoreError(f"no such alert: {alert}; see `scopewatch alert list`")


@dataclass
class FakeHealth:
    ready: bool = True
    complaints: tuple[str, ...] = ()

    def __call__(self) -> Condition:
        return Condition(ready=self.ready, complaints=self.complaints)


def states_of(
    reader: FakeReader,
    health: FakeHealth,
    clock: Clock,
    waiting: Callable[[], int],
    run: str = FACTS.run,
) -> RunStates:
    """Assess the run in memory as the daemon assesses its own."""

    def daemon() -> DaemonSeen:
        return DaemonSeen(ready=health.ready, complaints=health.complaints, waiting=waiting())

    settings = RunConfig(name=run)
    return RunStates(reader, settings, clock=clock, target=FACTS.target, daemon=daemon)


def shot(overlay: str, time_point: int = 12) -> Shot:
    return Shot(
        overlay=overlay,
        stain=None,
        site=0,
        time_point=time_point,
        day=time_point / 2,
        efficiency=seen(0.4),
        drawn_at=NOW - timedelta(hours=12 * (13 - time_point)),
    )
