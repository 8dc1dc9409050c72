"""The demo: a simulated differentiation on a real acquisition, monitored by the real daemon.

Three processes, as in a lab: the microscope (`demo.microscope`), the daemon (`scopewatch run`),
and this one, which starts both, watches the result database and sets the outcome beside the
truth. Nothing in the daemon knows that this is a demo.
"""

import time
import webbrowser
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from scopewatch.config import load_config
from scopewatch.core.errors import StoreError, complaint
from scopewatch.demo.folder import DemoFolder, prepare_folder, write_config
from scopewatch.demo.messages import write_messages
from scopewatch.demo.processes import Daemon, Microscope
from scopewatch.demo.summary import (
    DemoSummary,
    read_truth,
    summarise,
    tabulate,
    write_summary,
)
from scopewatch.inference.bundle import load_bundle
from scopewatch.inference.shipped import SHIPPED, bundled_model
from scopewatch.store.read.reader import Reader
from scopewatch_simulator.plan import FINAL_TIME_POINT

WELLS = 12
PACE_S = 2.0
START_WITHIN_S = 30.0
SETTLE_WITHIN_S = 60.0
MOST_ALERTS = 1000


def run_demo(
    *,
    out: Path,
    seed: int,
    port: int,
    exit_when_done: bool,
    console: Console,
    open_browser: Callable[[str], object] = webbrowser.open,
) -> DemoSummary:
    """Run the demo and return what it found.

    Parameters
    ----------
    out
        Folder for everything the demo makes; an earlier demo there is replaced.
    exit_when_done
        End after the table, and open no browser; otherwise the dashboard stays up until Ctrl-C.

    Raises
    ------
    ScopewatchError
        When the daemon or the microscope does not start or dies, or a frame is lost.
    """
    folder = prepare_folder(out)
    bundle = load_bundle(bundled_model(SHIPPED))
    errors = bundle.card.errors
    margin = 0.0 if errors is None or errors.half_width is None else errors.half_width
    write_config(folder, bundle=bundle.folder, margin=margin, port=port)
    console.print("A [b]simulated[/b] ten-day differentiation: nothing here is a result on cells.")
    address = f"http://127.0.0.1:{port}"
    with Daemon(folder) as daemon:
        reader = _open_reader(folder, daemon)
        try:
            console.print(f"Dashboard: {address}")
            if not exit_when_done:
                open_browser(address)
            acquired = _watch(folder, daemon, reader, seed=seed, console=console)
            config = load_config(folder.config)
            alerts = reader.alerts(None, MOST_ALERTS)
            summary = summarise(
                seed=seed,
                acquired=acquired,
                counts=reader.counts(),
                wells=reader.wells(),
                alerts=alerts,
                final_day=config.experiment.final_day,
                truth=read_truth(folder.truth),
            )
            messages = write_messages(folder.messages, config, alerts, reader, config.pictures)
        finally:
            reader.close()
        write_summary(folder.summary, summary)
        console.print(tabulate(summary))
        _show_message(messages, summary, console)
        console.print(f"Summary: {folder.summary}\nOverlays: {config.pictures}")
        if not exit_when_done:
            _linger(daemon, address, console)
    return summary


def _open_reader(folder: DemoFolder, daemon: Daemon) -> Reader:
    """Wait for the daemon's database and open it for reading."""
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        daemon.require_alive()
        try:
            return Reader.open(folder.state)
        except StoreError:  # not there yet, or just being made
            time.sleep(0.1)
    raise StoreError(
        complaint(
            "daemon did not open its database",
            where=folder.state,
            expected=f"within {START_WITHIN_S:.0f} s",
            do=f"read {folder.daemon_log}",
        )
    )


def _watch(
    folder: DemoFolder, daemon: Daemon, reader: Reader, *, seed: int, console: Console
) -> int:
    """Show both sides' progress until every acquired frame is settled; return their number."""
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    time_points = FINAL_TIME_POINT + 1
    patience = Patience(SETTLE_WITHIN_S)
    with (
        Progress(*columns, console=console) as progress,
        Microscope(folder, seed=seed, wells=WELLS, pace_s=PACE_S) as microscope,
    ):
        shot = progress.add_task("microscope: times", total=time_points, note="")
        scored = progress.add_task("daemon: frames", total=WELLS * time_points, note="")
        while True:
            daemon.require_alive()
            microscope.require_alive()
            counts = reader.counts()
            settled = counts.scored + counts.quarantined
            weak = sum(bool(row.flags) for row in reader.wells())
            day = f"day {counts.newest_day:.1f}" if counts.newest_day is not None else ""
            progress.update(shot, completed=microscope.time_points, note=day)
            acquired = microscope.frames_acquired
            note = f"{weak} wells flagged"
            if acquired is not None and settled < acquired:
                note += f"; waits for {acquired - settled} frames to be scored"
            progress.update(scored, completed=settled, note=note)
            if acquired is not None and settled >= acquired:
                return acquired
            if patience.is_over(settled, time.monotonic()) and acquired is not None:
                raise StoreError(
                    complaint(
                        "daemon settles no more frames",
                        where=folder.state,
                        expected=f"{acquired}, another one every {SETTLE_WITHIN_S:.0f} s at least",
                        got=settled,
                        do=f"read {folder.daemon_log}",
                    )
                )
            time.sleep(0.25)


class Patience:
    """Waits for a count for as long as it grows, however slowly.

    Parameters
    ----------
    within_s
        How long the count may stay the same.
    """

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._count: int | None = None
        self._since_s = 0.0

    def is_over(self, count: int, now_s: float) -> bool:
        """Note the count; True once it stood still for too long."""
        if count != self._count:
            self._count, self._since_s = count, now_s
        return now_s - self._since_s > self._within_s


def _show_message(messages: list[Path], summary: DemoSummary, console: Console) -> None:
    """Show one message as it would have been sent, and the folder of all of them."""
    weak = {outcome.well for outcome in summary.wells if outcome.truly_weak}
    shown = next((path for path in messages if path.stem.split("-")[1] in weak), None)
    if shown is not None:
        text = Text(shown.read_text(encoding="utf-8").strip())
        console.print(Panel(text, title="A message as it would have been sent"))
    if messages:
        console.print(f"Messages: {len(messages)} in {messages[0].parent}")


def _linger(daemon: Daemon, address: str, console: Console) -> None:
    """Keep the dashboard up until the operator has seen enough."""
    console.print(f"The dashboard stays open at {address}; Ctrl-C ends the demo.")
    try:
        while True:
            daemon.require_alive()
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Ending the demo.")
