"""Acts of a time-lapse are asked for once, through the journal, by what was judged."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from scopewatch.app.acting import Acting, policies_of
from scopewatch.config import (
    ActsConfig,
    AlertsConfig,
    Config,
    FlaggedFluorescenceConfig,
    FocusConfig,
    MicroManagerSourceConfig,
    MoreSitesConfig,
    PositionConfig,
    RunConfig,
)
from scopewatch.core.acquisition.journal import JournalEntry
from scopewatch.core.acquisition.orders import Act, Order, Report, Target
from scopewatch.core.acquisition.standing import AcquisitionStanding, Held
from scopewatch.core.faults import Fault
from scopewatch.monitoring.acts import ActPolicy
from scopewatch.store.read.reader import Reader
from tests.conftest import FakeClock
from tests.unit.runtime.fakes import FakeSource
from tests.unit.store.scene import RULES, START, Scene, key, open_store, ticket

POLICY = ActPolicy(reimage=True, refocuses=True, fluorescence=True)
STANDING = AcquisitionStanding(
    source="folder", time_points=20, next_time_point=2, next_at=START, due=1
)


class AcquiringSource(FakeSource):
    """A source that acquires."""

    acquires = True

    def __init__(self) -> None:
        super().__init__()
        self.now = STANDING

    def order(self, order: Order) -> None:
        raise AssertionError(f"{order} does not come by the journal")

    def reports(self) -> list[Report]:
        return []

    def restore(self, held: JournalEntry | None) -> None:
        del held

    def standing(self) -> AcquisitionStanding | None:
        return self.now


class Watched:
    """A run in a real database, with a time-lapse that acts."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        clock.wall = START
        self.scene = Scene(store=open_store(folder, clock, rules=RULES), folder=folder)
        self.reader = Reader.open(folder)
        self.source = AcquiringSource()
        self.acting = Acting(
            self.reader,
            self.scene.store,
            [self.source, FakeSource()],
            clock,
            run="run 7",
            channel="phase",
            policies={"folder": POLICY},
        )

    def spoil(self, well: str, time_point: int, fault: str = Fault.OUT_OF_FOCUS) -> None:
        offered = ticket(key(well, time_point))
        self.scene.store.claim(offered)
        self.scene.store.quarantine(offered, fault, "frame is out of focus")

    def wanted(self) -> list[tuple[Act, Target | None, str]]:
        self.acting.look()
        orders = self.scene.store.orders("folder")
        return [(each.act, each.target, each.reason) for each in orders]


@pytest.fixture
def watched(tmp_path: Path, clock: FakeClock) -> Iterator[Watched]:
    made = Watched(tmp_path, clock)
    yield made
    made.reader.close()
    made.scene.store.close()


def test_an_unfit_frame_is_asked_for_once_with_its_reason(watched: Watched) -> None:
    watched.spoil("A1", 0)
    watched.spoil("A1", 1)
    watched.spoil("B3", 1, Fault.WRONG_SCALE)
    image = Target(plate="p1", well="A1", site=0, time_point=1, channel="phase")
    wanted = [(Act.REIMAGE, image, "frame is out of focus")]
    assert watched.wanted() == wanted
    assert watched.wanted() == wanted
    (entry,) = watched.reader.journal("run 7", 10)
    assert entry.by == "scopewatch"


def test_a_well_that_an_alert_calls_weak_is_asked_for_in_fluorescence(watched: Watched) -> None:
    for time_point in range(3):
        watched.scene.score(key("A1", time_point), 0.1)
        watched.scene.score(key("A2", time_point), 0.7)
    wanted = [(Act.FLUORESCENCE, Target(plate="p1", well="A1"), "flagged by the rule weak")]
    assert watched.wanted() == wanted
    assert watched.wanted() == wanted


def test_nothing_is_asked_for_while_it_is_paused_or_has_not_begun(watched: Watched) -> None:
    watched.spoil("A1", 1)
    held = Held(act=Act.MEDIUM, by="anna", since=START)
    for standing in (replace(STANDING, held=held), replace(STANDING, due=None)):
        watched.source.now = standing
        assert watched.wanted() == []
    watched.source.now = STANDING
    assert len(watched.wanted()) == 1


def test_a_dead_well_is_left(watched: Watched, clock: FakeClock) -> None:
    watched.spoil("A1", 1)
    store, dead = watched.scene.store, Target(plate="p1", well="A1")
    number = store.order("folder", "run 7", Act.DEAD, "anna", dead)
    made = Report(
        number=number, act=Act.DEAD, at=clock.now(), done=True, outcome="left out", target=dead
    )
    store.report("folder", "run 7", [made])
    assert watched.wanted() == []


def test_the_second_image_replaces_the_unfit_one_under_its_key(watched: Watched) -> None:
    watched.spoil("A1", 1)
    watched.scene.score(key("A1", 1), 0.6, locator="again")
    ((state, locator),) = watched.scene.rows("SELECT state, locator FROM frames")
    assert (state, locator) == ("done", "again")
    ((fault,),) = watched.scene.rows("SELECT fault FROM refusals")
    assert fault == Fault.REPLACED


def test_a_well_in_doubt_is_asked_for_at_further_sites_once(
    watched: Watched, clock: FakeClock
) -> None:
    doubt = ActPolicy(doubt=0.2, most_wells=2, rules=RULES)
    acting = Acting(
        watched.reader,
        watched.scene.store,
        [watched.source],
        clock,
        run="run 7",
        channel="phase",
        policies={"folder": doubt},
    )
    for time_point in range(12):
        watched.scene.score(key("A1", time_point), 0.425)
        watched.scene.score(key("A2", time_point), 0.1)
    watched.source.now = replace(STANDING, due=11)

    def wanted() -> list[tuple[Act, str, str]]:
        acting.look()
        orders = watched.scene.store.orders("folder")
        return [(each.act, each.target.text, each.reason) for each in orders if each.target]

    (asked,) = wanted()
    assert asked[:2] == (Act.MORE_SITES, "well p1/A1")
    assert asked[2].startswith("in doubt: ")
    clock.advance(60)
    assert wanted() == [asked]


def test_policies_are_those_of_sources_where_something_is_switched_on(tmp_path: Path) -> None:
    def source(name: str, acts: ActsConfig, focus: str = "none") -> MicroManagerSourceConfig:
        return MicroManagerSourceConfig(
            kind="micromanager",
            name=name,
            mode="acquire",
            path=tmp_path / name,
            positions=(PositionConfig(label="A1", x_um=0, y_um=0),),
            acts=acts,
            focus=FocusConfig(method=focus),  # type: ignore[arg-type]
        )

    flagged = FlaggedFluorescenceConfig(group="Channel", preset="GFP", exposure_ms=5)
    config = Config.model_construct(
        experiment=RunConfig(name="run 7"),
        sources=[
            source("off", ActsConfig(skip_dead=True)),
            source("again", ActsConfig(reimage_unfit=True, most_per_time_point=3), "lock"),
            source("marker", ActsConfig(fluorescence_of_flagged=flagged)),
            source("sites", ActsConfig(more_sites=MoreSitesConfig(offsets_um=((9, 0),)))),
        ],
        alerts=AlertsConfig.model_validate(
            {"rules": [{"name": "weak", "kind": "weak-forecast", "target": 0.4}]}
        ),
    )
    (rule,) = config.alert_rules()
    assert policies_of(config) == {
        "again": ActPolicy(reimage=True, refocuses=True, most=3),
        "marker": ActPolicy(fluorescence=True),
        "sites": ActPolicy(doubt=0.2, most_wells=4, rules=(rule,)),
    }
