"""The real daemon follows a writer live; its results are compared with the plan."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from scopewatch.core.imaging.frame import FrameKey
from scopewatch.store.read.records.frames import FrameRecord
from tests.integration.daemon import Daemon
from tests.integration.receivers import free_port
from tests.writers.cases import Case
from tests.writers.judging import Scores, judge_plan
from tests.writers.pixels import save
from tests.writers.plan import Place, Plan
from tests.writers.shooting import Moment, Shooting
from tests.writers.writers import WRITERS

# Beyond the promise: a frame that comes late is measured, not counted as missing.
PATIENCE_S = 20.0
# Files change when they are closed: a resulting second scoring comes within two rescans.
SETTLE_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Result of one run of one writer.

    Parameters
    ----------
    expected
        Phase frames that were complete and named on disk.
    took_s
        Time from then to the commit, for those that were scored.
    wrong
        Frames under a key that the plan does not have, or with another frame's pixels.
    again
        Keys that were scored more than once.
    missing
        Expected frames that were not scored.
    refused
        Files and frames that the daemon put into quarantine, with its reason.
    unnamed
        Phase frames that were whole on disk in the end, and named nowhere.
    waiting
        Number of frames that the daemon reports as waiting.
    """

    writer: str
    promised_s: float
    expected: int
    took_s: Mapping[Place, float]
    wrong: Sequence[str]
    again: Sequence[str]
    missing: Sequence[str]
    refused: Sequence[str]
    unnamed: int
    waiting: int

    @property
    def broken(self) -> list[str]:
        """Return the broken promises, one line each; those of time are in `late`."""
        kinds = {
            "under a wrong name": self.wrong,
            "scored again": self.again,
            "not scored": self.missing,
            # Frames that nothing names may be refused: that is reported, too.
            "refused": () if self.unnamed else self.refused,
        }
        lines = [
            f"{len(found)} {kind}, such as {found[0]}" for kind, found in kinds.items() if found
        ]
        if self.unnamed and not self.waiting and not self.refused:
            lines.append(f"nothing is reported of {self.unnamed} frames that nothing names")
        return lines

    @property
    def late(self) -> list[str]:
        """Return the promise of time if it was broken; other load may be the reason."""
        late = {at: took for at, took in self.took_s.items() if took > self.promised_s}
        if not late:
            return []
        slowest = max(late, key=lambda at: late[at])
        return [
            f"{len(late)} later than {self.promised_s:g} s,"
            f" such as {slowest.key} after {late[slowest]:.1f} s"
        ]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Settings that all writers share.

    Parameters
    ----------
    pixels
        The file with the plan's pixels.
    judged
        The score of the model for each phase frame.
    move_s
        Time that a move of the stage from one position to the next takes.
    rescan_s
        How often the daemon walks the folder.
    """

    plan: Plan
    pixels: Path
    judged: dict[Place, Scores]
    bundle: Path
    move_s: float
    rescan_s: float


def set_stage(
    folder: Path, plan: Plan, bundle: Path, *, move_s: float = 0.5, rescan_s: float = 2.0
) -> Stage:
    """Simulate the plan's pixels into a folder, and judge them."""
    path = folder / "pixels.npy"
    return Stage(
        plan=plan,
        pixels=path,
        judged=judge_plan(plan, save(plan, path), bundle),
        bundle=bundle,
        move_s=move_s,
        rescan_s=rescan_s,
    )


def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait for another process.

    Raises
    ------
    TimeoutError
        When it does not happen in time.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"did not happen within {within_s} s")
        time.sleep(0.1)


