"""Steps of a job are repeated while disk, share or database fail; each is timed under its name."""

import pytest

from scopewatch.core.errors import SourceError, StoreError
from scopewatch.runtime.pipeline.step_runner import StepPolicy, StepRunner
from tests.conftest import FakeClock

FULL = StoreError("disk is full; free some space")


class Scene:
    def __init__(self, clock: FakeClock, *, patience_s: float = 30.0) -> None:
        self.clock = clock
        self.pauses: list[float] = []
        self.begun = 0
        self.failures: list[tuple[str, str]] = []
        self.to_raise: list[Exception] = []
        self.stop_after = 1_000
        policy = StepPolicy(
            patience_s=patience_s,
            pause=self.pause,
            on_begin=self.begin,
            on_failure=lambda step, error: self.failures.append((step, str(error))),
        )
        self.steps = StepRunner(policy, clock)

    def pause(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return len(self.pauses) >= self.stop_after

    def begin(self) -> None:
        self.begun += 1

    def work(self) -> str:
        self.clock.advance(2)
        if self.to_raise:
            raise self.to_raise.pop(0)
        return "done"


@pytest.fixture
def scene(clock: FakeClock) -> Scene:
    return Scene(clock)


def test_each_step_is_timed_under_its_own_name(scene: Scene) -> None:
    assert scene.steps.run("load", scene.work) == "done"
    scene.steps.run("draw", scene.work)
    scene.steps.run("load", scene.work)
    assert scene.steps.took_s == {"load": 4, "draw": 2}
    assert (scene.pauses, scene.failures) == ([], [])


@pytest.mark.parametrize("error", [FULL, SourceError("share is gone; mount it")])
def test_a_step_is_repeated_with_growing_delays_while_its_resources_fail(
    scene: Scene, error: Exception
) -> None:
    scene.to_raise = [error] * 3
    assert scene.steps.run("commit", scene.work) == "done"
    assert scene.pauses == [0.5, 1.0, 2.0]
    assert scene.failures == [("commit", str(error))] * 3
    assert scene.begun == 4, "each attempt is a heartbeat"
    assert scene.steps.took_s == {"commit": 4 * 2 + 3.5}


def test_a_step_is_left_once_its_patience_is_over(clock: FakeClock) -> None:
    scene = Scene(clock, patience_s=10.0)
    scene.to_raise = [FULL] * 100
    with pytest.raises(StoreError, match="disk is full"):
        scene.steps.run("commit", scene.work)
    assert scene.pauses == [0.5, 1.0, 2.0]
    assert scene.steps.took_s == {}, "only steps that ended well are timed"


def test_a_step_is_left_at_once_when_the_work_must_stop(scene: Scene) -> None:
    scene.to_raise = [FULL] * 100
    scene.stop_after = 1
    with pytest.raises(StoreError):
        scene.steps.run("commit", scene.work)
    assert scene.pauses == [0.5]


def test_an_error_of_the_frame_is_no_reason_to_repeat(scene: Scene) -> None:
    scene.to_raise = [ZeroDivisionError("by zero")]
    with pytest.raises(ZeroDivisionError):
        scene.steps.run("analyse", scene.work)
    assert (scene.pauses, scene.failures) == ([], [])


def test_a_runner_without_patience_tries_once_and_adds_to_the_same_seconds(scene: Scene) -> None:
    scene.steps.run("load", scene.work)
    once = scene.steps.without_patience()
    scene.to_raise = [FULL]
    with pytest.raises(StoreError):
        once.run("quarantine", scene.work)
    assert scene.pauses == []
    once.run("quarantine", scene.work)
    assert once.took_s == scene.steps.took_s == {"load": 2, "quarantine": 2}
