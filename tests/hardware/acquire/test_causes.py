"""Log, gap and alert name the cause of missing images of a real core, without a traceback."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.hardware.acquiring_daemon import (
    acquiring,
    acquiring_daemon,
    channel,
    position,
    stop,
)
from tests.integration.daemon import Daemon
from tests.integration.full_disk import small_file_system

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(240)]

RULES = [
    {"name": "dead", "kind": "source-dead", "minutes": 0.05, "cooldown_h": 0.001},
    {"name": "disk", "kind": "disk-low", "free_gb": 0.01, "critical_free_gb": 0.005},
]
NO_PRESET = 'Preset "Nope" of configuration group "Channel" does not exist'
OUT_OF_REACH = 'Error in device "Z": Position out of range (103)'
FULL = "No space left on device"
# Images of 512 x 512 x 2 bytes on a disk of 3 MB.
_MOST_ON_DISK = 5


@pytest.fixture
def daemon(tmp_path: Path, eventually: Callable[..., None]) -> Iterator[Daemon]:
    made = acquiring_daemon(tmp_path, eventually)
    made.settings["alerts"] = {"rules": RULES}
    yield made
    stop(made)


def reasons(daemon: Daemon) -> list[str]:
    return [
        entry["event.reason"]
        for entry in daemon.log_lines()
        if entry["message"] == "time point could not be acquired"
    ]


def gaps(daemon: Daemon) -> dict[str, str]:
    """Return the reasons of missing images, by time point and well."""
    return {
        f"t{frame.key.time_point} {frame.key.well}": str(frame.reason)
        for frame in daemon.frames()
        if frame.fault == "gap"
    }


def messages(daemon: Daemon) -> list[str]:
    """Return rule, state and detail of all alerts, the oldest first."""
    if not (daemon.state / "scopewatch.db").exists():
        return []
    engine = create_engine(f"sqlite:///{daemon.state / 'scopewatch.db'}")
    with closing(engine.connect()) as database:
        rows = database.execute(text("SELECT rule, evidence, resolved_at FROM alerts")).all()
    engine.dispose()
    return [
        f"{rule} {'gone' if gone else 'open'}: {_detail(evidence)}" for rule, evidence, gone in rows
    ]


def _detail(evidence: Any) -> str:
    read = json.loads(evidence) if isinstance(evidence, str) else evidence
    return str(read.get("detail", ""))


def is_clean(daemon: Daemon) -> bool:
    """Return whether the daemon wrote only its log to the terminal."""
    return all("level" in entry for entry in daemon.log_lines())


@pytest.mark.parametrize(
    ("source", "phase", "cause", "where", "missing"),
    [
        (
            {"channels": [channel("Nope"), channel("FITC")]},
            "nope",
            NO_PRESET,
            "position A1 in channel Nope",
            {"A1", "A2"},
        ),
        (
            {"positions": [position("A1", 0, 0.0), position("A2", 9000, 1e9)]},
            "fitc",
            OUT_OF_REACH,
            "position A2 in channel FITC",
            {"A2"},
        ),
    ],
    ids=["unknown preset", "z out of reach"],
)
def test_the_cause_that_the_core_gives_for_an_image_appears_everywhere(
    daemon: Daemon, source: dict[str, Any], phase: str, cause: str, where: str, missing: set[str]
) -> None:
    daemon.settings["experiment"]["phase_channel"] = phase
    daemon.settings["sources"] = [acquiring(interval_s=20, time_points=4, **source)]
    daemon.start_ready()
    daemon.eventually(lambda: len(reasons(daemon)) >= 1, 40)
    reason = reasons(daemon)[0]
    assert f"{cause} ({where}" in reason
    daemon.eventually(lambda: len(messages(daemon)) >= 1, 60)
    (alert,) = messages(daemon)
    assert alert.startswith("dead open: scope, since ")
    assert cause in alert
    assert where in alert
    daemon.eventually(lambda: len(gaps(daemon)) >= len(missing), 60)
    missed = gaps(daemon)
    assert {name.split()[1] for name in missed} == missing
    assert set(missed.values()) == {f"never acquired: {cause}"}
    assert daemon.end(within_s=20) == 0
    assert is_clean(daemon), [each for each in daemon.log_lines() if "level" not in each]
    assert "Traceback" not in daemon.log.read_text(encoding="utf-8")


def test_a_full_disk_is_reported_until_the_end_of_the_plan(daemon: Daemon) -> None:
    data = daemon.root / "data"
    data.mkdir()
    daemon.settings["sources"] = [acquiring(interval_s=6, time_points=9)]
    with small_file_system(data, 3):
        daemon.start_ready()
        daemon.eventually(lambda: daemon.count("time-lapse is over, images are missing") == 1, 120)
        # The monitor checks every 15 s.
        daemon.eventually(
            lambda: any(each.startswith("dead gone") for each in messages(daemon)), 40
        )
        notified = messages(daemon)
        # A source that failed repeatedly is restarted and scanned within a minute.
        daemon.eventually(lambda: len(gaps(daemon)) >= 18 - _MOST_ON_DISK, 80)
        missing = gaps(daemon)
        assert daemon.end(within_s=30) == 0
    (dead,) = [each for each in notified if each.startswith("dead ")]
    assert FULL in dead
    (over,) = [
        entry["event.reason"]
        for entry in daemon.log_lines()
        if entry["message"] == "time-lapse is over, images are missing"
    ]
    assert over.startswith(f"plan over, {len(missing)} of 18 images are missing; the last: ")
    assert FULL in over
    assert Counter(FULL in reason for reason in missing.values()) == {True: len(missing)}, missing
    (disk,) = [each for each in notified if each.startswith("disk ")]
    assert disk == f"disk open: {data}"
    titles = [
        entry["event.title"] for entry in daemon.log_lines() if entry["message"] == "alert changed"
    ]
    assert "[SIMULATED] HES 7: the acquisition is over, images are missing" in titles
    assert not [title for title in titles if "watching again" in title]
    assert all(FULL in reason for reason in reasons(daemon))
    assert is_clean(daemon), [each for each in daemon.log_lines() if "level" not in each]
    assert "Traceback" not in daemon.log.read_text(encoding="utf-8")