def follow(
    case: Case,
    root: Path,
    stage: Stage,
    *,
    kill_at: Place | None = None,
    kill_after_s: float = 0.0,
) -> Followed:
    """Run the daemon and a writer together until nothing more comes.

    Parameters
    ----------
    root
        An empty folder.
    kill_at
        The writer is killed when it gets this frame; None: it finishes.
    kill_after_s
        How long it may continue then: a frame takes milliseconds to be written.

    Raises
    ------
    RuntimeError
        When writer or daemon failed.
    """
    daemon = Daemon(root, stage.bundle, wait_until)
    daemon.settings |= {
        "experiment": {
            "name": "writers",
            "day_from": "time_point",
            "interval_h": 12,
            "simulated": True,
        },
        "sources": [{**case.source, "path": "in"}],
        "web": {"port": free_port()},
        "runtime": {"rescan_s": stage.rescan_s, "log_format": "json"},
    }
    shooting = Shooting(
        case.writer,
        out=daemon.incoming,
        plan=stage.plan,
        pixels=stage.pixels,
        move_s=stage.move_s,
        log=root / "writer.log",
    )

    def kill(moment: Moment) -> None:
        if moment.event == "handed" and moment.place == kill_at:
            time.sleep(kill_after_s)
            shooting.kill()

    if kill_at is not None:
        shooting.on_moment = kill
    try:
        daemon.start_ready()
        with shooting:
            status = shooting.wait()
        if kill_at is None and status != 0:
            raise RuntimeError(f"{case.writer} ended with {status}: {root / 'writer.log'}")
        ended_at = time.time()
        named = shooting.places("named")
        # A killed writer could not report what it did last.
        remains = WRITERS[case.writer](daemon.incoming, stage.plan)
        named |= {
            place: ended_at
            for place in shooting.places("written")
            if place not in named and remains.is_named(place)
        }
        due = {place: when for place, when in named.items() if place.channel == 0}
        with suppress(TimeoutError):  # the missing are listed by name below
            wait_until(
                lambda: len(_scored(daemon.frames())) >= len(due),
                case.promised_s(stage.rescan_s, stage.plan) + PATIENCE_S,
            )
        time.sleep(2 * stage.rescan_s + SETTLE_S)
        waiting = _waiting(daemon)
        if daemon.end() != 0:
            raise RuntimeError(f"the daemon failed: {daemon.log}")
        written = sum(place.channel == 0 for place in shooting.places("written"))
        return _compare(case, stage, daemon, due, unnamed=written - len(due), waiting=waiting)
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def _waiting(daemon: Daemon) -> int:
    """Ask the daemon how many frames wait."""
    address = f"http://127.0.0.1:{daemon.settings['web']['port']}/api/status.json"
    with urlopen(address, timeout=10) as answer:
        return int(json.load(answer)["frames"]["waiting"])


def _compare(
    case: Case,
    stage: Stage,
    daemon: Daemon,
    due: Mapping[Place, float],
    *,
    unnamed: int,
    waiting: int,
) -> Followed:
    """Compare what the daemon recorded with what the writer wrote, and when."""
    places = {place.key: place for place in stage.plan.places()}
    wrong: list[str] = []
    scored: dict[Place, float] = {}
    with daemon.reader() as reader:
        for record in reader.frames():
            place = places.get(_key(record.key))
            if place is None or record.key.plate != case.plate:
                wrong.append(f"{record.key} from {record.locator}")
            elif record.state == "done" and record.settled_at is not None:
                scores = reader.tile_scores(record.key)
                if place not in stage.judged or scores is None:
                    wrong.append(f"{record.key} is no phase frame")
                elif not np.array_equal(scores.probability.astype(np.float16), stage.judged[place]):
                    wrong.append(f"{record.key} has other pixels")
                else:
                    scored[place] = record.settled_at.timestamp()
        refused = [
            f"{row.what}: {row.fault}: {row.reason}" for row in reader.quarantined(None, 1000)
        ]
    times = Counter(
        line["event.key"] for line in daemon.log_lines() if line["message"] == "frame scored"
    )
    return Followed(
        writer=case.writer,
        promised_s=case.promised_s(stage.rescan_s, stage.plan),
        expected=len(due),
        took_s={at: scored[at] - when for at, when in due.items() if at in scored},
        wrong=wrong,
        again=[f"{key}: {count} times" for key, count in times.items() if count > 1],
        missing=[str(at.key) for at in due if at not in scored],
        refused=refused,
        unnamed=unnamed,
        waiting=waiting,
    )


def _scored(records: Sequence[FrameRecord]) -> list[FrameRecord]:
    return [record for record in records if record.state == "done"]


def _key(key: FrameKey) -> tuple[str, int, int, str]:
    return key.well, key.site, key.time_point, key.channel.lower()
