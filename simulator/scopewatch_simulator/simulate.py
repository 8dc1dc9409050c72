"""Writes simulated runs to a folder: frames, manifest and truth."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from scopewatch.core.errors import ConfigError, complaint
from scopewatch_simulator.plan import (
    FINAL_TIME_POINT,
    MAX_WELLS,
    SIMULATOR_VERSION,
    Regime,
)
from scopewatch_simulator.simulation import Simulation
from scopewatch_simulator.tables import FrameRecord, write_notice, write_tables
from scopewatch_simulator.writers import FileFormat, FrameName, open_writer

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationSummary:
    """Counts of what was written.

    Parameters
    ----------
    frames
        Phase-contrast frames; fluorescence frames come on top.
    mean_final_efficiency
        Over all fields, 0 to 1; of the final day whether or not it was written.
    """

    out: Path
    runs: int
    wells: int
    sites: int
    frames: int
    fluorescence_frames: int
    mean_final_efficiency: float
    simulator_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """The wells of one run that one process writes, one after another."""

    out: Path
    seed: int
    regime: Regime
    size_px: int
    file_format: FileFormat
    run: int
    wells: tuple[int, ...]
    sites: int
    time_points: tuple[int, ...]


def simulate(
    out: Path,
    *,
    runs: int,
    wells: int,
    seed: int,
    sites: int = 1,
    regime: Regime = Regime.BROAD,
    file_format: FileFormat = FileFormat.TIFF,
    size_px: int = 512,
    time_points: Sequence[int] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> SimulationSummary:
    """Write simulated runs.

    Parameters
    ----------
    out
        A folder that does not exist yet, or is empty.
    time_points
        Which of 0 to 20 (every 12 h of ten days); None: all. Fluorescence is written for the
        last one, the final day, when it is among them.
    workers
        Processes. The files do not depend on their number.
    progress
        Called with (frames done, frames in all) now and then.

    Raises
    ------
    ConfigError
        For impossible counts, sizes or time points, or when `out` is not empty.
    """
    chosen = _check(out, runs, wells, sites, workers, time_points)
    Simulation(seed=seed, regime=regime, size_px=size_px)  # refuses what it cannot simulate
    out.mkdir(parents=True, exist_ok=True)
    write_notice(out, seed=seed, regime=regime)
    # An NDTiff data set has one writer; files can be written well by well.
    chunk = wells if file_format is FileFormat.NDTIFF else 1
    tasks = [
        _Task(
            out=out,
            seed=seed,
            regime=regime,
            size_px=size_px,
            file_format=file_format,
            run=run,
            wells=tuple(range(first, min(first + chunk, wells))),
            sites=sites,
            time_points=chosen,
        )
        for run in range(runs)
        for first in range(0, wells, chunk)
    ]
    total = runs * wells * sites * len(chosen)
    records: list[FrameRecord] = []
    for written in _work(tasks, workers):
        records += written
        if progress is not None:
            progress(len(records), total)
    records.sort(key=lambda r: (int(r.run[3:]), r.well, r.site, r.time_point))
    write_tables(out, records)
    finals = {(r.run, r.well, r.site): r.final.efficiency for r in records}
    return SimulationSummary(
        out=out,
        runs=runs,
        wells=wells,
        sites=sites,
        frames=len(records),
        fluorescence_frames=len(finals) if FINAL_TIME_POINT in chosen else 0,
        mean_final_efficiency=sum(finals.values()) / len(finals),
        simulator_version=SIMULATOR_VERSION,
    )


def _check(
    out: Path, runs: int, wells: int, sites: int, workers: int, time_points: Sequence[int] | None
) -> tuple[int, ...]:
    """Refuse an impossible call; return the time points in order."""
    limits = (
        ("runs", runs, 1000),
        ("wells", wells, MAX_WELLS),
        ("sites", sites, 100),
        ("workers", workers, 64),
    )
    for name, count, most in limits:
        if not 1 <= count <= most:
            raise ConfigError(
                complaint(
                    f"impossible number of {name}",
                    where=name,
                    expected=f"1 to {most}",
                    got=count,
                    do=f"choose --{name} within the range",
                )
            )
    chosen = tuple(sorted(set(range(FINAL_TIME_POINT + 1) if time_points is None else time_points)))
    if not chosen or chosen[0] < 0 or chosen[-1] > FINAL_TIME_POINT:
        raise ConfigError(
            complaint(
                "impossible time points",
                where="time points",
                expected=f"some of 0 to {FINAL_TIME_POINT}",
                got=list(chosen) or "none",
                do="choose within the ten days, twelve hours apart",
            )
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            complaint(
                "output folder is not empty", where=out, do="give a folder that does not exist yet"
            )
        )
    return chosen


def _work(tasks: Sequence[_Task], workers: int) -> Iterator[list[FrameRecord]]:
    """Run the tasks in this process or in several; yield the records of each as it ends."""
    if workers == 1:
        yield from map(_write_wells, tasks)
        return
    # Spawned: a fork would copy the locks of the caller's threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_write_wells, task) for task in tasks]):
            yield done.result()


def _write_wells(task: _Task) -> list[FrameRecord]:
    """Write all frames of a task; return their records."""
    simulation = Simulation(
        seed=task.seed, regime=task.regime, size_px=task.size_px, cached_fields=1
    )
    run = simulation.run_plan(task.run).name
    records = []
    with open_writer(task.file_format, task.out / run) as writer:

        def put(well: int, site: int, time_point: int, channel: str) -> str | None:
            make = simulation.frame if channel == "phase" else simulation.marker_frame
            name = FrameName(
                run=task.run, well=well, site=site, time_point=time_point, channel=channel
            )
            path = writer.write(name, make(task.run, well, site, time_point))
            return path.relative_to(task.out).as_posix() if path.is_file() else None

        for well in task.wells:
            for site in range(task.sites):
                final = simulation.truth(task.run, well, site, FINAL_TIME_POINT)
                for time_point in task.time_points:
                    last = time_point == FINAL_TIME_POINT
                    records.append(
                        FrameRecord(
                            run=run,
                            well=well,
                            site=site,
                            time_point=time_point,
                            phase=put(well, site, time_point, "phase"),
                            fluorescence=put(well, site, time_point, "gfp") if last else None,
                            truth=simulation.truth(task.run, well, site, time_point),
                            final=final,
                            well_kind=simulation.well_plan(task.run, well).kind.value,
                        )
                    )
    return records
