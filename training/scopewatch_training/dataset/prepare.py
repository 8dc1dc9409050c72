"""`prepare`: makes a data set from a manifest, pair by pair, in several processes."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np

from scopewatch.core.errors import ConfigError, complaint
from scopewatch.files import write_whole
from scopewatch_training.dataset.checks.find import find_all_doubts
from scopewatch_training.dataset.checks.simulated import is_simulated
from scopewatch_training.dataset.index import INDEX, index_json
from scopewatch_training.dataset.looks import MARK_VERSION
from scopewatch_training.dataset.manifest import PairRow
from scopewatch_training.dataset.pairs.finished import finished_pair, settings_digest
from scopewatch_training.dataset.pairs.process import PairOutcome, process_row
from scopewatch_training.dataset.pairs.record import Pair
from scopewatch_training.dataset.prepared import Dataset
from scopewatch_training.dataset.settings import BinariseSettings, LabelSettings, PrepareSettings
from scopewatch_training.dataset.worker_processes import open_pool

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
_SCALE_TOLERANCE = 0.01


def prepare(
    rows: Sequence[PairRow],
    out: Path,
    settings: PrepareSettings,
    *,
    now: datetime,
    labels: LabelSettings | None = None,
    binarise: BinariseSettings | None = None,
    simulated: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Dataset:
    """Prepare all pairs of a manifest.

    Pairs that an earlier, interrupted call finished from the same files and settings are kept.

    Parameters
    ----------
    out
        Folder of the data set; made where it is missing.
    now
        Aware UTC, for the record.
    labels, binarise
        How tiles are to be labelled; recorded, not applied: thresholds are fitted on the
        training runs of each fit.
    simulated
        That the pictures are simulated, where they carry no mark of the simulator.
    workers
        Processes; 1 works in this one.
    progress
        Called with (pairs done, pairs in all).

    Raises
    ------
    ConfigError
        When no pair can be used, the pairs' scales differ, or the folder cannot be written.
    """
    try:
        for name in ("views", "signals", "pairs"):
            (out / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            complaint(
                "data set cannot be written", where=out, got=error.strerror, do="choose a folder"
            )
        ) from error
    done: dict[str, Pair] = {}
    for row in rows:
        kept = finished_pair(row, out, settings)
        if kept is not None:
            done[row.pair_id] = kept
    resumed = len(done)
    if resumed:
        log.info("prepare goes on", extra={"event": {"kept": resumed, "pairs": len(rows)}})

    def report() -> None:
        if progress is not None:
            progress(len(done), len(rows))

    report()
    undecided: list[PairRow] = []
    left = [row for row in rows if row.pair_id not in done]
    for row, outcome in _process_all(((row, None) for row in left), out, settings, workers):
        if outcome.undecided:
            undecided.append(row)
        else:
            done[row.pair_id] = outcome.pair
        report()
    offsets = _median_offsets(done.values())
    borrowing = ((row, offsets.get(row.run, (0.0, 0.0))) for row in undecided)
    for row, outcome in _process_all(borrowing, out, settings, workers):
        done[row.pair_id] = outcome.pair
        report()
    pairs = [done[row.pair_id] for row in rows]
    _require_accepted(pairs, out)
    dataset = Dataset(
        folder=out,
        created_at=now.isoformat(),
        um_per_px=_common_scale([pair for pair in pairs if pair.refused is None]),
        marker=settings.marker,
        settings=settings,
        data_sha256=settings_digest(settings, pairs),
        simulated=simulated or is_simulated(rows),
        pairs=tuple(pairs),
        labels=labels or LabelSettings(),
        binarise=binarise or BinariseSettings(),
        mark_version=MARK_VERSION,
    )
    dataset = replace(dataset, doubts=find_all_doubts(dataset))
    text = json.dumps(index_json(dataset))
    write_whole(out / INDEX, text.encode(), shared=True)
    return dataset


def _require_accepted(pairs: Sequence[Pair], out: Path) -> None:
    """Log what was refused; refuse a data set without a single pair."""
    for pair in pairs:
        if pair.refused is not None:
            log.info("pair refused", extra={"event": {"pair": str(pair), "why": pair.refused}})
    if all(pair.refused is not None for pair in pairs):
        raise ConfigError(
            complaint(
                "no pair of the manifest can be used",
                where=out,
                got=f"{len(pairs)} refused, the first: {pairs[0].refused}",
                do="correct the pictures or the settings",
            )
        )


def _process_all(
    jobs: Iterable[tuple[PairRow, tuple[float, float] | None]],
    out: Path,
    settings: PrepareSettings,
    workers: int,
) -> Iterator[tuple[PairRow, PairOutcome]]:
    if workers <= 1:
        for row, borrowed in jobs:
            yield row, process_row(row, out, settings, borrowed)
        return
    queue = iter(jobs)
    with open_pool(workers) as pool:
        waiting: dict[Future[PairOutcome], PairRow] = {}

        def submit(count: int) -> None:
            for row, borrowed in islice(queue, count):
                waiting[pool.submit(process_row, row, out, settings, borrowed)] = row

        submit(2 * workers)
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
                submit(1)


def _median_offsets(pairs: Iterable[Pair]) -> dict[str, tuple[float, float]]:
    """Median offset of the registered pairs of each run."""
    measured: dict[str, list[tuple[float, float]]] = {}
    for pair in pairs:
        if pair.refused is None and pair.registered:
            measured.setdefault(pair.run, []).append(pair.offset_px)
    return {
        run: (float(middle[0]), float(middle[1]))
        for run, middle in ((run, np.median(found, axis=0)) for run, found in measured.items())
    }


def _common_scale(pairs: Sequence[Pair]) -> float | None:
    """Return the one scale of all pairs."""
    scales = {str(pair): pair.um_per_px for pair in pairs}
    known = [scale for scale in scales.values() if scale is not None]
    if not known:
        return None
    odd = [
        name
        for name, scale in scales.items()
        if scale is None or abs(scale / known[0] - 1) > _SCALE_TOLERANCE
    ]
    if odd:
        raise ConfigError(
            complaint(
                "pairs differ in their pixel size",
                where=odd[0],
                expected=f"{known[0]:g} um/px, as the first pair",
                got="unknown" if scales[odd[0]] is None else f"{scales[odd[0]]:g} um/px",
                do="correct column um_per_px where it is of another objective than the frame; where"
                " it is right, give the scale that all are to be brought to (--um-per-px)",
            )
        )
    return float(np.median(known))
