"""Frames that are the sharpest plane of a stack, in the ledger."""

from dataclasses import replace

from scopewatch.core.tickets import FrameTicket, Mark
from scopewatch.core.z_stack import PlaneMark, stack_fingerprint
from tests.unit.store.ledger.judgements import BEFORE, NAMES, Restarts, refuse
from tests.unit.store.scene import Scene, files_of, frame_of, judged, key, ticket

KEY = key("A1", 2)
LOCATORS = "SELECT locator, state FROM frames"
REFUSALS = "SELECT locator FROM refusals ORDER BY locator"


def stack(*planes: int, mark: str = "1") -> FrameTicket:
    marks = tuple(PlaneMark(locator=f"z{z}.tif", fingerprint=mark, z=z) for z in planes)
    return replace(
        ticket(KEY, locator=marks[0].locator),
        fingerprint=stack_fingerprint([f"{each.z} {each.fingerprint}" for each in marks]),
        planes=marks,
    )


def score(scene: Scene, given: FrameTicket) -> bool:
    """Claim and score a frame; False where the ledger has no work for it."""
    if not scene.store.claim(given):
        return False
    scene.store.commit(given, frame_of(given.key), judged(given.key, 0.4), files_of(given.key))
    return True


def test_a_stack_is_scored_once(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        assert score(scene, stack(0, 1, 2))
        assert not score(scene, stack(0, 1, 2))
        assert scene.rows(LOCATORS) == [("z0.tif", "done")]
        assert scene.rows(REFUSALS) == []


def test_a_stack_with_a_late_plane_is_scored_again_also_below_the_lowest(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE) as scene:
        assert score(scene, stack(1, 2))
        assert score(scene, stack(1, 2, 3))
        assert score(scene, stack(0, 1, 2, 3))
        assert scene.rows(LOCATORS) == [("z0.tif", "done")]
        assert scene.rows(REFUSALS) == []


def test_a_stack_of_which_planes_are_gone_keeps_its_result(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        assert score(scene, stack(0, 1, 2))
        assert not score(scene, stack(1, 2))
        assert not score(scene, stack(0, 1, 2)), "and they may come back"


def test_a_plane_that_was_judged_alone_keeps_its_result_under_the_new_setting(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE) as scene:
        assert score(scene, ticket(KEY, locator="z1.tif"))
        for locator in ("z0.tif", "z2.tif"):
            refuse(scene, locator)
    with restarts.under(NAMES) as scene:
        assert not score(scene, stack(0, 1, 2))
        assert scene.rows(LOCATORS) == [("z0.tif", "done")]
        assert scene.rows(REFUSALS) == [], "the other planes are no refusals any more"
        given = stack(0, 1, 2)
        mark = Mark(locator=given.locator, fingerprint=given.fingerprint, named=True)
        assert scene.store.settled("folder", [mark]) == {"z0.tif"}


def test_a_plane_that_could_not_be_judged_alone_is_tried_again_as_a_stack(
    restarts: Restarts,
) -> None:
    with restarts.under(BEFORE) as scene:
        alone = ticket(KEY, locator="z0.tif")
        scene.store.claim(alone)
        scene.store.quarantine(alone, "out-of-focus", "frame is out of focus")
    with restarts.under(NAMES) as scene:
        assert score(scene, stack(0, 1, 2))
        assert scene.rows(LOCATORS) == [("z0.tif", "done")]


def test_a_stack_keeps_its_result_when_a_single_plane_counts_again(restarts: Restarts) -> None:
    with restarts.under(BEFORE) as scene:
        assert score(scene, stack(0, 1, 2))
    with restarts.under(NAMES) as scene:
        assert not score(scene, ticket(KEY, locator="z0.tif"))
        assert scene.rows(LOCATORS) == [("z0.tif", "done")]
